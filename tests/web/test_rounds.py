"""A match in rounds as its players hear it: every connection hears each change once, and nothing before its time."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.rules.question import Question
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from tests.client import Client, ready_match
from tests.conftest import Server, StartServer
from tests.web.delays import Delaying, delaying, late
from tests.web.duel import Duel, Heard, duel, names, perform, with_and_without_ack
from tests.web.test_outages import HOUR, age

TOPIC = "Rounds"
ROUNDS = 3
TEXTS = [f"The unheard-of question number {number}?" for number in range(ROUNDS)]
OPTIONS = ("right", "wrong", "false", "never")


@pytest.fixture
async def brisk(start_server: StartServer) -> Server:
    """A server that makes nearly no pause between rounds."""
    server = await start_server(PAIRQUIZ_GAME__ROUND_PAUSE_MS="20", PAIRQUIZ_GAME__SPEED_BONUS="0")
    await Questions(server.running.database).add(
        [Question(topic=TOPIC, text=text, options=OPTIONS, correct=0, explanation=f"Because {text}") for text in TEXTS]
    )
    return server


@pytest.fixture
async def played(brisk: Server) -> AsyncIterator[Duel]:
    async with duel(brisk) as players:
        yield players


async def started(first: Client, second: Client, **wishes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Start a match in rounds; return its `quiz_started` and first `round_opened`, which both have heard of."""
    session_id = await ready_match(first, second, topic=TOPIC, question_count=ROUNDS, pace="rounds", **wishes)
    await first.ask("start_quiz", {"session_id": session_id})
    heard = [(await client.event("quiz_started"), await client.event("round_opened")) for client in (first, second)]
    assert heard[0] == heard[1]
    return heard[0]


def answering(opened: dict[str, Any], answer: Any = "right") -> dict[str, Any]:
    return {"session_id": opened["session_id"], "question_id": opened["question"]["id"], "answer": answer}


async def answer(client: Client, opened: dict[str, Any], option: Any = "right") -> dict[str, Any]:
    reply = await client.ask("submit_answer", answering(opened, option))
    assert reply["ok"], reply
    return reply


def versions(heard: Heard) -> list[tuple[str, int]]:
    return [(name, payload["version"]) for name, payload in heard]


async def test_start_opens_the_first_question_alone(played: Duel) -> None:
    begun, opened = await started(played.first, played.second, time_limit=10)
    assert (begun["questions"], begun["deadline_at"], begun["pace"]) == ([], None, "rounds")
    assert opened.keys() == {"session_id", "index", "question", "reveal_at", "closes_at", "version"}
    assert (opened["index"], opened["version"]) == (0, begun["version"])
    assert 0 <= opened["reveal_at"] - begun["started_at"] <= 300
    assert opened["closes_at"] == opened["reveal_at"] + 10_000
    assert opened["question"]["text"] in TEXTS
    assert opened["question"].keys() == {"id", "text", "options", "kind"}
    again = await played.second.ask("start_quiz", {"session_id": begun["session_id"]})
    assert (again["duplicate"], again["questions"]) == (True, [])


@with_and_without_ack
async def test_every_connection_hears_each_round_once_to_the_results(played: Duel, ack: bool) -> None:
    first, tab, second = played.first, played.tab, played.second
    _, opened = await started(first, second)
    await tab.event("round_opened")
    for index in range(ROUNDS):
        assert opened["index"] == index
        await played.settled()
        await perform(first, "submit_answer", answering(opened), ack=ack)
        await second.event("answer_submitted")
        await perform(second, "submit_answer", answering(opened, "wrong"), ack=ack)
        closed = [await client.event("round_closed") for client in (first, tab, second)]
        assert closed[0] == closed[1]
        mine = {key: value for key, value in closed[0].items() if not key.startswith(("your_", "opponent_"))}
        assert mine == {key: value for key, value in closed[2].items() if not key.startswith(("your_", "opponent_"))}
        assert (mine["index"], mine["question_id"]) == (index, opened["question"]["id"])
        options = opened["question"]["options"]
        assert options[mine["correct_option"]] == "right"
        own = {key: closed[0][key] for key in closed[0] if key.startswith("your_")}
        assert own == {"your_answer": options.index("right"), "your_points": 100, "your_score": 100 * (index + 1)}
        other = {key: closed[2][key] for key in closed[2] if key.startswith("your_")}
        assert other == {"your_answer": options.index("wrong"), "your_points": 0, "your_score": 0}
        assert (closed[0]["opponent_answer"], closed[0]["opponent_score"]) == (options.index("wrong"), 0)
        assert (closed[2]["opponent_answer"], closed[2]["opponent_points"]) == (options.index("right"), 100)
        if index < ROUNDS - 1:
            reopened = [await client.event("round_opened") for client in (first, tab, second)]
            assert reopened[0] == reopened[1] == reopened[2]
            opened = reopened[0]
            assert opened["version"] == mine["version"] + 1
            assert opened["reveal_at"] >= mine["next_at"]
    assert mine["next_at"] is None
    results = [await client.event("quiz_results") for client in (first, tab, second)]
    assert results[0] == results[1]
    assert {one["version"] for one in results} == {mine["version"]}
    assert (results[0]["outcome"], results[0]["reason"], results[0]["your_score"]) == ("won", "all_answered", 300)
    assert [question["id"] for question in results[0]["questions"]][-1] == opened["question"]["id"]


