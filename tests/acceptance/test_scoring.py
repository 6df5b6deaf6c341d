"""What duels are worth, what they ask, and what players say of it, with the official client."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server.rules.drawing import RISING
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Pair, Play
from tests.acceptance.player import Player, playing
from tests.acceptance.server import COMMAND, Server, serving

WEBSOCKET = ["websocket"]
WORTH = {
    "speed_bonus": lambda correct, level: (100, 150) if correct else (0, 0),
    "accuracy": lambda correct, level: (100, 100) if correct else (0, 0),
    "negative": lambda correct, level: (100, 100) if correct else (-34, -34),
    "difficulty": lambda correct, level: ({"easy": 100, "medium": 150, "hard": 200}[level],) * 2 if correct else (0, 0),
    "practice": lambda correct, level: (0, 0),
}
"""The least and the most that an answer has, by its question's level."""


async def started_duel(first: Player, second: Player, **wishes: Any) -> dict[str, Any]:
    """Create, join and start a duel, and return what both hear at its start."""
    created = await first.ask("create_pair_quiz", wishes)
    assert created["ok"], created
    session = {"session_id": created["session_id"]}
    assert (await second.ask("join_pair_quiz", session))["ok"]
    assert (await first.ask("start_quiz", session))["ok"]
    started = [await player.event("quiz_started") for player in (first, second)]
    assert started[0] == started[1]
    assert (created["scoring"], created["pace"]) == (started[0]["scoring"], started[0]["pace"])
    return dict(started[0])


async def played(started: dict[str, Any], *players: Player) -> list[list[dict[str, Any]]]:
    """Let each player answer everything, each always the same place, and return their acknowledgements."""
    answers: list[list[dict[str, Any]]] = []
    for option, player in enumerate(players):
        answers.append([])
        for question in started["questions"]:
            payload = {"session_id": started["session_id"], "question_id": question["id"], "answer": option}
            answer = await player.ask("submit_answer", payload)
            assert answer["ok"], answer
            answers[-1].append(answer)
    return answers


async def levels(database: Database, started: dict[str, Any]) -> dict[int, str]:
    ids = [question["id"] for question in started["questions"]]
    rows = await database.fetch("SELECT id, difficulty::text FROM pairquiz.questions WHERE id = ANY ($1)", ids)
    return {row["id"]: row["difficulty"] for row in rows}


async def agree_on_what_it_was_worth(
    started: dict[str, Any], first: Player, second: Player, level: dict[int, str] | None = None
) -> None:
    """Let both answer everything, and hold their points, sums, accuracies and outcomes against the profile."""
    profile, count = started["scoring"], len(started["questions"])
    answers = await played(started, first, second)
    for one in (one for own in answers for one in own):
        least, most = WORTH[profile](one["correct"], level[one["question_id"]] if level else "easy")
        assert least <= one["points"] <= most
        assert one["receipt"]["reason"].startswith("right: " if one["correct"] else "wrong: ")
        assert str(one["points"]) in one["receipt"]["reason"] or profile in ("speed_bonus", "practice")
    sums = [sum(one["points"] for one in own) for own in answers]
    right = [sum(one["correct"] for one in own) for own in answers]
    for seat, player in enumerate((first, second)):
        results = await player.event("quiz_results")
        assert (results["your_score"], results["opponent_score"]) == (sums[seat], sums[1 - seat])
        for key, whose in (("your_accuracy", seat), ("opponent_accuracy", 1 - seat)):
            assert results[key] == {"right": right[whose], "answered": count, "of": count}
        mine, theirs = sums[seat], sums[1 - seat]
        outcome = "draw" if mine == theirs else "won" if mine > theirs else "lost"
        assert results["outcome"] == ("none" if profile == "practice" else outcome)


@pytest.mark.parametrize("profile", WORTH)
async def test_a_duel_is_worth_what_was_agreed_on(play: Play, database: Database, profile: str) -> None:
    async with play(transports=WEBSOCKET) as first, play(transports=WEBSOCKET) as second:
        started = await started_duel(first, second, scoring=profile, question_count=12)
        assert started["scoring"] == profile
        if profile == "difficulty":
            level = await levels(database, started)
            assert {question["id"]: question["difficulty"] for question in started["questions"]} == level
        await agree_on_what_it_was_worth(started, first, second, await levels(database, started))


