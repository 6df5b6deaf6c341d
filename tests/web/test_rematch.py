"""Rematches as players hear of them: by sockets and REST, at one server and at two."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import Duel, answering, duel, names, perform, with_and_without_ack
from tests.web.rest import Rest

SHARED = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def players(shared_server: Server) -> AsyncIterator[Duel]:
    async with duel(shared_server) as both:
        yield both


async def won(winner: Client, loser: Client, session_id: str) -> None:
    """Let a running match end, by the loser's leaving; both hear of it."""
    assert (await loser.ask("leave_pair_quiz", {"session_id": session_id}))["ok"]
    assert (await winner.event("quiz_results"))["outcome"] == "won"
    await loser.event("quiz_results")


async def over(players: Duel, **wishes: Any) -> dict[str, Any]:
    """A match that the first player has won, and of whose end all have heard: its session."""
    started = await players.start(**wishes)
    session = {"session_id": started["session_id"]}
    await won(players.first, players.second, started["session_id"])
    await players.settled()
    return session


async def refused(client: Client, payload: Any) -> str:
    answer = await client.ask("request_rematch", payload)
    assert not answer["ok"], answer
    code: str = answer["error"]["code"]
    return code


@SHARED
async def test_both_ask_and_all_connections_hear_of_the_new_match(players: Duel) -> None:
    session = await over(players, question_count=3, time_limit=20)
    asked = await players.first.ask("request_rematch", session)
    assert asked == {"ok": True, **session, "waiting": True}
    first, tab, second = await players.settled()
    assert (first, tab, names(second)) == ([], [], ["rematch_requested"])
    assert second[0][1] == {**session, "version": 4}

    answer = await players.second.ask("request_rematch", session)
    next_id = answer["next_session_id"]
    assert answer == {"ok": True, **session, "waiting": False, "next_session_id": next_id}
    heard = await players.settled()
    assert [names(one) for one in heard] == [["opponent_joined"]] * 3
    joined = [one[0][1] for one in heard]
    assert joined[0] == joined[1]
    for one, series in zip(joined[1:], ({"you": 1, "opponent": 0}, {"you": 0, "opponent": 1}), strict=True):
        assert (one["session_id"], one["previous_session_id"], one["series"]) == (next_id, *session.values(), series)
        assert (one["status"], one["version"], one["opponent"]["connected"]) == ("ready_to_start", 1, True)
    state = await players.tab.ask("resume_pair_quiz", {"session_id": next_id})
    assert (state["status"], state["question_count"], state["time_limit"]) == ("ready", 3, 20)
    assert (state["previous_session_id"], state["series"]) == (session["session_id"], {"you": 1, "opponent": 0})
    for client in (players.first, players.second):
        again = await client.ask("request_rematch", session)
        assert again == {**answer, "duplicate": True}


async def test_a_rematch_starts_by_itself(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__START_DELAY_MS="40")
    async with duel(server) as players:
        session = await over(players)
        for client in (players.first, players.second):
            await client.ask("request_rematch", session)
        joined = await players.tab.event("opponent_joined")
        started = await players.tab.event("quiz_started")
        assert started["session_id"] == joined["session_id"]
        assert started["started_at"] >= joined["starts_at"]


@SHARED
async def test_a_series_over_three_matches(players: Duel) -> None:
    session = await over(players)
    scores = []
    for winner, loser in ((players.first, players.second), (players.second, players.first), (None, None)):
        for client in (players.second, players.first):
            await client.ask("request_rematch", session)
        session = {"session_id": (await players.first.event("opponent_joined"))["session_id"]}
        await players.second.ask("start_quiz", session)
        await players.settled()
        if winner is None:
            for client in (players.first, players.second):
                await client.ask("quiz_completed", session)
        else:
            await loser.ask("leave_pair_quiz", session)
        results = [await client.event("quiz_results") for client in (players.first, players.second)]
        state = await players.first.ask("resume_pair_quiz", session)
        assert state["series"] == state["results"]["series"] == results[0]["series"]
        assert results[0]["series"] == dict(zip(("opponent", "you"), results[1]["series"].values(), strict=True))
        scores.append((results[0]["series"]["you"], results[0]["series"]["opponent"]))
    assert scores == [(2, 0), (2, 1), (2, 1)]  # the last one is a draw, and counts for neither


@SHARED
async def test_the_other_sees_the_request_after_a_reload(shared_server: Server, players: Duel) -> None:
    session = await over(players)
    state = await players.first.ask("resume_pair_quiz", session)
    expires_at = state["rematch"]["expires_at"]
    assert state["rematch"] == {"you": False, "opponent": False, "expires_at": expires_at}
    await players.second.ask("request_rematch", session)
    async with connected(shared_server.url, token=players.first.token) as reloaded, ClientSession() as http:
        assert reloaded.welcome["sessions"] == []
        state = await reloaded.ask("resume_pair_quiz", session)
        assert state["rematch"] == {"you": False, "opponent": True, "expires_at": expires_at}
        path = f"/api/pair-quiz/{session['session_id']}"
        _, state = await Rest(http, shared_server.url).call("GET", path, token=players.second.token)
        assert state["rematch"] == {"you": True, "opponent": False, "expires_at": expires_at}
        made = (await reloaded.ask("request_rematch", session))["next_session_id"]
        _, state = await Rest(http, shared_server.url).call("GET", path, token=players.second.token)
        assert state["rematch"] == {"you": True, "opponent": True, "expires_at": expires_at, "session_id": made}


