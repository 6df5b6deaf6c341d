"""Which answers nobody can have read."""

import pytest

from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.reading import least_ms
from tests.rules.matches import ANNA, BEN, FIRST, SECOND, STARTED_AT, in_progress, play, submit

LEAST_MS = 150 + 10 * len(FIRST.text)
BOTH_MS = LEAST_MS + 150 + 10 * len(SECOND.text)


def test_least_time_is_that_of_the_text_and_of_pressing() -> None:
    assert least_ms("") == 150
    assert least_ms("ten chars.") == 250
    assert least_ms("x" * 100) == 1_150


@pytest.mark.parametrize(("after_ms", "verdict"), [(0, True), (LEAST_MS - 1, True), (LEAST_MS, False)])
def test_first_answer_is_held_against_the_time_since_the_start(after_ms: int, verdict: bool) -> None:
    seat = decide(in_progress(), submit(ANNA, FIRST), STARTED_AT + after_ms).match.seats[0]
    assert seat.answers[0].too_fast is verdict
    assert seat.score > 100, "it costs nobody a point"


def test_answers_in_one_go_are_fine_once_all_can_have_been_read() -> None:
    begun = in_progress(now=STARTED_AT)
    at_once = play(begun, STARTED_AT + BOTH_MS, submit(ANNA, FIRST), submit(ANNA, SECOND))
    assert [answer.too_fast for answer in at_once.seats[0].answers] == [False, False]
    sooner = play(begun, STARTED_AT + BOTH_MS - 1, submit(ANNA, FIRST), submit(ANNA, SECOND))
    assert [answer.too_fast for answer in sooner.seats[0].answers] == [False, True]


def test_the_other_players_answers_take_nobody_time() -> None:
    match = play(in_progress(now=STARTED_AT), STARTED_AT + LEAST_MS, submit(BEN, SECOND), submit(ANNA, FIRST))
    assert not match.seats[0].answers[0].too_fast


def test_time_on_the_way_is_not_time_to_read() -> None:
    command = submit(ANNA, FIRST, lag_ms=100, allowance=LagAllowance(300, 200))
    match = decide(in_progress(now=STARTED_AT), command, STARTED_AT + LEAST_MS + 99).match
    assert match.seats[0].answers[0].too_fast