async def test_the_opponents_accuracy_is_told_when_the_duel_is_over(play: Play) -> None:
    async with play(transports=WEBSOCKET) as first, play(transports=WEBSOCKET) as second:
        started = await started_duel(first, second, scoring="practice", question_count=2)
        session = {"session_id": started["session_id"]}
        (answers,) = await played(started, first)
        right = sum(one["correct"] for one in answers)
        state = await second.ask("resume_pair_quiz", session)
        assert (state["scoring"], state["opponent"]["answered"], state["opponent"]["score"]) == ("practice", 2, 0)
        assert state["your_accuracy"] == {"right": 0, "answered": 0, "of": 2}
        assert "opponent_accuracy" not in state
        await second.ask("quiz_completed", session)
        state = await second.ask("resume_pair_quiz", session)
        assert state["opponent_accuracy"] == {"right": right, "answered": 2, "of": 2}
        assert state["results"]["opponent_accuracy"] == state["opponent_accuracy"]


@pytest.mark.parametrize("nodes", [1, 2])
async def test_a_series_of_duels_asks_nothing_twice_and_each_gets_harder(
    client_folder: Path,
    node: str,
    live_server: Server,
    database: Database,
    database_url: str,
    tmp_path: Path,
    nodes: int,
) -> None:
    urls = [live_server.url]
    async with serving(database_url, tmp_path / "other.log") as other:
        if nodes == 2:
            urls.append(other.url)
        else:
            await other.stop()
        async with (
            playing(client_folder, node, urls[0], transports=WEBSOCKET) as first,
            playing(client_folder, node, urls[-1], transports=WEBSOCKET) as second,
        ):
            asked: list[int] = []
            for number in range(8):
                created = await first.ask("create_pair_quiz", {"topic": "General"})
                session = {"session_id": created["session_id"]}
                await second.ask("join_pair_quiz", session)
                await first.ask("start_quiz", session)
                started = await first.event("quiz_started")
                # One of the two sees them all, and the other, at another node, nothing.
                plays, passes = (first, second) if number % 2 else (second, first)
                assert (await passes.ask("quiz_completed", session))["ok"]
                await played(started, plays)
                level = await levels(database, started)
                rise = [RISING[Difficulty(level[question["id"]])] for question in started["questions"]]
                assert rise == sorted(rise)
                asked += [question["id"] for question in started["questions"]]
            assert len(set(asked)) == len(asked) == 40


async def test_an_operator_reads_what_players_report(
    places: Pair, client_folder: Path, node: str, database_url: str
) -> None:
    here, there = places
    async with (
        playing(client_folder, node, here.url, transports=WEBSOCKET) as first,
        playing(client_folder, node, there.url, transports=WEBSOCKET) as second,
    ):
        started = await started_duel(first, second, scoring="negative", question_count=3)
        await agree_on_what_it_was_worth(started, first, second)
        question = started["questions"][0]
        report = {"session_id": started["session_id"], "question_id": question["id"]}
        assert (await first.ask("report_question", {**report, "reason": "outdated", "note": "Not since 2019"}))["ok"]
        assert (await second.ask("report_question", {**report, "reason": "wrong_answer"}))["ok"]
        assert (await second.ask("report_question", {**report, "reason": "wrong_answer"}))["duplicate"]
    listed = await reported(database_url, "--json")
    (found,) = json.loads(listed)
    assert (found["text"], found["reports"]) == (question["text"], 2)
    assert (found["reasons"], found["notes"]) == ({"outdated": 1, "wrong_answer": 1}, ["Not since 2019"])
    line, note = (await reported(database_url)).splitlines()
    assert line.split()[:2] == ["2", found["key"]]
    assert question["text"] in line
    assert note == "\tNot since 2019"


async def reported(database_url: str, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        COMMAND, "questions", "reported", *words,
        env={"DATABASE_URL": database_url}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return told.decode()
