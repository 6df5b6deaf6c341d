"""What an answer tells the opponent: that it was given, and what it has brought; never what it was.

The same match is played four times, once with each option. All that the opponent can see is held side by side.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession
from msgspec import Struct

from pairquiz_server.rules.question import Question
from pairquiz_server.store.questions import Questions
from tests.client import Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.delays import Delaying, delaying, late
from tests.web.test_exposition import sample

RIGHT = "right"
OPTIONS = (RIGHT, "a wrong one", "another wrong one, and a longer one", "w")
"""Of different lengths, so that a length would tell."""
TEXTS = ("A question that takes its time to be read, and longer than anybody has in this test?" * 5, "And then?")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMES = re.compile(r'"(started_at|deadline_at|remaining_ms|server_time)":\d+')
SCORE = re.compile(r'"score":\d+')


class Seen(Struct, frozen=True):
    """What an opponent could see: frames as they came, and answers to all that could be asked meanwhile."""

    frames: list[str]
    asked: list[str]

    def without_score(self) -> "Seen":
        return Seen(*([SCORE.sub("", text) for text in texts] for texts in (self.frames, self.asked)))


@pytest.fixture
async def secret_server(start_server: StartServer) -> Server:
    server = await start_server(PAIRQUIZ_GAME__SPEED_BONUS="0")
    await Questions(server.running.database).add(
        [Question(topic="Secrets", text=text, options=OPTIONS, correct=0) for text in TEXTS]
    )
    return server


@asynccontextmanager
async def two(server: Server) -> AsyncIterator[tuple[Client, Delaying]]:
    """A player who answers, and an opponent who watches."""
    async with connected(server.url) as player, delaying(server, late(0)) as watcher:
        yield player, watcher


async def begun(player: Client, watcher: Client) -> tuple[dict[str, str], list[int]]:
    """Begin a match; return what names it, and the ids of the two questions."""
    started = await started_match(player, watcher, topic="Secrets", question_count=len(TEXTS))
    ids = {question["text"]: question["id"] for question in started["questions"]}
    await watcher.settled()
    return {"session_id": started["session_id"]}, [ids[text] for text in TEXTS]


async def watched(server: Server, player: Client, watcher: Delaying, option: str) -> Seen:
    """Answer the long question with this option, look at everything, and then answer the other one."""
    session, (first, second) = await begun(player, watcher)
    before = len(watcher.socket.frames)
    assert (await player.ask("submit_answer", {**session, "question_id": first, "answer": option}))["ok"]
    await watcher.event("answer_submitted")
    asked = [
        await watcher.ask("resume_pair_quiz", session),
        await watcher.ask("start_quiz", session),
        await watcher.ask("submit_answer", {**session, "question_id": first, "answer": "none of these"}),
        await watcher.ask("submit_answer", {**session, "question_id": 0, "answer": RIGHT}),
    ]
    path = f"/api/pair-quiz/{session['session_id']}/"
    headers = {"Authorization": f"Bearer {watcher.token}"}
    async with ClientSession() as http, http.get(server.url + path, headers=headers) as response:
        asked.append(await response.json())
    assert (await player.ask("submit_answer", {**session, "question_id": second, "answer": RIGHT}))["ok"]
    await watcher.event("opponent_completed")
    frames = [UUID.sub("id", frame) for frame in watcher.socket.frames[before:] if frame.startswith("42")]
    await watcher.ask("quiz_completed", session)
    return Seen(frames, [comparable(answer) for answer in asked])


def comparable(answer: dict[str, Any]) -> str:
    """An answer as a text that is the same in each match: orders are by chance, and times pass."""
    questions = [
        {**question, "options": sorted(question["options"])}
        for question in sorted(answer.get("questions", []), key=lambda question: int(question["id"]))
    ]
    text = json.dumps({**answer, "questions": questions}, sort_keys=True, separators=(",", ":"))
    return TIMES.sub("", UUID.sub("id", text))


async def test_opponent_sees_the_same_whichever_option_it_was(secret_server: Server) -> None:
    async with two(secret_server) as (player, watcher):
        right, *wrong = [await watched(secret_server, player, watcher, option) for option in OPTIONS]
    assert [re.findall(r'^42\["(\w+)', frame)[0] for frame in right.frames] == [
        "answer_submitted",
        "answer_submitted",
        "opponent_completed",
    ]
    assert wrong[0] == wrong[1] == wrong[2], "to the byte"
    assert right.without_score() == wrong[0].without_score(), "and a right one but for the score, which is public"
    assert right != wrong[0]
    for text in (*right.frames, *right.asked):
        assert not {"correct_option", "opponent_answer", "your_points", "receipt"} & set(re.findall(r"\w+", text))


async def test_an_answer_that_nobody_can_have_read_is_noted_and_not_told(secret_server: Server) -> None:
    async with two(secret_server) as (player, watcher):
        session, ids = await begun(player, watcher)
        told = [await player.ask("submit_answer", {**session, "question_id": one, "answer": RIGHT}) for one in ids]
        assert [reply["points"] for reply in told] == [100, 100]
        await watcher.ask("quiz_completed", session)
        told += [await client.event("quiz_results") for client in (player, watcher)]
        assert "fast" not in json.dumps(told) + "".join(watcher.socket.frames)
    rows = await secret_server.running.database.fetch("SELECT player, too_fast FROM pairquiz.answers")
    assert [tuple(row) for row in rows] == [(1, True), (1, True)]
    assert await sample(secret_server.url, "pairquiz_answers_too_fast_total") == 2
    assert await sample(secret_server.url, "pairquiz_lag_credit_seconds_count") == 2