@with_and_without_ack
@SHARED
async def test_a_repeat_tells_the_other_nothing(players: Duel, ack: bool) -> None:
    session = await over(players)
    for _ in range(2):
        await perform(players.first, "request_rematch", session, ack=ack)
    first, _, second = await players.settled()
    assert (first, names(second)) == ([], ["rematch_requested"])
    assert (await players.first.ask("request_rematch", session))["duplicate"]


@SHARED
async def test_bad_requests_have_one_answer_each(shared_server: Server, players: Duel) -> None:
    assert await refused(players.first, {}) == "invalid_payload"
    assert await refused(players.first, {"session_id": 7}) == "invalid_payload"
    assert await refused(players.first, {"session_id": "nonsense"}) == "not_found"
    assert await refused(players.first, {"session_id": str(uuid4())}) == "not_found"
    waiting = await players.first.ask("create_pair_quiz", {})
    assert await refused(players.first, {"session_id": waiting["session_id"]}) == "wrong_state"
    running = await players.start(question_count=1)
    assert await refused(players.first, {"session_id": running["session_id"]}) == "wrong_state"
    ready = await ready_match(players.first, players.second)
    await players.second.ask("leave_pair_quiz", {"session_id": ready})
    assert await refused(players.first, {"session_id": ready}) == "wrong_state"
    session = await over(players)
    async with connected(shared_server.url) as stranger:
        assert await refused(stranger, session) == "not_a_player"
    assert names((await players.settled())[2]).count("rematch_requested") == 0


@SHARED
async def test_two_of_whom_one_has_blocked_the_other_get_no_rematch(players: Duel) -> None:
    session = await over(players)
    assert (await players.first.ask("request_rematch", session))["waiting"]
    await players.second.ask("block_player", session)
    for client in (players.first, players.second):
        assert await refused(client, session) == "opponent_unavailable"
        assert "rematch" not in await client.ask("resume_pair_quiz", session)
    await players.second.ask("unblock_player", session)
    assert not (await players.second.ask("request_rematch", session))["waiting"]


async def test_a_request_comes_too_late(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__REMATCH_TTL_S="1")
    async with duel(server) as players:
        session = await over(players)
        state = await players.first.ask("resume_pair_quiz", session)
        await server.running.database.fetch(
            "UPDATE pairquiz.matches SET ended_at = ended_at - 2000 WHERE id = $1", session["session_id"]
        )
        assert "rematch" in state
        assert await refused(players.first, session) == "too_late"
        assert "rematch" not in await players.first.ask("resume_pair_quiz", session)


async def test_an_opponent_who_may_not_play_or_is_erased_takes_no_rematch(start_server: StartServer) -> None:
    server = await start_server()
    async with duel(server) as players, ClientSession() as http:
        session = await over(players)
        await players.second.ask("request_rematch", session)
        status, _ = await Rest(http, server.url).call("DELETE", "/api/me", token=players.second.token)
        assert status == 202
        assert await refused(players.first, session) == "opponent_unavailable"
        assert "rematch" not in await players.first.ask("resume_pair_quiz", session)


async def test_a_request_reaches_the_other_node_and_the_match_both(nodes: tuple[Server, Server]) -> None:
    async with (
        connected(nodes[0].url) as first,
        connected(nodes[1].url) as second,
        connected(nodes[0].url, token=second.token) as tab,
    ):
        started = await started_match(first, second)
        session = {"session_id": started["session_id"]}
        await won(second, first, started["session_id"])
        await first.ask("request_rematch", session)
        for client in (second, tab):
            assert (await client.event("rematch_requested"))["session_id"] == started["session_id"]
        made = await tab.ask("request_rematch", session)
        for client in (first, second, tab):
            joined = await client.event("opponent_joined")
            while joined["session_id"] == started["session_id"]:
                joined = await client.event("opponent_joined")  # of the first match, at the tab
            assert joined["session_id"] == made["next_session_id"]
        await first.ask("start_quiz", {"session_id": made["next_session_id"]})
        running = await second.event("quiz_started")
        given = await tab.ask("submit_answer", answering(running))
        assert (await first.event("answer_submitted"))["question_id"] == given["question_id"]


async def test_both_ask_at_the_same_instant_at_two_nodes(nodes: tuple[Server, Server]) -> None:
    async with connected(nodes[0].url) as first, connected(nodes[1].url) as second:
        started = await started_match(first, second)
        session = {"session_id": started["session_id"]}
        await won(second, first, started["session_id"])
        for client in (first, second):
            await client.emit("request_rematch", session)
        joined = [(await client.event("opponent_joined")) for client in (first, second)]
        assert joined[0]["session_id"] == joined[1]["session_id"]
        assert {one["previous_session_id"] for one in joined} == {started["session_id"]}
