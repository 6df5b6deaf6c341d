"""The bots of examples/ play a duel with each other, and with who gives them a code."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import EXAMPLES, Play
from tests.acceptance.server import Server
from tests.acceptance.test_duel import answer_all

PATIENCE_S = 60
OVER = re.compile(r"(won|lost|draw): (\d+) to (\d+) against (.+)")
BOTS = ["node", "python"]


@pytest.fixture
def bots(examples_folder: Path, node: str) -> dict[str, list[str]]:
    """How each bot is started."""
    return {"node": [node, str(examples_folder / "bot.mjs")], "python": [sys.executable, str(EXAMPLES / "bot.py")]}


async def start(command: list[str], *arguments: str) -> Process:
    environ = {**os.environ, "THINKING_MS": "0", "PYTHONUNBUFFERED": "1"}
    return await asyncio.create_subprocess_exec(*command, *arguments, env=environ, stdout=PIPE, stderr=PIPE)


async def over(*bots: Process) -> list[list[str]]:
    """Wait until bots have gone by themselves, and return how it went for each: outcome, own score, the other's."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = [await bot.communicate() for bot in bots]
    finally:
        for bot in bots:
            with suppress(ProcessLookupError):
                bot.kill()
    endings = []
    for bot, (out, errors) in zip(bots, said, strict=True):
        assert bot.returncode == 0, errors.decode()
        assert not errors, errors.decode()
        found = OVER.fullmatch(out.decode().splitlines()[-1])
        assert found, out.decode()
        endings.append(list(found.groups()[:3]))
    return endings


async def test_two_bots_find_each_other_and_play(live_server: Server, bots: dict[str, list[str]]) -> None:
    first, second = await over(*[await start(bots[kind], live_server.url) for kind in BOTS])
    assert first[1:] == second[:0:-1]


@pytest.mark.parametrize("kind", BOTS)
@pytest.mark.parametrize("pace", ["free", "rounds"])
async def test_a_bot_joins_by_a_code(
    live_server: Server, play: Play, bots: dict[str, list[str]], kind: str, pace: str
) -> None:
    async with play(transports=["websocket"]) as person:
        created = await person.ask("create_pair_quiz", {"question_count": 3, "pace": pace})
        bot = await start(bots[kind], live_server.url, created["join_code"])
        await person.event("opponent_joined")
        await person.emit("start_quiz", {"session_id": created["session_id"]})
        started = await person.event("quiz_started")
        questions: list[Any] = started["questions"] or [(await person.event("round_opened"))["question"]]
        while questions:
            await answer_all(person, {**started, "questions": questions}, 0)
            closed = await person.event("round_closed") if pace == "rounds" else None
            questions = [(await person.event("round_opened"))["question"]] if closed and closed["next_at"] else []
        results = await person.event("quiz_results")
        ((_, score, other),) = await over(bot)
        assert (int(score), int(other)) == (results["opponent_score"], results["your_score"])


async def test_a_bot_says_in_one_line_why_it_cannot_play(live_server: Server, bots: dict[str, list[str]]) -> None:
    for kind in BOTS:
        bot = await start(bots[kind], live_server.url, "00000000")
        out, errors = await asyncio.wait_for(bot.communicate(), PATIENCE_S)
        assert (bot.returncode, out.decode(), errors.decode()) == (1, "", "Session not found\n")


def test_the_page_is_as_short_as_we_say() -> None:
    assert len((EXAMPLES / "page.html").read_text().splitlines()) <= 60
