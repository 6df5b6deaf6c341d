"""A ramp finds the largest rate that holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.loadtest.ramp import CLOSE_ENOUGH, STEP_UP, Tried, knee, next_rate


def climbed(first: float, limit: float) -> list[Tried]:
    tried: list[Tried] = []
    while (rate := next_rate(first, tried)) is not None:
        tried.append(Tried(rate, rate <= limit))
    return tried


@given(st.floats(1, 1000), st.floats(1, 100_000))
def test_the_knee_is_found_in_few_steps(first: float, limit: float) -> None:
    tried = climbed(first, limit)
    found = knee(tried)
    if first > limit:
        assert (found, len(tried)) == (None, 1)
    else:
        assert found is not None
        assert found <= limit < found * CLOSE_ENOUGH * 1.001
        assert len(tried) <= 40


def test_rates_rise_by_half_until_one_fails_and_then_halve_what_is_left() -> None:
    assert [step.rate for step in climbed(100, 180)] == [100, 150, 225, 187.5, 168.75, 178.125]
    assert STEP_UP == 1.5


def test_what_held_above_a_rate_that_failed_does_not_count() -> None:
    assert knee([Tried(100, True), Tried(150, False), Tried(125, True), Tried(200, True)]) == 125


@pytest.mark.parametrize("tried", [[], [Tried(100, False)]])
def test_nothing_held_is_no_knee(tried: list[Tried]) -> None:
    assert knee(tried) is None
