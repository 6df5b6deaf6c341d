"""Challenge links as players meet them: made of an own run, beaten by somebody else, taken back, not to be guessed."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from pairquiz_server.store.erasures import Erasures
from tests.client import Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import answering
from tests.web.rest import Rest

AT_ONCE = {"PAIRQUIZ_GAME__START_DELAY_MS": "0"}
CHALLENGES, ACCEPT = "/api/challenges", "/api/challenges/accept"


@pytest.fixture
async def quick_server(start_server: StartServer) -> Server:
    """A server whose pairs begin at once."""
    return await start_server(**AT_ONCE)


@pytest.fixture
async def ada(quick_server: Server) -> AsyncIterator[Client]:
    async with connected(quick_server.url) as client:
        yield client


@pytest.fixture
async def ben(quick_server: Server) -> AsyncIterator[Client]:
    async with connected(quick_server.url) as client:
        yield client


@pytest.fixture
async def eve(quick_server: Server) -> AsyncIterator[Client]:
    async with connected(quick_server.url) as client:
        yield client


async def played(first: Client, second: Client) -> dict[str, Any]:
    """A match of three questions, of which the first player has answered two, and the second none."""
    await first.ask("set_profile", {"display_name": "Ada"})
    started = await started_match(first, second, question_count=3)
    for place in range(2):
        assert (await first.ask("submit_answer", answering(started, place, place)))["ok"]
    await first.ask("quiz_completed", {"session_id": started["session_id"]})
    await second.ask("quiz_completed", {"session_id": started["session_id"]})
    return await first.event("quiz_results")


async def challenged(first: Client, second: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of such a match, and the challenge that the first player has made of it."""
    results = await played(first, second)
    challenge = await first.ask("create_challenge", {"session_id": results["session_id"]})
    assert challenge["ok"], challenge
    return results, challenge


def error(answer: dict[str, Any]) -> str:
    return str(answer["error"]["code"])


async def test_player_beats_a_challenge(ada: Client, ben: Client, eve: Client) -> None:
    results, challenge = await challenged(ada, ben)
    code = challenge["challenge_code"]
    assert challenge["challenge_url"] == f"/pair-quiz/challenge/{code}"
    assert (challenge["score"], challenge["topic"]) == (results["your_score"], "General")
    assert challenge["expires_at"] > 0
    await ada.settled()

    joined = await eve.ask("accept_challenge", {"challenge_code": f"{code[:4]}-{code[4:].lower()}"})
    assert (joined["status"], joined["ghost"]) == ("ready_to_start", True)
    assert joined["opponent"] == {"display_name": "Ada", "connected": True, "kind": "ghost"}
    started = await eve.event("quiz_started")
    assert [question["id"] for question in started["questions"]] == [one["id"] for one in results["questions"]]
    for place, question in enumerate(results["questions"]):
        await eve.ask("submit_answer", answering(started, place, question["correct_option"]))
    over = await eve.event("quiz_results")
    assert (over["opponent_score"], over["outcome"]) == (results["your_score"], "won")
    assert over["opponent"] == {"display_name": "Ada", "kind": "ghost"}
    assert [one["opponent_answer"] for one in over["questions"]] == [0, 1, None]
    heard = await eve.settled()
    of_match = [payload for _, payload in heard if payload.get("session_id") == joined["session_id"]]
    assert all(payload["ghost"] is True for payload in (*of_match, over, started))
    assert "answer_submitted" in {name for name, _ in heard}
    state = await eve.ask("resume_pair_quiz", {"session_id": joined["session_id"]})
    assert (state["opponent"]["kind"], state["opponent"]["connected"], state["ghost"]) == ("ghost", True, True)
    assert await ada.settled() == [], "who was recorded hears nothing of it"


async def test_repeat_of_an_acceptance_finds_the_same_match(ada: Client, ben: Client, eve: Client) -> None:
    _, challenge = await challenged(ada, ben)
    code = {"challenge_code": challenge["challenge_code"]}
    first = await eve.ask("accept_challenge", code)
    again = await eve.ask("accept_challenge", code)
    assert (again["session_id"], again["duplicate"]) == (first["session_id"], True)
    other = await ben.ask("accept_challenge", code)
    assert other["ok"]
    assert other["session_id"] != first["session_id"]


async def test_run_has_one_challenge(ada: Client, ben: Client) -> None:
    results, challenge = await challenged(ada, ben)
    again = await ada.ask("create_challenge", {"session_id": results["session_id"]})
    assert again == challenge | {"duplicate": True}
    assert len(challenge["challenge_code"]) == 12


