"""Commands on their way: in which order they are answered."""

import gc
import io
import json
from typing import Any
from uuid import uuid4

import pytest

from pairquiz_server.protocol import frames, views
from pairquiz_server.rules.errors import Refused
from tests.client import Client, connected
from tests.conftest import Server
from tests.web.duel import answering, duel

pytestmark = pytest.mark.asyncio(loop_scope="session")

BEHIND = ["sync_clock", "resume_pair_quiz", "create_pair_quiz"]


@pytest.mark.parametrize("command", BEHIND)
async def test_a_command_behind_an_answer_is_answered_after_it(shared_server: Server, command: str) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=2)
        await send(players.first, 901, "submit_answer", answering(started))
        await send(players.first, 902, command, {})
        assert (await players.first.acknowledged(902))["ok"]
        assert players.first._acks[901]["ok"], "it was answered before"


async def test_answers_of_one_burst_are_taken_together_and_answered_in_their_order(shared_server: Server) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=5)
        for place in range(5):
            await send(players.first, 900 + place, "submit_answer", answering(started, place))
        versions = [(await players.first.acknowledged(900 + place))["version"] for place in range(5)]
        assert versions == [started["version"] + 1 + place for place in range(5)]


async def send(client: Client, number: int, command: str, payload: object) -> None:
    await client.send_frame(f"42{number}{json.dumps([command, payload])}")


async def test_what_was_refused_leaves_nothing_behind(shared_server: Server) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=2)
        stranger = {**answering(started), "question_id": 0}
        before = refusals_in_memory()
        for command in ("submit_answer", "quiz_completed", "join_pair_quiz", "start_quiz", "nothing_such"):
            for payload in ({}, {"session_id": 7}, None, stranger, {**stranger, "session_id": str(uuid4())}):
                await players.first.ask(command, payload)
        assert refusals_in_memory() == before


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("command", "payload", "where", "what"),
    [
        pytest.param("create_pair_quiz", {"request_id": "again"}, views, "quiz_created", id="when it is shown"),
        pytest.param("sync_clock", {}, frames, "acknowledgement", id="when it is sent"),
    ],
)
async def test_a_command_that_meets_a_fault_has_one_answer_and_stops_none_behind_it(
    shared_server: Server,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    payload: dict[str, Any],
    where: Any,
    what: str,
) -> None:
    async with connected(shared_server.url) as client:
        assert (await client.ask(command, payload))["ok"]
        with monkeypatch.context() as faulty:
            faulty.setattr(where, what, broken)
            assert (await client.ask(command, payload))["error"]["code"] == "internal"
        for _ in range(2):  # all but the first of them wait for those before
            assert (await client.ask(command, payload))["ok"]
        assert client._acks == {}, "it was answered twice"
    assert log.getvalue().count("command_failed") == 1
    log.seek(0)
    log.truncate()  # else the traceback would be a fault of the test


def refusals_in_memory() -> int:
    gc.collect()
    return sum(isinstance(one, Refused) for one in gc.get_objects())
