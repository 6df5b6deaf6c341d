"""Once more against the same opponent, each with the official client: on one server, and on two of which one dies."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Pair, Play, two_nodes
from tests.acceptance.player import Player, playing

WEBSOCKET = ["websocket"]
NEVER = "60000"
"""So long after it was made that a match starts in these stories only where somebody starts it."""


@pytest.fixture
async def pair(database_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two servers on which no match starts by itself."""
    async with two_nodes(database_url, tmp_path, PAIRQUIZ_GAME__START_DELAY_MS=NEVER) as servers:
        yield servers


async def joined(first: Player, second: Player) -> dict[str, Any]:
    """Let the second player join a match of the first one's."""
    created = await first.ask("create_pair_quiz", {"question_count": 2})
    session = {"session_id": created["session_id"]}
    assert (await second.ask("join_pair_quiz", session))["ok"]
    for player in (first, second):
        await player.event("opponent_joined")
    return session


async def play_out(winner: Player, loser: Player, session: dict[str, Any], *, starts: bool = True) -> tuple[Any, Any]:
    """Play a match that the loser gives up; return the series as each of them sees it in the results."""
    if starts:
        assert (await winner.ask("start_quiz", session))["ok"]
    started = await winner.event("quiz_started")
    await loser.event("quiz_started")
    question = {"session_id": started["session_id"], "question_id": started["questions"][0]["id"]}
    for player in (winner, loser):
        assert (await player.ask("submit_answer", {**question, "answer": 0}))["ok"]
    await loser.emit("leave_pair_quiz", session)
    results = [await player.event("quiz_results") for player in (winner, loser)]
    assert [one["outcome"] for one in results] == ["won", "lost"]
    return results[0]["series"], results[1]["series"]


async def rematch(asks: Player, agrees: Player, session: dict[str, Any]) -> dict[str, Any]:
    """Let both ask, one after the other; return the session of the new match."""
    assert (await asks.ask("request_rematch", session))["waiting"]
    assert (await agrees.event("rematch_requested"))["session_id"] == session["session_id"]
    made = await agrees.ask("request_rematch", session)
    heard = [await player.event("opponent_joined") for player in (asks, agrees)]
    assert {one["session_id"] for one in heard} == {made["next_session_id"]}
    assert {one["previous_session_id"] for one in heard} == {session["session_id"]}
    return {"session_id": made["next_session_id"]}


async def test_a_series_over_three_matches(play: Play) -> None:
    async with play(transports=WEBSOCKET) as first, play(transports=["polling"]) as second:
        session = await joined(first, second)
        assert await play_out(first, second, session) == ({"you": 1, "opponent": 0}, {"you": 0, "opponent": 1})
        session = await rematch(second, first, session)
        # Nobody starts it: it does so by itself.
        series = await play_out(second, first, session, starts=False)
        assert series == ({"you": 1, "opponent": 1}, {"you": 1, "opponent": 1})
        session = await rematch(first, second, session)
        series = await play_out(first, second, session)
        assert series == ({"you": 2, "opponent": 1}, {"you": 1, "opponent": 2})
        state = await second.ask("resume_pair_quiz", session)
        assert (state["series"], state["rematch"]["opponent"]) == ({"you": 1, "opponent": 2}, False)
        for player in (first, second):
            assert not {"error", "disconnect", "connect_error"} & set(player.names)


async def test_both_ask_at_the_same_instant_at_two_servers(client_folder: Path, node: str, pair: Pair) -> None:
    async with (
        playing(client_folder, node, pair[0].url, transports=WEBSOCKET) as first,
        playing(client_folder, node, pair[1].url, transports=WEBSOCKET) as second,
    ):
        session = await joined(first, second)
        await play_out(first, second, session)
        answers = await asyncio.gather(*(player.ask("request_rematch", session) for player in (first, second)))
        heard = [await player.event("opponent_joined") for player in (first, second)]
        (made,) = {one["session_id"] for one in heard}
        assert made in {answer.get("next_session_id") for answer in answers} <= {made, None}
        series = await play_out(second, first, {"session_id": made})
        assert series == ({"you": 1, "opponent": 1}, {"you": 1, "opponent": 1})


async def test_a_request_outlives_the_server_that_took_it(client_folder: Path, node: str, pair: Pair) -> None:
    """Who asked comes back to the server after its crash, and finds the request and then the match."""
    async with (
        playing(client_folder, node, pair[0].url, transports=WEBSOCKET, keeps_token=True) as first,
        playing(client_folder, node, pair[1].url, transports=WEBSOCKET) as second,
    ):
        session = await joined(first, second)
        await play_out(second, first, session)
        assert (await first.ask("request_rematch", session))["waiting"]
        await second.event("rematch_requested")
        await pair[0].kill()
        await first.event("disconnect")
        await pair[0].start()
        await first.event("connect")
        state = await first.ask("resume_pair_quiz", session)
        assert (state["rematch"]["you"], state["rematch"]["opponent"]) == (True, False)
        made = (await second.ask("request_rematch", session))["next_session_id"]
        for player in (first, second):
            assert (await player.event("opponent_joined"))["session_id"] == made
        series = await play_out(first, second, {"session_id": made})
        assert series == ({"you": 1, "opponent": 1}, {"you": 1, "opponent": 1})
