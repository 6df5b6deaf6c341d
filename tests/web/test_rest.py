"""The matches over REST: every status, and what players hear of it."""

import json

import pytest

from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server
from tests.web.rest import CREATE, JOIN, SLASH, Rest

UNKNOWN_SESSION = "00000000-0000-4000-8000-000000000000"

pytestmark = pytest.mark.asyncio(loop_scope="session")


@SLASH
async def test_a_creator_by_rest_is_heard_by_its_own_sockets(rest: Rest, player: Client, slash: str) -> None:
    status, created = await rest.call("POST", CREATE + slash, token=player.token, body={"topic": "general"})
    assert (status, created) == (201, await player.event("quiz_created"))
    assert created["topic"] == "General"


async def test_a_creator_by_rest_needs_no_body(rest: Rest, player: Client) -> None:
    for body in (None, b"", b"null", b"{}", b" null "):
        status, created = await rest.call("POST", CREATE, token=player.token, body=body)
        assert (status, created["topic"]) == (201, "General")


@SLASH
@pytest.mark.parametrize("by", ["session_id", "join_code"])
async def test_a_joiner_by_rest_is_heard_by_the_creator(
    rest: Rest, player: Client, other: Client, slash: str, by: str
) -> None:
    created = await player.ask("create_pair_quiz")
    status, joined = await rest.call("POST", JOIN + slash, token=other.token, body={by: created[by]})
    assert status == 200
    assert (joined["session_id"], joined["status"]) == (created["session_id"], "ready_to_start")
    assert joined == await other.event("opponent_joined")
    assert (await player.event("opponent_joined"))["session_id"] == created["session_id"]
    status, again = await rest.call("POST", JOIN + slash, token=other.token, body={by: created[by]})
    assert (status, again) == (200, {**joined, "duplicate": True})
    assert await player.settled() == [("quiz_created", {k: v for k, v in created.items() if k != "ok"})]


@SLASH
async def test_a_player_reads_the_match_as_it_may_see_it(rest: Rest, player: Client, other: Client, slash: str) -> None:
    started = await started_match(player, other)
    question = started["questions"][0]["id"]
    own = await player.ask("submit_answer", {"session_id": started["session_id"], "question_id": question, "answer": 3})
    path = f"/api/pair-quiz/{started['session_id']}{slash}"
    status, mine = await rest.call("GET", path, token=player.token)
    assert status == 200
    by_socket = await player.ask("resume_pair_quiz", {"session_id": started["session_id"]})
    clocks = ("ok", "server_time", "remaining_ms")
    assert {k: v for k, v in mine.items() if k not in clocks} == {k: v for k, v in by_socket.items() if k not in clocks}
    status, theirs = await rest.call("GET", path, token=other.token)
    assert (theirs["your_answers"], theirs["opponent"]["answered"]) == ({}, 1)
    assert mine["your_answers"][str(question)]["correct"] is own["correct"]
    assert "correct_option" not in json.dumps([mine, theirs])


async def test_a_stranger_may_not_read_a_match(
    rest: Rest, player: Client, other: Client, shared_server: Server
) -> None:
    session_id = await ready_match(player, other)
    path = f"/api/pair-quiz/{session_id}"
    async with connected(shared_server.url) as stranger:
        await rest.refused(403, "not_a_player", "GET", path, token=stranger.token)
    await rest.refused(401, "unauthorized", "GET", path)
    await rest.refused(401, "unauthorized", "GET", path, token="x")


@pytest.mark.parametrize("name", [UNKNOWN_SESSION, "x", "%00", "%0A", "x" * 4000, "%ff", "é", "a%2Fb"])
async def test_a_match_that_is_not_there_is_not_found(rest: Rest, player: Client, name: str) -> None:
    await rest.refused(404, "not_found", "GET", f"/api/pair-quiz/{name}", token=player.token)


async def test_every_refusal_of_a_join_has_its_status(
    rest: Rest, player: Client, other: Client, shared_server: Server
) -> None:
    created = await player.ask("create_pair_quiz")
    session = {"session_id": created["session_id"]}
    await rest.refused(409, "own_match", "POST", JOIN, token=player.token, body=session)
    await other.ask("join_pair_quiz", session)
    async with connected(shared_server.url) as third:
        error = await rest.refused(409, "session_full", "POST", JOIN, token=third.token, body=session)
        assert error["message"] == "Session is full"
        error = await rest.refused(404, "not_found", "POST", JOIN, token=third.token, body={"session_id": "x"})
        assert error["message"] == "Session not found"
        await rest.refused(400, "invalid_payload", "POST", JOIN, token=third.token)
        await rest.refused(401, "unauthorized", "POST", JOIN, body=session)


async def test_a_topic_with_too_few_questions_is_refused(rest: Rest, player: Client) -> None:
    body = {"topic": "No such topic"}
    error = await rest.refused(409, "not_enough_questions", "POST", CREATE, token=player.token, body=body)
    assert error["available"] == 0