async def test_what_is_no_own_run_cannot_be_challenged(ada: Client, ben: Client, eve: Client) -> None:
    results = await played(ada, ben)
    session = {"session_id": results["session_id"]}
    assert error(await ben.ask("create_challenge", session)) == "wrong_state", "has answered nothing"
    assert error(await eve.ask("create_challenge", session)) == "not_a_player"
    assert error(await eve.ask("create_challenge", {"session_id": str(uuid4())})) == "not_found"
    assert error(await eve.ask("create_challenge", {"session_id": "nonsense"})) == "not_found"
    assert error(await eve.ask("create_challenge", {})) == "invalid_payload"
    running = await started_match(ada, ben)
    await ada.ask("submit_answer", answering(running))
    session = {"session_id": running["session_id"]}
    assert error(await ada.ask("create_challenge", session)) == "wrong_state", "is not over"
    await ben.ask("leave_pair_quiz", session)
    assert error(await ada.ask("create_challenge", session)) == "wrong_state", "was cut short"


async def test_nobody_accepts_an_own_challenge_or_one_that_there_is_not(ada: Client, ben: Client) -> None:
    _, challenge = await challenged(ada, ben)
    assert error(await ada.ask("accept_challenge", {"challenge_code": challenge["challenge_code"]})) == "own_match"
    refused = (await ben.ask("accept_challenge", {"challenge_code": "0" * 12}))["error"]
    assert (refused["code"], refused["message"]) == ("not_found", "Challenge not found")
    for payload in ({}, {"challenge_code": 7}, {"challenge_code": ""}, {"challenge_code": "x" * 65}):
        assert error(await ben.ask("accept_challenge", payload)) == "invalid_payload"


async def test_who_refuses_to_be_recorded_has_no_challenges(ada: Client, ben: Client, eve: Client) -> None:
    results, challenge = await challenged(ada, ben)
    code = {"challenge_code": challenge["challenge_code"]}
    refused = await ada.ask("set_profile", {"record_runs": False})
    assert (refused["record_runs"], refused["display_name"]) == (False, "Ada")
    assert error(await eve.ask("accept_challenge", code)) == "not_found"
    assert error(await ada.ask("create_challenge", {"session_id": results["session_id"]})) == "forbidden"
    assert (await ada.ask("set_profile", {}))["record_runs"] is False

    await ada.ask("set_profile", {"record_runs": True})
    assert error(await eve.ask("accept_challenge", code)) == "not_found", "it was taken back"
    anew = await ada.ask("create_challenge", {"session_id": results["session_id"]})
    assert (await eve.ask("accept_challenge", {"challenge_code": anew["challenge_code"]}))["ok"]


async def test_what_was_played_while_it_was_refused_is_never_challenged(ada: Client, ben: Client) -> None:
    assert (await ada.ask("set_profile", {"record_runs": False}))["ok"]
    session = {"session_id": (await played(ada, ben))["session_id"]}
    assert error(await ada.ask("create_challenge", session)) == "forbidden"
    assert (await ada.ask("set_profile", {"record_runs": True}))["record_runs"] is True
    assert error(await ada.ask("create_challenge", session)) == "forbidden"
    session = {"session_id": (await played(ada, ben))["session_id"]}
    assert (await ada.ask("create_challenge", session))["ok"]


async def test_ghost_of_a_player_who_is_erased_meanwhile_plays_on(
    quick_server: Server, ada: Client, ben: Client, eve: Client
) -> None:
    results, challenge = await challenged(ada, ben)
    joined = await eve.ask("accept_challenge", {"challenge_code": challenge["challenge_code"]})
    started = await eve.event("quiz_started")
    async with ClientSession() as session:
        status, _ = await Rest(session, quick_server.url).call("DELETE", "/api/me", token=ada.token)
    assert status == 202
    assert error(await ben.ask("accept_challenge", {"challenge_code": challenge["challenge_code"]})) == "not_found"
    erasures = Erasures(quick_server.running.database)
    await erasures.stand_in()
    while await erasures.vacate(ada.user_id):
        pass
    for place in range(3):
        await eve.ask("submit_answer", answering(started, place, 0))
    over = await eve.event("quiz_results")
    assert over["opponent_score"] == results["your_score"]
    state = await eve.ask("resume_pair_quiz", {"session_id": joined["session_id"]})
    assert state["opponent"]["display_name"] == state["results"]["opponent"]["display_name"] == "Erased player"
    assert state["results"]["opponent"]["kind"] == "ghost"


async def test_challenges_are_made_and_accepted_by_rest(
    quick_server: Server, ada: Client, ben: Client, eve: Client
) -> None:
    results = await played(ada, ben)
    async with ClientSession() as session:
        rest = Rest(session, quick_server.url)
        body: dict[str, Any] = {"session_id": results["session_id"]}
        status, challenge = await rest.call("POST", CHALLENGES, token=ada.token, body=body)
        assert (status, challenge["score"]) == (201, results["your_score"])
        code = {"challenge_code": challenge["challenge_code"]}
        status, joined = await rest.call("POST", ACCEPT, token=eve.token, body=code)
        assert (status, joined["opponent"]["kind"]) == (200, "ghost")
        assert (await eve.event("opponent_joined"))["session_id"] == joined["session_id"]
        await rest.refused(409, "own_match", "POST", ACCEPT, token=ada.token, body=code)
        await rest.refused(404, "not_found", "POST", ACCEPT, token=eve.token, body={"challenge_code": "0"})
        status, profile = await rest.call("PATCH", "/api/me", token=ada.token, body={"record_runs": False})
        assert (status, profile["record_runs"]) == (200, False)