async def test_versions_rise_by_one_from_answer_to_close(played: Duel) -> None:
    _, opened = await started(played.first, played.second)
    await played.settled()
    await answer(played.first, opened)
    await answer(played.second, opened)
    await played.tab.event("round_closed")
    version = opened["version"]
    heard = (await played.second.settled())[:2]
    assert versions(heard) == [("answer_submitted", version + 1), ("round_closed", version + 3)]


async def test_no_question_is_seen_before_it_is_opened(brisk: Server, log: io.StringIO) -> None:
    """All that a player can read or ask, by whichever way, is searched for the texts of questions to come."""
    async with delaying(brisk, late(0)) as first, delaying(brisk, late(0)) as second:
        _, opened = await started(first, second)
        session = {"session_id": opened["session_id"]}
        for index in range(ROUNDS):
            seen = TEXTS.index(opened["question"]["text"])
            hidden = [text for text in TEXTS if text not in _told(first)]
            assert len(hidden) == ROUNDS - index - 1
            assert TEXTS[seen] not in hidden
            asked = [await _all_that_can_be_asked(brisk, client, session) for client in (first, second)]
            await answer(first, opened)
            asked.append(await _all_that_can_be_asked(brisk, first, session))
            for text in hidden:
                assert text not in "".join(asked) + _told(first) + _told(second) + log.getvalue()
            assert f"Because {TEXTS[seen]}" not in "".join(asked), "what explains it comes with the results"
            await answer(second, opened)
            if index < ROUNDS - 1:
                await second.event("round_opened")
                opened = await first.event("round_opened")
        await first.event("quiz_results")
        assert not [text for text in TEXTS if text not in _told(first)]


async def test_right_option_and_the_others_answer_are_seen_when_the_round_is_closed(brisk: Server) -> None:
    async with delaying(brisk, late(0)) as first, delaying(brisk, late(0)) as second:
        _, opened = await started(first, second)
        session = {"session_id": opened["session_id"]}
        await answer(first, opened)
        open_to_second = _told(second) + await _all_that_can_be_asked(brisk, second, session)
        assert "correct_option" not in open_to_second
        assert "opponent_answer" not in open_to_second
        await answer(second, opened, "false")
        assert (await first.event("round_closed"))["opponent_answer"] == opened["question"]["options"].index("false")


async def test_match_that_is_over_sooner_shows_no_more_than_was_opened(brisk: Server) -> None:
    async with delaying(brisk, late(0)) as first, delaying(brisk, late(0)) as second:
        _, opened = await started(first, second)
        session = {"session_id": opened["session_id"]}
        await second.ask("leave_pair_quiz", session)
        results = await first.event("quiz_results")
        assert [one["id"] for one in results["questions"]] == [opened["question"]["id"]]
        told = _told(first) + await _all_that_can_be_asked(brisk, first, session)
        assert [text for text in TEXTS if text in told] == [opened["question"]["text"]]


def _told(client: Delaying) -> str:
    return "".join(client.socket.frames)


