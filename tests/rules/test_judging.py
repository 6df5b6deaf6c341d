"""An answer counts as given when it arrived, less the credit of its line: for the deadline and for speed."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import Answer
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import Match
from tests.rules.matches import (
    ANNA,
    BEN,
    DEADLINE_AT,
    FIRST,
    MARGIN_MS,
    SECOND,
    STARTED_AT,
    complete,
    end_overdue,
    in_progress,
    leave,
    play,
    submit,
)

ALLOWANCE = LagAllowance(answer_ms=300, bank_a_question_ms=200)


def answered(match: Match, at: int, lag_ms: int, allowance: LagAllowance = ALLOWANCE) -> Answer:
    """Anna's next answer."""
    done = len(match.seats[0].answers)
    command = submit(ANNA, (FIRST, SECOND)[done], lag_ms=lag_ms, allowance=allowance)
    return decide(match, command, at).match.seats[0].answers[-1]


@pytest.mark.parametrize(("lag_ms", "credit_ms"), [(0, 0), (1, 1), (250, 250), (300, 300), (9_000, 300)])
def test_answer_is_judged_at_its_arrival_less_the_credit(lag_ms: int, credit_ms: int) -> None:
    at = STARTED_AT + 8_000
    answer = answered(in_progress(now=STARTED_AT), at, lag_ms)
    assert (answer.arrived_at, answer.lag_credit_ms, answer.judged_at) == (at, credit_ms, at - credit_ms)


def test_speed_goes_by_the_time_of_judging() -> None:
    begun = in_progress(now=STARTED_AT)
    sooner, later = STARTED_AT + 8_000, STARTED_AT + 8_300
    assert answered(begun, later, 300).bonus == answered(begun, sooner, 0).bonus > answered(begun, later, 0).bonus


@pytest.mark.parametrize("lag_ms", [1, 100, 300])
def test_deadline_goes_by_the_time_of_judging(lag_ms: int) -> None:
    begun = in_progress(now=STARTED_AT)
    assert answered(begun, DEADLINE_AT + lag_ms, lag_ms).judged_at == DEADLINE_AT
    with pytest.raises(Refused) as refused:
        answered(begun, DEADLINE_AT + lag_ms + 1, lag_ms)
    assert refused.value.code is Code.TOO_LATE


def test_bank_is_for_the_match_and_for_each_player() -> None:
    begun = in_progress(now=STARTED_AT)
    at = STARTED_AT + 8_000
    after = play(begun, at, submit(ANNA, FIRST, 0, lag_ms=300, allowance=ALLOWANCE))
    assert answered(after, at, 300).lag_credit_ms == 100
    command = submit(BEN, SECOND, lag_ms=300, allowance=ALLOWANCE)
    assert decide(after, command, at).match.seats[1].answers[0].lag_credit_ms == 300


def test_nothing_is_credited_where_nothing_is_allowed() -> None:
    assert answered(in_progress(), STARTED_AT + 8_000, 300, LagAllowance(0, 0)).lag_credit_ms == 0


@pytest.mark.parametrize(("after_ms", "judged_ms"), [(100, 0), (300, 0), (301, 1), (0, 0), (-3, -3)])
def test_no_credit_reaches_before_the_start(after_ms: int, judged_ms: int) -> None:
    answer = answered(in_progress(now=STARTED_AT), STARTED_AT + after_ms, 300)
    assert answer.judged_at == STARTED_AT + judged_ms


def test_repeat_of_an_answer_is_a_duplicate_whatever_its_line() -> None:
    at = STARTED_AT + 8_000
    after = play(in_progress(now=STARTED_AT), at, submit(ANNA, FIRST, lag_ms=200))
    again = decide(after, submit(ANNA, FIRST, lag_ms=20), at + 50)
    assert again.duplicate
    assert again.match is after


def test_nothing_ends_a_match_while_an_answer_may_still_be_in_time() -> None:
    running = in_progress(now=STARTED_AT)
    at = DEADLINE_AT + 250
    for command in (end_overdue(MARGIN_MS + 1), leave(BEN), complete(BEN)):
        assert decide(running, command, at).match is running
    assert answered(running, at, 300).lag_credit_ms == 300


def test_outage_between_the_giving_and_the_arrival_takes_nothing() -> None:
    """The clock stood still from 8 to 11 s after the start; the answer was given before, and came just after."""
    resumed_at = STARTED_AT + 11_000
    paused = replace(
        in_progress(now=STARTED_AT),
        paused_at=STARTED_AT + 8_000,
        resumed_at=resumed_at,
        deadline_at=DEADLINE_AT + 3_000,
    )
    without, with_credit = (answered(paused, resumed_at + 20, lag_ms) for lag_ms in (0, 300))
    assert with_credit.judged_at == resumed_at - 280
    assert paused.left_ms(with_credit.judged_at) == paused.left_ms(resumed_at) == paused.left_ms(without.judged_at) + 20
