"""Two strangers play against the real server, each with the official client."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Play
from tests.acceptance.player import Player
from tests.acceptance.server import Server

TRANSPORTS = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgrade": ["polling", "websocket"],
}


async def answer_all(player: Player, started: dict[str, Any], option: int) -> int:
    """Answer every question that is left, and return the score."""
    score = 0
    for question in started["questions"]:
        payload = {"session_id": started["session_id"], "question_id": question["id"], "answer": option}
        answer = await player.ask("submit_answer", payload)
        assert answer["ok"], answer
        score = answer["score"]
    return score


async def stored_scores(database: Database, session_id: str) -> list[Any]:
    (row,) = await database.fetch(
        "SELECT status, player1_score, player2_score FROM pairquiz.matches WHERE id = $1", UUID(session_id)
    )
    return list(row)


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS.keys())
async def test_two_strangers_play_until_results(play: Play, database: Database, transports: list[str]) -> None:
    async with play(transports=transports) as first, play(transports=transports) as second:
        welcomes = [await player.event("welcome") for player in (first, second)]
        assert welcomes[0]["user_id"] != welcomes[1]["user_id"]
        if len(transports) == 2:
            assert [await player.event("upgraded") for player in (first, second)] == ["websocket"] * 2
        created = await first.ask("create_pair_quiz", {"topic": "General", "question_count": 3})
        session = {"session_id": created["session_id"]}
        assert (await second.ask("join_pair_quiz", {"join_code": created["join_code"]}))["ok"]
        await first.event("opponent_joined")
        await first.emit("start_quiz", session)
        started = [await player.event("quiz_started") for player in (first, second)]
        assert started[0] == started[1]
        scores = [await answer_all(player, started[0], option) for option, player in enumerate((first, second))]
        results = [await player.event("quiz_results") for player in (first, second)]
        assert [one["your_score"] for one in results] == scores
        assert [one["opponent_score"] for one in results] == scores[::-1]
        assert await stored_scores(database, session["session_id"]) == ["completed", *scores]
        for player in (first, second):
            assert not {"error", "disconnect", "connect_error"} & set(player.names)


@pytest.mark.parametrize("version", ["socket.io-client-oldest", "socket.io-client"], ids=["4.0.0", "newest"])
async def test_the_older_frontend_plays_as_it_always_has(play: Play, database: Database, version: str) -> None:
    """It asks for no acknowledgement, and says on both sides that it is user 1."""
    frontend: dict[str, Any] = {
        "version": version,
        "transports": ["websocket", "polling"],
        "reconnection": True,
        "reconnectionAttempts": 5,
        "reconnectionDelay": 1000,
        "reconnectionDelayMax": 5000,
    }
    async with play(**frontend) as first, play(**frontend) as second:
        await first.emit("create_pair_quiz", {"user_id": 1, "topic": "General"})
        created = await first.event("quiz_created")
        assert (created["topic"], created["status"]) == ("General", "waiting_for_opponent")
        session_id = created["session_id"]
        assert created["join_url"] == f"/pair-quiz/{session_id}"

        await second.emit("join_pair_quiz", {"session_id": session_id, "user_id": 1})
        for player in (first, second):
            joined = await player.event("opponent_joined")
            assert (joined["session_id"], joined["status"]) == (session_id, "ready_to_start")

        await first.emit("start_quiz", {"session_id": session_id})
        started = [await player.event("quiz_started") for player in (first, second)]
        assert started[0] == started[1]
        assert (started[0]["session_id"], started[0]["time_limit"], len(started[0]["questions"])) == (session_id, 30, 5)

        for player in (first, second):
            for question in started[0]["questions"]:
                assert len(question["options"]) == 4
                payload = {"session_id": session_id, "question_id": question["id"], "answer": question["options"][0]}
                await player.emit("submit_answer", payload)
            await player.emit("quiz_completed", {"session_id": session_id, "score": 10**6})
        results = [await player.event("quiz_results") for player in (first, second)]
        scores = [one["your_score"] for one in results]
        assert await stored_scores(database, session_id) == ["completed", *scores]
        for player in (first, second):
            answers = [await player.event("answer_submitted") for _ in range(10)]
            assert sorted(answer["player"] for answer in answers) == ["opponent"] * 5 + ["you"] * 5
            assert not {"error", "disconnect", "quiz_results"} & set(player.names)


async def test_the_older_frontend_shows_what_went_wrong(play: Play) -> None:
    async with play(transports=["websocket", "polling"]) as client:
        await client.emit("join_pair_quiz", {"session_id": "not one", "user_id": 1})
        assert (await client.event("error"))["message"] == "Session not found"


@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["killed", "stopped"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_match_goes_on_in_a_new_server(
    play: Play, live_server: Server, database: Database, transport: str, end: Callable[[Server], Awaitable[None]]
) -> None:
    habits: dict[str, Any] = {"transports": [transport], "keeps_token": True, "reconnectionDelay": 50}
    async with play(**habits) as first, play(**habits) as second:
        players = (first, second)
        users = [(await player.event("welcome"))["user_id"] for player in players]
        created = await first.ask("create_pair_quiz", {"question_count": 3})
        session = {"session_id": created["session_id"]}
        await second.ask("join_pair_quiz", session)
        await second.ask("start_quiz", session)
        started = await first.event("quiz_started")
        questions = started["questions"]
        own = [await answer_all(player, {**started, "questions": questions[:2]}, 0) for player in players]

        await end(live_server)
        for player in players:
            await player.event("disconnect")
            told = "server_draining" in player.names
            assert told is (end is Server.stop)
        await live_server.start()

        for player, user, score in zip(players, users, own, strict=True):
            await player.event("connect")
            welcome = await player.event("welcome")
            assert welcome["user_id"] == user
            assert [one["session_id"] for one in welcome["sessions"]] == [session["session_id"]]
            state = await player.event("quiz_state")
            assert (state["session_id"], state["status"]) == (session["session_id"], "in_progress")
            assert state["deadline_at"] >= started["deadline_at"]  # later where nobody was up for more than two seconds
            assert state["questions"] == questions
            assert state["your_answers"].keys() == {str(question["id"]) for question in questions[:2]}
            assert (state["your_score"], state["opponent"]["answered"]) == (score, 2)

        scores = [await answer_all(player, {**started, "questions": questions[2:]}, 0) for player in players]
        results = [await player.event("quiz_results") for player in players]
        assert [one["your_score"] for one in results] == scores
        assert await stored_scores(database, session["session_id"]) == ["completed", *scores]
