"""Matches in rounds with the official client: on one server, on two, through a crash, and with somebody away."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Pair, Play
from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server
from tests.acceptance.test_duel import stored_scores

Players = tuple[Player, Player]


async def opened_match(players: Players, **wishes: Any) -> list[dict[str, Any]]:
    """Start a match in rounds, and return its first question as each of both has heard it."""
    first, second = players
    created = await first.ask("create_pair_quiz", {"pace": "rounds", **wishes})
    assert created["ok"], created
    assert (await second.ask("join_pair_quiz", {"join_code": created["join_code"]}))["ok"]
    await first.emit("start_quiz", {"session_id": created["session_id"]})
    for player in players:
        started = await player.event("quiz_started")
        assert (started["questions"], started["deadline_at"], started["pace"]) == ([], None, "rounds")
    return [await player.event("round_opened") for player in players]


async def answer(player: Player, opened: dict[str, Any], option: int) -> dict[str, Any]:
    reply = await player.ask(
        "submit_answer",
        {"session_id": opened["session_id"], "question_id": opened["question"]["id"], "answer": option},
    )
    assert reply["ok"], reply
    return reply


async def play_round(players: Players, opened: list[dict[str, Any]], index: int) -> list[dict[str, Any]]:
    """Answer a round, both, and return how each has heard that it is over."""
    assert opened[0] == opened[1]
    assert opened[0]["index"] == index
    replies = [await answer(player, opened[0], option) for option, player in enumerate(players)]
    closed = [await player.event("round_closed") for player in players]
    for seat, one in enumerate(closed):
        assert (one["index"], one["your_answer"], one["opponent_answer"]) == (index, seat, 1 - seat)
        assert one["your_score"] == replies[seat]["score"]
        assert one["correct_option"] == replies[seat]["correct_option"]
    return closed


async def play_to_the_end(players: Players, opened: list[dict[str, Any]], count: int, database: Database) -> None:
    """Play all rounds from the one that is open, and look at the results."""
    closed: list[dict[str, Any]] = []
    for index in range(opened[0]["index"], count):
        closed = await play_round(players, opened, index)
        if index < count - 1:
            opened = [await player.event("round_opened") for player in players]
            assert opened[0]["reveal_at"] >= closed[0]["next_at"] > 0
            assert opened[0]["version"] == closed[0]["version"] + 1
    results = [await player.event("quiz_results") for player in players]
    assert [one["your_score"] for one in results] == [one["your_score"] for one in closed]
    assert [one["opponent_score"] for one in results] == [one["your_score"] for one in closed[::-1]]
    assert len(results[0]["questions"]) == count
    scores = [one["your_score"] for one in results]
    assert await stored_scores(database, opened[0]["session_id"]) == ["completed", *scores]
    for player in players:
        assert not {"error", "round_opened", "round_closed", "quiz_results"} & set(player.names)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_two_strangers_play_rounds_until_results(play: Play, database: Database, transport: str) -> None:
    async with play(transports=[transport]) as first, play(transports=[transport]) as second:
        players = (first, second)
        await play_to_the_end(players, await opened_match(players, question_count=3), 3, database)


async def test_two_strangers_at_two_servers_play_rounds_until_results(
    nodes: Pair, client_folder: Path, node: str, database: Database
) -> None:
    async with AsyncExitStack() as clients:
        first, second = [
            await clients.enter_async_context(playing(client_folder, node, server.url, transports=["websocket"]))
            for server in nodes
        ]
        players = (first, second)
        await play_to_the_end(players, await opened_match(players, question_count=3), 3, database)


async def test_round_goes_on_in_a_new_server_after_a_crash(play: Play, live_server: Server, database: Database) -> None:
    habits: dict[str, Any] = {"transports": ["websocket"], "keeps_token": True, "reconnectionDelay": 50}
    async with play(**habits) as first, play(**habits) as second:
        players = (first, second)
        opened = await opened_match(players, question_count=2)
        session = {"session_id": opened[0]["session_id"]}
        reply = await answer(first, opened[0], 0)
        await live_server.kill()
        for player in players:
            await player.event("disconnect")
        await live_server.start()
        for player in players:
            await player.event("connect")
            state = await player.ask("resume_pair_quiz", session)
            assert state["questions"] == [opened[0]["question"]]
            assert state["round"]["index"] == 0
            # Later where nobody was up for more than two seconds.
            credited_ms = state["round"]["closes_at"] - opened[0]["closes_at"]
            assert state["round"]["reveal_at"] == opened[0]["reveal_at"] + credited_ms
            assert credited_ms == 0 or credited_ms > 2000
        again = await answer(first, opened[0], 0)
        assert (again["duplicate"], again["score"]) == (True, reply["score"])
        await answer(second, opened[0], 1)
        closed = [await player.event("round_closed") for player in players]
        assert [one["your_answer"] for one in closed] == [0, 1]
        opened = [await player.event("round_opened") for player in players]
        await play_to_the_end(players, opened, 2, database)


async def test_who_is_away_misses_a_round_and_not_the_match(play: Play, database: Database) -> None:
    async with AsyncExitStack() as clients:
        first = await clients.enter_async_context(play(transports=["websocket"]))
        async with play(transports=["websocket"]) as second:
            token = (await second.event("welcome"))["guest_token"]
            opened = await opened_match((first, second), question_count=2, time_limit=5)
        await first.event("opponent_disconnected")
        await answer(first, opened[0], 0)
        closed = await first.event("round_closed")
        assert (closed["your_answer"], closed["opponent_answer"], closed["opponent_points"]) == (0, None, 0)
        back = await clients.enter_async_context(play(transports=["websocket"], auth={"token": token}))
        state = await back.ask("resume_pair_quiz", {"session_id": opened[0]["session_id"]})
        assert state["status"] == "in_progress"
        assert [one["your_answer"] for one in state["closed_rounds"]] == [None]
        players = (first, back)
        again = [await player.event("round_opened") for player in players]
        await play_to_the_end(players, again, 2, database)