async def test_server_that_records_nobody_takes_no_challenges(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__RECORD_RUNS="false", **AT_ONCE)
    async with connected(server.url) as ada, connected(server.url) as ben:
        session = {"session_id": (await played(ada, ben))["session_id"]}
        assert error(await ada.ask("create_challenge", session)) == "forbidden"
        later = await start_server(**AT_ONCE)  # of an operator who has thought better of it
        async with connected(later.url, token=ada.token) as back:
            assert error(await back.ask("create_challenge", session)) == "forbidden"


async def test_challenge_holds_for_ever_where_that_is_wished(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__CHALLENGE_DAYS="0", **AT_ONCE)
    async with connected(server.url) as ada, connected(server.url) as ben:
        _, challenge = await challenged(ada, ben)
        assert "expires_at" not in challenge


async def test_codes_of_challenges_cannot_be_tried(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__FAILED_JOINS_PER_MINUTE="5", **AT_ONCE)
    async with connected(server.url) as ada, connected(server.url) as ben:
        _, challenge = await challenged(ada, ben)
        right, wrong = {"challenge_code": challenge["challenge_code"]}, {"challenge_code": "0" * 12}
        for _ in range(6):
            assert (await ben.ask("accept_challenge", right))["ok"], "a hit costs nothing"
        found = [error(await ben.ask("accept_challenge", wrong)) for _ in range(6)]
        assert found == ["not_found"] * 5 + ["rate_limited"]
        assert error(await ben.ask("accept_challenge", right)) == "rate_limited", "not even by chance"
        assert error(await ben.ask("join_pair_quiz", {"join_code": "00000000"})) == "rate_limited", "nor by a join"


async def test_acceptance_is_a_creation(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__LIVE_MATCHES_PER_USER="1")
    async with connected(server.url) as ada, connected(server.url) as ben, connected(server.url) as eve:
        _, challenge = await challenged(ada, ben)
        assert (await eve.ask("create_pair_quiz"))["ok"]
        refused = await eve.ask("accept_challenge", {"challenge_code": challenge["challenge_code"]})
        assert error(refused) == "too_many_sessions"


async def test_challenge_is_beaten_in_rounds(
    start_server: StartServer,
) -> None:
    server = await start_server(PAIRQUIZ_GAME__ROUND_PAUSE_MS="0", **AT_ONCE)
    async with connected(server.url) as ada, connected(server.url) as ben, connected(server.url) as eve:
        started = await started_match(ada, ben, question_count=2, pace="rounds")
        session = {"session_id": started["session_id"]}
        (question,) = started["questions"]
        for place in range(2):
            if place:
                question = (await ada.event("round_opened"))["question"]
            for player in (ada, ben):
                assert (await player.ask("submit_answer", session | {"question_id": question["id"], "answer": 0}))["ok"]
        results = await ada.event("quiz_results")
        challenge = await ada.ask("create_challenge", session)
        joined = await eve.ask("accept_challenge", {"challenge_code": challenge["challenge_code"]})
        session = {"session_id": joined["session_id"]}
        for question in results["questions"]:
            asked = await eve.event("round_opened")
            assert (asked["question"]["id"], asked["ghost"]) == (question["id"], True)
            answer = {"question_id": question["id"], "answer": question["correct_option"]}
            await eve.ask("submit_answer", session | answer)
            assert (await eve.event("round_closed"))["ghost"] is True
        over = await eve.event("quiz_results")
        assert (over["opponent"]["kind"], over["opponent_score"]) == ("ghost", results["your_score"])
        assert over["your_score"] >= 200


async def test_who_finds_nobody_meets_a_ghost_which_takes_no_rematch_and_no_block(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__GHOST_WAIT_S="0", **AT_ONCE)
    async with connected(server.url) as ada, connected(server.url) as ben, connected(server.url) as eve:
        results = await played(ada, ben)
        assert (await eve.ask("find_opponent", {"question_count": 3, "accept_ghost": True}))["ok"]
        found = await eve.event("opponent_found")
        assert (found["opponent"], found["ghost"]) == ({"display_name": "Ada", "rating": 1500, "kind": "ghost"}, True)
        started = await eve.event("quiz_started")
        for place, question in enumerate(results["questions"]):
            await eve.ask("submit_answer", answering(started, place, question["correct_option"]))
        over = await eve.event("quiz_results")
        assert (over["opponent_score"], over["outcome"]) == (results["your_score"], "won")
        session = {"session_id": found["session_id"]}
        for command in ("request_rematch", "block_player"):
            assert error(await eve.ask(command, session)) == "wrong_state"
        assert (await eve.event("rating_changed"))["ghost"] is True
