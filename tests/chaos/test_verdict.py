"""The verdict finds what is planted: a check that cannot fail is worth nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.finding import (
    ABSENT,
    DISAGREEMENT,
    DOUBLED,
    GAP,
    LEFT,
    LOST,
    NEVER_ENDED,
    REFUSAL,
    UNASKED,
    WRONG_RATING,
    WRONG_SCORE,
)
from tests.chaos.history import REFUSED
from tests.chaos.report import verdict_line
from tests.chaos.sound import ANN, BEN, DEADLINE_AT, MATCH, STARTED_AT, Run
from tests.chaos.verdict import gaps, judge

BOUND_MS = 5000


def kinds(run: Run) -> set[str]:
    return {finding.kind for finding in judge(run.history, run.ledger, bound_ms=BOUND_MS)}


def refuse(run: Run, code: str, *, retry: bool) -> None:
    command = run.command("submit_answer", ANN)
    command.outcome, command.reply = REFUSED, {"code": code, "retry": retry}


def lost_answer(run: Run) -> None:
    del run.answers[-1]


def lost_match(run: Run) -> None:
    run.ledger.matches.clear()


def lost_seat(run: Run) -> None:
    run.match.players = (ANN, "guest:stranger")


def lost_start(run: Run) -> None:
    run.match.started_at = None


def lost_completion(run: Run) -> None:
    run.ask(ANN, "quiz_completed", {"session_id": MATCH}, {"ok": True, "session_id": MATCH, "version": 8})
    run.match.completed_at = (None, STARTED_AT)


def lost_leave(run: Run) -> None:
    run.ask(ANN, "leave_pair_quiz", {"session_id": MATCH}, {"ok": True, "session_id": MATCH, "version": 8})
    run.match.status, run.match.completed_at = "in_progress", (None, STARTED_AT)


def other_choice_stored(run: Run) -> None:
    run.answers[1].chosen = 1


def announced_and_not_stored(run: Run) -> None:
    refuse(run, "storage_unavailable", retry=True)
    del run.answers[0]


def version_taken_back(run: Run) -> None:
    run.match.version = 7


def doubled_answer(run: Run) -> None:
    run.answers.append(replace(run.answers[0], ordinal=3))


def doubled_score(run: Run) -> None:
    run.match.scores = (290, 137)


def doubled_match(run: Run) -> None:
    run.ledger.matches["other"] = replace(run.match, id="other", answers=[])


def created_twice(run: Run) -> None:
    run.ledger.matches["other"] = replace(run.match, id="other", answers=[], request_id="s")
    run.ask(ANN, "create_pair_quiz", {"request_id": "r"}, {"ok": True, "session_id": "other", "version": 1})


def counted_twice(run: Run) -> None:
    run.ledger.counted_twice.append("guest:ann joined")


def heard_results_twice(run: Run) -> None:
    run.tell(ANN, "quiz_results", **run.results(1))


def wrong_bonus(run: Run) -> None:
    run.answers[0].bonus += 1
    run.match.scores = (146, 137)
    run.command("submit_answer", ANN).reply["points"] += 1


def wrong_judgement(run: Run) -> None:
    run.answers[2].correct = True


def wrong_receipt(run: Run) -> None:
    run.command("submit_answer", BEN).reply["receipt"]["arrived_at"] -= 5


def wrong_running_score(run: Run) -> None:
    run.command("submit_answer", ANN).reply["score"] = 0


def wrong_right_option(run: Run) -> None:
    run.command("submit_answer", ANN).reply["correct_option"] = 2


def too_late_and_counted(run: Run) -> None:
    run.answers[2].judged_at = DEADLINE_AT + 1


def never_ended(run: Run) -> None:
    run.match.status, run.match.ended_at = "in_progress", None


def waits_for_ever(run: Run) -> None:
    run.match.status, run.match.due_at = "waiting", run.ledger.now - BOUND_MS - 1


def refused_and_stored(run: Run) -> None:
    refuse(run, "too_late", retry=False)


def never_said(run: Run) -> None:
    run.history.commands.remove(run.command("submit_answer", BEN))


def nobody_created(run: Run) -> None:
    run.match.request_id = "other"


def forfeited_unasked(run: Run) -> None:
    run.match.forfeited_by, run.match.end_reason = 1, "player_left"


def done_unasked(run: Run) -> None:
    run.answers.pop(2)


def results_differ(run: Run) -> None:
    run.of("quiz_results", BEN)["opponent_score"] = 100


def results_contradict(run: Run) -> None:
    run.of("quiz_results", BEN)["outcome"] = "won"


def result_row_differs(run: Run) -> None:
    run.of("quiz_results", BEN)["questions"][0]["opponent_answer"] = 3


def opponents_score_differs(run: Run) -> None:
    run.of("answer_submitted", BEN)["score"] = 1


def opponents_count_differs(run: Run) -> None:
    run.of("answer_submitted", BEN)["answered"] = 2


def other_questions(run: Run) -> None:
    run.of("quiz_started", BEN)["questions"] = [{"id": 12}, {"id": 11}]


def one_version_two_answers(run: Run) -> None:
    run.of("answer_submitted", ANN)["version"] = 4


def ended_early(run: Run) -> None:
    run.match.end_reason = "deadline"


def missed_event(run: Run) -> None:
    missed = next(one for one in run.history.heard if one.name == "answer_submitted" and one.player == BEN)
    run.history.heard.remove(missed)


def lost_by_absence(run: Run) -> None:
    run.match.forfeited_by, run.match.end_reason = 1, "player_absent"


def internal_error(run: Run) -> None:
    run.ask(ANN, "start_quiz", {"session_id": MATCH}, {"ok": False, "error": {"code": "internal", "retry": True}})


PLANTED: list[tuple[Callable[[Run], None], str]] = [
    (lost_answer, LOST),
    (lost_match, LOST),
    (lost_seat, LOST),
    (lost_start, LOST),
    (lost_completion, LOST),
    (lost_leave, LOST),
    (other_choice_stored, LOST),
    (announced_and_not_stored, LOST),
    (version_taken_back, LOST),
    (doubled_answer, DOUBLED),
    (doubled_match, DOUBLED),
    (created_twice, DOUBLED),
    (counted_twice, DOUBLED),
    (heard_results_twice, DOUBLED),
    (doubled_score, WRONG_SCORE),
    (wrong_bonus, WRONG_SCORE),
    (wrong_judgement, WRONG_SCORE),
    (wrong_receipt, WRONG_SCORE),
    (wrong_running_score, WRONG_SCORE),
    (wrong_right_option, WRONG_SCORE),
    (too_late_and_counted, WRONG_SCORE),
    (never_ended, NEVER_ENDED),
    (waits_for_ever, NEVER_ENDED),
    (refused_and_stored, UNASKED),
    (never_said, UNASKED),
    (nobody_created, UNASKED),
    (forfeited_unasked, UNASKED),
    (done_unasked, UNASKED),
    (results_differ, DISAGREEMENT),
    (results_contradict, DISAGREEMENT),
    (result_row_differs, DISAGREEMENT),
    (opponents_score_differs, DISAGREEMENT),
    (opponents_count_differs, DISAGREEMENT),
    (other_questions, DISAGREEMENT),
    (one_version_two_answers, DISAGREEMENT),
    (ended_early, DISAGREEMENT),
    (missed_event, GAP),
    (internal_error, REFUSAL),
    (lost_by_absence, ABSENT),
]


@pytest.mark.parametrize("rounds", [False, True])
@pytest.mark.parametrize("searched", [False, True])
def test_verdict_finds_nothing_where_nothing_is_wrong(searched: bool, rounds: bool) -> None:
    run = Run(searched=searched, rounds=rounds)
    assert judge(run.history, run.ledger, bound_ms=BOUND_MS) == []
    assert "0 lost, 0 doubled, 0 wrong score, 0 never ended" in verdict_line([], run.history)


@pytest.mark.parametrize(("plant", "kind"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_verdict_finds_what_is_planted(plant: Callable[[Run], None], kind: str) -> None:
    run = Run()
    plant(run)
    assert kind in kinds(run)


def nobody_looked(run: Run) -> None:
    run.history.commands.remove(run.command("find_opponent", BEN))


def found_twice(run: Run) -> None:
    run.ledger.matches["other"] = replace(run.match, id="other", answers=[])


def left_in_the_queue(run: Run) -> None:
    run.ledger.seekers.append(ANN)


def never_rated(run: Run) -> None:
    run.ledger.results.clear()


def rated_and_not_over(run: Run) -> None:
    run.match.status = "abandoned"


def rated_by_our_fault(run: Run) -> None:
    run.match.away = (None, "node_lost")


def rated_twice(run: Run) -> None:
    run.ledger.ratings[ANN] = 2


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (nobody_looked, UNASKED),
        (found_twice, DOUBLED),
        (left_in_the_queue, LEFT),
        (never_rated, WRONG_RATING),
        (rated_and_not_over, WRONG_RATING),
        (rated_by_our_fault, WRONG_RATING),
        (rated_twice, WRONG_RATING),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_verdict_finds_what_is_planted_in_a_search(plant: Callable[[Run], None], kind: str) -> None:
    run = Run(searched=True)
    plant(run)
    assert kind in kinds(run)


def wrong_bonus_in_rounds(run: Run) -> None:
    run.answers[3].bonus = 37
    run.match.scores = (140, 137)


def answered_after_the_round(run: Run) -> None:
    run.answers[1].judged_at = STARTED_AT + 5001


def other_round(run: Run) -> None:
    run.of("round_opened", BEN)["question"] = {"id": 12}


def other_end_of_a_round(run: Run) -> None:
    run.of("round_closed", BEN)["opponent_answer"] = 3


def told_all_questions(run: Run) -> None:
    run.of("quiz_started", BEN)["questions"] = [{"id": 11}, {"id": 12}]


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (wrong_bonus_in_rounds, WRONG_SCORE),
        (done_unasked, UNASKED),
        (answered_after_the_round, WRONG_SCORE),
        (other_round, DISAGREEMENT),
        (other_end_of_a_round, DISAGREEMENT),
        (told_all_questions, DISAGREEMENT),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_verdict_finds_what_is_planted_in_rounds(plant: Callable[[Run], None], kind: str) -> None:
    run = Run(rounds=True)
    plant(run)
    assert kind in kinds(run)


def test_verdict_lets_a_player_be_done_who_has_missed_a_round_but_the_last() -> None:
    run = Run(rounds=True)
    run.answers.pop(0)
    assert UNASKED not in kinds(run)


@pytest.mark.parametrize("stored", [True, False])
def test_verdict_lets_an_unknown_answer_be_there_or_not(stored: bool) -> None:
    run = Run()
    command = run.command("submit_answer", BEN)
    command.outcome, command.reply = "unknown", {}
    if not stored:
        # The rest of the match is spoilt by that; what counts is that nobody calls this answer lost for its sender.
        run.answers.pop(1)
    told = [finding.text for finding in judge(run.history, run.ledger, bound_ms=BOUND_MS)]
    assert not [text for text in told if f"#{command.number} " in text]
    assert bool(told) is not stored


def test_verdict_lets_a_whole_state_close_a_gap() -> None:
    run = Run()
    heard = run.history.heard
    place = next(at for at, one in enumerate(heard) if one.name == "answer_submitted" and one.player == BEN)
    state = {
        "status": "in_progress", "version": 4, "your_answers": {}, "your_score": 0, "opponent": {"score": 145},
    }  # fmt: skip
    heard[place] = replace(heard[place], name="quiz_state", payload={"session_id": MATCH, **state})
    assert kinds(run) == set()


def missed_by_ben(run: Run) -> float:
    """Take from Ben the news of Ann's first answer, and return when he hears the next thing."""
    missed_event(run)
    return next(one for one in run.history.heard if one.name == "ack:submit_answer" and one.player == BEN).at