async def _all_that_can_be_asked(server: Server, client: Client, session: dict[str, str]) -> str:
    """The answers to everything that a player may ask of a match, as one text."""
    asked: list[Any] = [
        await client.ask("resume_pair_quiz", session),
        await client.ask("resume_pair_quiz", {}),
        await client.ask("start_quiz", session),
        await client.ask("submit_answer", {**session, "question_id": 10**9, "answer": 0}),
    ]
    headers = {"Authorization": f"Bearer {client.token}"}
    async with ClientSession() as http:
        for path in (f"/api/pair-quiz/{session['session_id']}/", "/api/me/export/", "/api/me/"):
            async with http.get(server.url + path, headers=headers) as response:
                assert response.status == 200
                asked.append(await response.text())
    return json.dumps(asked)


async def test_answers_to_what_is_not_open_are_refused(played: Duel, database: Database) -> None:
    _, opened = await started(played.first, played.second)
    ((ids,),) = await database.fetch("SELECT question_ids FROM pairquiz.draws")
    to_come = {**answering(opened), "question_id": ids[1]}
    nobodys = {**answering(opened), "question_id": 10**9}
    refusals = [await played.first.ask("submit_answer", payload) for payload in (to_come, nobodys)]
    assert refusals[0] == refusals[1]
    assert refusals[0]["error"]["code"] == "unknown_question"
    await answer(played.second, opened)
    await played.first.ask("quiz_completed", {"session_id": opened["session_id"]})
    closed = await played.second.event("round_closed")
    assert (closed["opponent_answer"], closed["opponent_points"]) == (None, 0)
    reopened = await played.second.event("round_opened")
    assert (await played.second.ask("submit_answer", answering(opened)))["duplicate"]
    assert (await played.second.ask("submit_answer", answering(opened, "false")))["error"]["code"] == "already_answered"
    await answer(played.second, reopened)
    assert (await played.second.event("round_closed"))["index"] == 1, "who is done is not waited for"


async def test_state_shows_the_round_and_those_that_are_closed(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_GAME__ROUND_PAUSE_MS="60000")
    async with duel(server) as players:
        session_id = await ready_match(players.first, players.second, question_count=2, pace="rounds")
        await players.first.ask("start_quiz", {"session_id": session_id})
        opened = await players.first.event("round_opened")
        state = await players.second.ask("resume_pair_quiz", {"session_id": session_id})
        assert state["round"] == {
            "index": 0, "reveal_at": opened["reveal_at"], "closes_at": opened["closes_at"], "next_at": None,
        }  # fmt: skip
        assert (state["questions"], state["closed_rounds"], state["deadline_at"]) == ([opened["question"]], [], None)
        assert 0 < state["remaining_ms"] <= 30_300
        for player in (players.first, players.second):
            await answer(player, opened, 0)
        closed = await players.second.event("round_closed")
        state = await players.second.ask("resume_pair_quiz", {"session_id": session_id})
        assert (state["round"]["closes_at"], state["round"]["next_at"]) == (None, closed["next_at"])
        assert state["remaining_ms"] is None
        (shown,) = state["closed_rounds"]
        assert shown == {key: closed[key] for key in shown}
        tab = await players.tab.settled()
        assert names(tab)[-1] == "round_closed"


async def test_players_hear_of_the_rounds_new_times_when_the_service_is_back(played: Duel, database: Database) -> None:
    _, opened = await started(played.first, played.second)
    await age(database, game_at=HOUR)
    delayed = await played.first.event("session_delayed")
    gap_ms = delayed["delayed_ms"]
    assert (delayed["deadline_at"], delayed["version"]) == (None, opened["version"] + 1)
    assert delayed["round"] == {
        "index": 0,
        "reveal_at": opened["reveal_at"] + gap_ms,
        "closes_at": opened["closes_at"] + gap_ms,
        "next_at": None,
    }
    assert (await played.second.event("session_delayed")) == delayed
    assert (await answer(played.first, opened))["version"] == delayed["version"] + 1


async def test_answer_before_the_reveal_is_judged_as_at_it(start_server: StartServer) -> None:
    """The lines are not measured yet, and the lead as long as it may be."""
    server = await start_server()
    async with duel(server) as players:
        session_id = await ready_match(players.first, players.second, pace="rounds")
        await players.first.ask("start_quiz", {"session_id": session_id})
        opened = await players.first.event("round_opened")
        reply = await answer(players.first, opened, 0)
        receipt = reply["receipt"]
        assert receipt["judged_at"] == max(receipt["arrived_at"] - receipt["lag_credit_ms"], opened["reveal_at"])
