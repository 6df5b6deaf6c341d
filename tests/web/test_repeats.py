"""Players who come back, and commands that come again."""

from typing import Any
from uuid import uuid4

import pytest

from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server
from tests.web.duel import Duel, answering, duel, in_both_paces, names, with_and_without_ack

pytestmark = pytest.mark.asyncio(loop_scope="session")


@with_and_without_ack
async def test_a_player_who_resumes_gets_the_whole_match(shared_server: Server, ack: bool) -> None:
    async with duel(shared_server) as players:
        started = await players.start(topic="Animals", question_count=2)
        own = await players.first.ask("submit_answer", answering(started))
        await players.second.ask("submit_answer", answering(started, 1))
        async with connected(shared_server.url, token=players.first.token) as back:
            assert back.user_id == players.first.user_id
            (line,) = back.welcome["sessions"]
            assert line.keys() == {"session_id", "topic", "status", "opponent"}
            assert (line["session_id"], line["topic"], line["status"]) == (
                started["session_id"],
                "Animals",
                "in_progress",
            )
            assert line["opponent"].keys() == {"display_name", "kind"}

            assert names(await back.settled()) == ["quiz_state"], "by itself"
            asked = {"session_id": started["session_id"]}
            if ack:
                state = await back.ask("resume_pair_quiz", asked)
                assert state.pop("ok") is True
            else:
                await back.emit("resume_pair_quiz", asked)
                state = await back.event("quiz_state")
            assert await back.settled() == []
            assert state.keys() >= {
                "session_id", "topic", "status", "pace", "time_limit", "started_at", "deadline_at", "remaining_ms",
                "questions", "your_answers", "your_score", "opponent", "version",
            }  # fmt: skip
            assert state["questions"] == started["questions"]
            assert state["your_answers"] == {
                str(own["question_id"]): {"answer": 0, "correct": own["correct"], "points": own["points"]}
            }
            assert state["your_score"] == own["score"]
            assert 0 < state["remaining_ms"] <= started["deadline_at"] - started["started_at"]
            opponent = state["opponent"]
            assert opponent.keys() == {"display_name", "connected", "kind", "answered", "score", "completed"}
            assert (opponent["answered"], opponent["connected"], opponent["completed"]) == (1, True, False)
            assert "results" not in state
            assert "join_code" not in state


async def test_a_player_who_names_no_session_resumes_all_that_are_live(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        ready = await ready_match(first, second)
        waiting = (await first.ask("create_pair_quiz", {"topic": "Animals"}))["session_id"]
        await first.event("quiz_created")
        left = (await first.ask("create_pair_quiz"))["session_id"]
        await first.ask("leave_pair_quiz", {"session_id": left})
        await first.settled()
        answer = await first.ask("resume_pair_quiz")
        assert [(one["session_id"], one["status"]) for one in answer["sessions"]] == [
            (ready, "ready"),
            (waiting, "waiting"),
        ]
        assert answer["sessions"][1]["opponent"] is None
        assert await first.settled() == []
        await first.emit("resume_pair_quiz", {"session_id": None})
        states = [state for _, state in await first.settled()]
        assert [state["session_id"] for state in states] == [ready, waiting]
        assert len(states[1]["join_code"]) == 8
        assert states[1]["opponent"] is None


@in_both_paces
async def test_a_finished_match_is_resumed_with_its_results(shared_server: Server, pace: str) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        started = await started_match(first, second, question_count=1, pace=pace)
        for player in (first, second):
            await player.ask("submit_answer", answering(started))
        results = await first.event("quiz_results")
        state = await first.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert state["status"] == "completed"
        assert state["results"] == results
        assert state["remaining_ms"] is None


async def test_repeated_commands_are_duplicates_that_count_once(shared_server: Server) -> None:
    async with duel(shared_server) as players:
        wish = {"request_id": str(uuid4()), "question_count": 1}
        created = await players.first.ask("create_pair_quiz", wish)
        session = {"session_id": created["session_id"]}
        by_code = {"join_code": created["join_code"]}
        assert await repeated(players, players.first, "create_pair_quiz", wish, created)
        joined = await players.second.ask("join_pair_quiz", by_code)
        assert await repeated(players, players.second, "join_pair_quiz", by_code, joined)
        assert await repeated(players, players.second, "join_pair_quiz", session, joined)
        started = await players.second.ask("start_quiz", session)
        assert await repeated(players, players.first, "start_quiz", session, started)
        own = await players.first.ask("submit_answer", answering(started, answer=3))
        assert await repeated(players, players.first, "submit_answer", answering(started, answer=3), own)
        score = {"score": own["score"]}
        assert await repeated(players, players.first, "quiz_completed", session, {"ok": True, **session, **score})
        await players.second.ask("quiz_completed", session)
        assert await repeated(players, players.second, "quiz_completed", session, {"ok": True, **session, "score": 0})
        # Also after the end.
        assert await repeated(players, players.first, "submit_answer", answering(started, answer=3), own)
        assert await repeated(players, players.second, "join_pair_quiz", session, joined)
        assert await repeated(players, players.first, "start_quiz", session, started)


async def repeated(players: Duel, sender: Client, command: str, payload: Any, before: dict[str, Any]) -> bool:
    """Repeat a command, with ack and without: the same answer and `duplicate`, which nobody else hears."""
    await players.settled()
    again = await sender.ask(command, payload)
    assert again.pop("duplicate") is True
    assert {key: again[key] for key in before if key != "version"} == {
        key: before[key] for key in before if key != "version"
    }
    assert await players.settled() == ([], [], [])
    await sender.emit(command, payload)
    (event,) = await sender.settled()
    assert event[0] == "quiz_state" or event[1]["duplicate"] is True
    assert await players.settled() == ([], [], [])
    return True
