"""Who is compared with sends what the real server does: the same messages, with the same keys."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench import machine, programs
from bench.servers import EPOLL, PYTHON, Contest
from tests.conftest import Server
from tests.cost.duelists import Duelist

LENGTHS = 0.05  # ids are as long as each server makes them


@pytest.fixture
def contest(tmp_path: Path) -> Contest:
    """Where servers in memory are started; no PostgreSQL is."""
    try:
        programs.compiled("epoll")
    except programs.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    contest = Contest(machine.Cores())
    contest.folder = tmp_path
    return contest


def answered(port: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let one of a pair answer; return what both are told."""
    first, second = Duelist(port), Duelist(port)
    first.ask("create_pair_quiz", topic="General", question_count=20, time_limit=300)
    session_id = first.acknowledged()["session_id"]
    second.ask("join_pair_quiz", session_id=session_id)
    second.acknowledged()
    first.ask("start_quiz", session_id=session_id)
    first.acknowledged()
    questions = second.heard("quiz_started")["questions"]
    first.ask("submit_answer", session_id=session_id, question_id=questions[0]["id"], answer=0)
    told = first.acknowledged(), second.heard("answer_submitted")
    for player in (first, second):
        player.socket.close()
    return told


@pytest.mark.parametrize("name", [EPOLL, PYTHON])
async def test_a_peer_tells_players_what_the_server_does(name: str, contest: Contest, server: Server) -> None:
    ours = await asyncio.to_thread(answered, int(server.url.rpartition(":")[2]))

    def of_peer() -> tuple[dict[str, Any], dict[str, Any]]:
        with contest.serving(name, None) as peer:
            return answered(peer.port)

    for one, other in zip(ours, await asyncio.to_thread(of_peer), strict=True):
        assert set(one) == set(other)
        one, other = ({**told, "receipt": None, "correct": None} for told in (one, other))  # by chance
        assert abs(len(json.dumps(one)) - len(json.dumps(other))) <= LENGTHS * len(json.dumps(one))
