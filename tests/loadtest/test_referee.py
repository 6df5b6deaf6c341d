"""What a referee makes of a match, by the facts alone; over the wire it is tried in test_faults.py."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pairquiz_server.loadtest.finding import Fault
from pairquiz_server.loadtest.referee import judge
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.table import Answered, Table
from pairquiz_server.protocol.events import OpponentAnswer, OwnAnswer, QuestionView, QuizResults, QuizStarted
from pairquiz_server.protocol.events.ending import Accuracy, QuestionResult
from pairquiz_server.protocol.events.players import OpponentBrief
from pairquiz_server.protocol.events.playing import Receipt
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.scoring import Scoring, ScoringProfile, score_answer
from pairquiz_server.rules.terms import Pace

ID = "5f0c1c1e-7a0e-4c55-9d53-0a52f3a1b9c2"
BEGAN_AT = 1_790_000_000_000
QUESTIONS = [QuestionView(number, "?", ("a", "b", "c", "d"), "single_choice") for number in (1, 2)]
SPAN_MS = len(QUESTIONS) * 30_000
RIGHT = 2
CHOSEN = ((RIGHT, 0), (1, RIGHT))
"""What each of the two answers."""


def own_answer(question_id: int, option: int, *, at_ms: int, version: int, before: int) -> OwnAnswer:
    points = score_answer(Scoring(), correct=option == RIGHT, left_ms=SPAN_MS - at_ms, span_ms=SPAN_MS)
    reason = f"right: {points.base}, for speed: {points.bonus}" if option == RIGHT else "wrong: 0"
    return OwnAnswer(
        question_id=question_id, player="you", session_id=ID, correct=option == RIGHT, correct_option=RIGHT,
        points=points.total, score=before + points.total, version=version,
        receipt=Receipt(BEGAN_AT + at_ms, 0, BEGAN_AT + at_ms, points.total, reason),
    )  # fmt: skip


def results(mine: list[OwnAnswer], theirs: list[OwnAnswer], chosen: tuple[tuple[int, ...], ...]) -> QuizResults:
    scores = [sum(own.points for own in some) for some in (mine, theirs)]
    rights = [sum(own.correct for own in some) for some in (mine, theirs)]
    return QuizResults(
        session_id=ID, your_score=scores[0], opponent_score=scores[1], version=7,
        your_accuracy=Accuracy(rights[0], 2, 2), opponent_accuracy=Accuracy(rights[1], 2, 2),
        outcome=Outcome.WON if scores[0] > scores[1] else Outcome.LOST, reason="all_answered",
        questions=[
            QuestionResult(question.id, RIGHT, chosen[0][place], chosen[1][place], mine[place].points,
                           theirs[place].points, mine[place].receipt)
            for place, question in enumerate(QUESTIONS)
        ],
        opponent=OpponentBrief("Load test", "player"),
    )  # fmt: skip


def played() -> Table:
    """A match that was played as it should be: versions 1 to 3 are its beginning, 4 to 7 its answers."""
    table = Table(ID)
    started = QuizStarted(ID, QUESTIONS, 30, BEGAN_AT, BEGAN_AT + SPAN_MS, Pace.FREE, ScoringProfile.SPEED_BONUS, 3)
    table.begin(started, asked_ms=0, told_ms=5)
    owns: tuple[list[OwnAnswer], list[OwnAnswer]] = ([], [])
    for seat in (0, 1):
        table.hear(seat, "quiz_started", started)
    for turn in range(4):
        seat, place, at_ms = turn % 2, turn // 2, 1000 * (turn + 1)
        option, before = CHOSEN[seat][place], sum(own.points for own in owns[seat])
        own = own_answer(QUESTIONS[place].id, option, at_ms=at_ms, version=4 + turn, before=before)
        owns[seat].append(own)
        table.sides[seat].answers[own.question_id] = Answered(option, at_ms, at_ms)
        table.acknowledged(seat, own, at_ms + 8)
        told = OpponentAnswer(question_id=own.question_id, player="opponent", session_id=ID, answered=place + 1,
                              score=own.score, version=own.version)  # fmt: skip
        table.hear(1 - seat, "answer_submitted", told)
    for seat in (0, 1):
        chosen = (CHOSEN[seat], CHOSEN[1 - seat])
        table.hear(seat, "quiz_results", results(owns[seat], owns[1 - seat], chosen))
    return table


def faults(table: Table, scale: Scale | None = None) -> set[Fault]:
    return {finding.fault for finding in judge(table, scale or Scale())}


def test_a_match_as_it_should_be_has_no_fault() -> None:
    assert faults(played()) == set()


def test_points_by_another_scale_are_wrong_though_all_agree_on_them() -> None:
    scale = Scale()
    scale.base, scale.bonus_min, scale.bonus_max = 100, 40, 40
    assert faults(played(), scale) == {Fault.WRONG_SCORE}


def own_changed(table: Table, **changes: object) -> None:
    answer = table.sides[0].answers[1]
    assert answer.own is not None
    answer.own = replace(answer.own, **changes)


def results_changed(table: Table, **changes: object) -> None:
    table.sides[0].results[0] = replace(table.sides[0].results[0], **changes)


def question_changed(table: Table, **changes: object) -> None:
    first, *others = table.sides[0].results[0].questions
    results_changed(table, questions=[replace(first, **changes), *others])


def late_by_a_minute(table: Table) -> None:
    table.sides[0].answers[1].acknowledged_ms += 1  # the time is the server's: it cannot be before it was sent here
    table.sides[0].answers[1].sent_ms += 60_000


def twice_told(table: Table) -> None:
    table.hear(0, "quiz_results", table.sides[0].results[0])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda table: own_changed(table, correct=False), {Fault.WRONG_SCORE}),
        (lambda table: own_changed(table, correct_option=1, correct=False), {Fault.WRONG_SCORE, Fault.DISAGREEMENT}),
        (lambda table: own_changed(table, session_id="another"), {Fault.DISAGREEMENT}),
        (lambda table: own_changed(table, score=7), {Fault.WRONG_SCORE, Fault.DISAGREEMENT}),
        (late_by_a_minute, {Fault.WRONG_SCORE}),
        (lambda table: results_changed(table, outcome=Outcome.DRAW), {Fault.WRONG_SCORE}),
        (lambda table: results_changed(table, your_accuracy=Accuracy(2, 2, 2)), {Fault.WRONG_SCORE}),
        (lambda table: results_changed(table, questions=[]), {Fault.LOST, Fault.WRONG_SCORE}),
        (lambda table: question_changed(table, your_answer=3), {Fault.DISAGREEMENT, Fault.WRONG_SCORE}),
        (lambda table: question_changed(table, your_answer=None, your_points=0), {Fault.LOST, Fault.WRONG_SCORE}),
        (lambda table: question_changed(table, opponent_answer=None), {Fault.LOST}),
        (lambda table: table.sides[0].answers.pop(1), {Fault.DISAGREEMENT}),
        (lambda table: table.sides[0].opponents.pop(), {Fault.MISSED}),
        (lambda table: table.sides[1].results.clear(), {Fault.NEVER_ENDED}),
        (twice_told, {Fault.DOUBLED}),
    ],
)
def test_what_is_not_as_it_should_be_is_found(change: Callable[[Table], object], found: set[Fault]) -> None:
    table = played()
    change(table)
    assert found <= faults(table)


def test_a_clock_that_stood_still_is_not_judged_by() -> None:
    table = played()
    late_by_a_minute(table)
    table.delayed = True
    assert faults(table) == set()
