"""From the first answer to the end of the match: what the sender is answered, once, and who else hears of it."""

import pytest

from tests.client import connected, ready_match, started_match
from tests.conftest import Server
from tests.web.duel import answering, duel, in_both_paces, names, perform, with_and_without_ack

pytestmark = pytest.mark.asyncio(loop_scope="session")


@in_both_paces
@with_and_without_ack
async def test_an_answer_is_heard_by_its_sender_its_other_tab_and_the_opponent(
    shared_server: Server, ack: bool, pace: str
) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=2, pace=pace)
        answer = await perform(players.first, "submit_answer", answering(started), ack=ack)
        first, tab, second = await players.settled()
        assert names(tab) == names(second) == ["answer_submitted"]
        own = tab[0][1]
        assert own.keys() == {
            "question_id", "player", "session_id", "correct", "correct_option", "points", "score", "receipt", "version",
        }  # fmt: skip
        assert own["receipt"].keys() == {"arrived_at", "lag_credit_ms", "judged_at", "points", "reason"}
        assert own["player"] == "you"
        assert own["correct"] is (own["correct_option"] == 0)
        assert own["score"] == own["points"] == own["receipt"]["points"]
        assert second[0][1] == {
            "question_id": own["question_id"],
            "player": "opponent",
            "session_id": own["session_id"],
            "answered": 1,
            "score": own["score"],
            "version": own["version"],
        }
        assert first == ([] if ack else tab)
        assert answer == ({"ok": True, **own} if ack else None)


@in_both_paces
async def test_an_answer_by_its_text_and_a_question_id_as_text_are_taken(shared_server: Server, pace: str) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        started = await started_match(first, second, pace=pace)
        question = started["questions"][0]
        by_text = {**answering(started, answer=question["options"][2]), "question_id": str(question["id"])}
        assert (await first.ask("submit_answer", by_text))["ok"]
        again = await first.ask("submit_answer", answering(started, answer=2))
        assert (again["ok"], again["duplicate"]) == (True, True)


@with_and_without_ack
async def test_own_reply_comes_before_the_results_that_it_causes(shared_server: Server, ack: bool) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=1)
        await players.second.ask("submit_answer", answering(started))
        await players.settled()
        if ack:
            assert (await players.first.ask("submit_answer", answering(started)))["ok"]
            assert players.first._events == []
        else:
            await players.first.emit("submit_answer", answering(started))
        first, tab, second = await players.settled()
        assert names(first) == (["quiz_results"] if ack else ["answer_submitted", "quiz_results"])
        assert names(tab) == names(second) == ["answer_submitted", "quiz_results"]
        assert first[-1] == tab[-1]
        assert first[-1][1].keys() == {
            "session_id", "your_score", "opponent_score", "your_accuracy", "opponent_accuracy", "outcome", "reason",
            "questions", "opponent", "version", "series",
        }  # fmt: skip
        assert first[-1][1]["reason"] == "all_answered"
        assert first[-1][1]["your_score"] == second[-1][1]["opponent_score"]
        assert first[-1][1]["questions"][0].keys() >= {
            "id", "correct_option", "your_answer", "opponent_answer", "your_points", "opponent_points", "receipt",
        }  # fmt: skip


@in_both_paces
async def test_the_opponent_hears_of_a_last_answer_that_its_player_is_done(shared_server: Server, pace: str) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=1, pace=pace)
        own = await players.first.ask("submit_answer", answering(started))
        _, tab, second = await players.settled()
        assert names(tab) == ["answer_submitted"]
        assert names(second) == ["answer_submitted", "opponent_completed"]
        assert second[1][1] == {
            "session_id": own["session_id"], "score": own["score"], "version": own["version"],
        }  # fmt: skip


@with_and_without_ack
async def test_a_player_who_is_done_is_answered_and_the_opponent_hears(shared_server: Server, ack: bool) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=2)
        claim = {"session_id": started["session_id"], "score": 10**6}
        answer = await perform(players.first, "quiz_completed", claim, ack=ack)
        first, tab, second = await players.settled()
        assert names(second) == ["opponent_completed"]
        assert names(tab) == ["quiz_state"]
        assert names(first) == ([] if ack else ["quiz_state"])
        assert tab[0][1]["status"] == "in_progress"
        version = second[0][1]["version"]
        done = {"ok": True, "session_id": started["session_id"], "score": 0, "version": version}
        assert answer == (done if ack else None)

        await players.second.ask("quiz_completed", claim)
        heard = await players.settled()
        assert [names(one) for one in heard] == [["quiz_results"]] * 3
        assert [one[0][1]["your_score"] for one in heard] == [0, 0, 0]
        assert [one[0][1]["outcome"] for one in heard] == ["draw"] * 3


@in_both_paces
@with_and_without_ack
async def test_a_player_who_leaves_a_running_match_has_lost(shared_server: Server, ack: bool, pace: str) -> None:
    async with duel(shared_server) as players:
        started = await players.start(pace=pace)
        answer = await perform(players.first, "leave_pair_quiz", {"session_id": started["session_id"]}, ack=ack)
        first, tab, second = await players.settled()
        assert names(second) == ["opponent_disconnected", "opponent_left", "quiz_results"]
        assert second[0][1]["cause"] == "left"
        assert (second[2][1]["outcome"], second[2][1]["reason"]) == ("won", "opponent_left")
        assert names(tab) == ["quiz_results"]
        assert (tab[0][1]["outcome"], tab[0][1]["reason"]) == ("lost", "you_left")
        assert names(first) == (["quiz_results"] if ack else ["quiz_state", "quiz_results"])
        if answer is not None:
            assert (answer["ok"], answer["status"]) == (True, "completed")


@with_and_without_ack
@pytest.mark.parametrize("state", ["waiting", "ready"])
async def test_a_match_that_is_left_before_its_start_is_abandoned(shared_server: Server, ack: bool, state: str) -> None:
    async with duel(shared_server) as players:
        if state == "waiting":
            session_id = (await players.first.ask("create_pair_quiz"))["session_id"]
        else:
            session_id = await ready_match(players.first, players.second)
        await players.settled()
        answer = await perform(players.first, "leave_pair_quiz", {"session_id": session_id}, ack=ack)
        first, tab, second = await players.settled()
        assert names(second) == ([] if state == "waiting" else ["opponent_disconnected", "opponent_left"])
        assert names(tab) == ["quiz_state"]
        assert tab[0][1]["status"] == "abandoned"
        assert "results" not in tab[0][1]
        assert names(first) == ([] if ack else ["quiz_state"])
        if answer is not None:
            assert (answer["ok"], answer["status"]) == (True, "abandoned")


async def test_a_left_match_is_left_again_as_a_duplicate(shared_server: Server) -> None:
    async with connected(shared_server.url) as first, connected(shared_server.url) as second:
        session = {"session_id": await ready_match(first, second)}
        assert "duplicate" not in await first.ask("leave_pair_quiz", session)
        again = await first.ask("leave_pair_quiz", session)
        assert (again["ok"], again["status"], again["duplicate"]) == (True, "abandoned", True)
        assert (await second.ask("leave_pair_quiz", session))["error"]["code"] == "wrong_state"