@pytest.mark.parametrize("mended_by", ["quiz_state", "the same event", "the connection's end"])
def test_verdict_lets_a_gap_pass_that_is_mended_in_time(mended_by: str) -> None:
    run = Run()
    at = missed_by_ben(run)
    event = {"player": "opponent", "question_id": 11, "answered": 1, "score": 145, "version": 4}
    state = {"status": "completed", "version": 8, "your_answers": {}, "your_score": 137, "opponent": {"score": 145}}
    del run.history.heard[-1]  # the results, which mend everything
    if mended_by == "quiz_state":
        run.tell(BEN, "quiz_state", **state)
    elif mended_by == "the same event":
        run.tell(BEN, "answer_submitted", **event)
    else:
        run.history.connections[run.ben].closed_at = at + 0.5
    run.history.heard[-1].at = at + 0.9
    assert [finding.text for finding in gaps(run.history, 1.0)] == []
    assert len(list(gaps(run.history, 0.0))) == 1


def test_verdict_finds_a_gap_that_is_mended_too_late_or_by_asking() -> None:
    for name, later in (("quiz_state", 1.1), ("ack:resume_pair_quiz", 0.5)):
        run = Run()
        at = missed_by_ben(run)
        del run.history.heard[-1]
        run.tell(BEN, name, version=8)
        run.history.heard[-1].at = at + later
        assert len(list(gaps(run.history, 1.0))) == 1, name


def test_verdict_goes_by_each_deadline_that_an_outage_has_made() -> None:
    run = Run()
    run.match.deadline_at = DEADLINE_AT + 3000
    assert kinds(run) == {WRONG_SCORE}
    run.of("quiz_started", BEN)["deadline_at"] = DEADLINE_AT
    assert kinds(run) == set()


def test_history_is_dumped_as_lines_of_json(tmp_path: Path) -> None:
    run = Run()
    run.history.dump(tmp_path)
    assert len((tmp_path / "commands.jsonl").read_text().splitlines()) == len(run.history.commands)
    assert len((tmp_path / "heard.jsonl").read_text().splitlines()) == len(run.history.heard)
