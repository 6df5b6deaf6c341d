"""What a line's round trips say, and how much of that an answer is credited."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.lag import REMEMBERED, LagAllowance, RoundTrips, lag_of

ALLOWANCE = LagAllowance(answer_ms=300, bank_a_question_ms=200)
spans_ms = st.integers(0, 5_000)


def line(*trips_ms: int) -> RoundTrips:
    trips = RoundTrips()
    for trip_ms in trips_ms:
        trips = trips.after(trip_ms)
    return trips


@pytest.mark.parametrize(
    ("trips_ms", "typical_ms"),
    [
        ((), None),
        ((80,), None),
        ((80, 80), None),
        ((10, 80, 5_000), 80),
        ((80, 5_000, 10, 90), 80),
        ((5_000, 5_000, 1, 2, 3, 4, 5), 3),
    ],
)
def test_typical_trip_is_the_median_of_the_last(trips_ms: tuple[int, ...], typical_ms: int | None) -> None:
    assert line(*trips_ms).typical_ms == typical_ms


@pytest.mark.parametrize(
    ("typical_ms", "trip_ms", "surprised"),
    [(0, 25, False), (0, 26, True), (40, 14, True), (200, 250, False), (200, 251, True), (200, 149, True)],
)
def test_a_trip_that_is_unlike_the_others_surprises(typical_ms: int, trip_ms: int, surprised: bool) -> None:
    assert line(*3 * [typical_ms]).surprised_by(trip_ms) is surprised


def test_nothing_surprises_where_nothing_is_known() -> None:
    assert not line(10, 10).surprised_by(5_000)


@given(st.lists(spans_ms, min_size=REMEMBERED, max_size=3 * REMEMBERED))
def test_as_many_trips_are_shorter_as_are_longer_than_the_median(trips_ms: list[int]) -> None:
    typical_ms = line(*trips_ms).typical_ms
    recent = trips_ms[-REMEMBERED:]
    assert typical_ms is not None
    assert sum(trip <= typical_ms for trip in recent) > REMEMBERED // 2
    assert sum(trip >= typical_ms for trip in recent) > REMEMBERED // 2


def test_lag_is_never_more_than_that_of_another_line_of_the_player() -> None:
    slow, fast, new = line(250, 250, 250), line(30, 30, 30), line(1, 1)
    assert lag_of(slow, []) == 250
    assert lag_of(slow, [fast]) == 30
    assert lag_of(fast, [slow]) == 30
    assert lag_of(slow, [new, RoundTrips()]) == 250
    assert lag_of(new, [slow]) == 0


@pytest.mark.parametrize(
    ("lag_ms", "spent_ms", "since_start_ms", "credit_ms"),
    [
        (0, 0, 9_000, 0),
        (120, 0, 9_000, 120),
        (300, 0, 9_000, 300),
        (301, 0, 9_000, 300),
        (300, 800, 9_000, 200),
        (300, 1_000, 9_000, 0),
        (300, 1_200, 9_000, 0),
        (300, 0, 40, 40),
        (300, 0, -5, 0),
    ],
)
def test_credit_has_a_cap_and_a_bank_and_begins_with_the_match(
    lag_ms: int, spent_ms: int, since_start_ms: int, credit_ms: int
) -> None:
    credited = ALLOWANCE.credit(lag_ms, spent_ms=spent_ms, question_count=5, since_start_ms=since_start_ms)
    assert credited == credit_ms


@given(lags_ms=st.lists(spans_ms, max_size=50), allowance=st.builds(LagAllowance, spans_ms, spans_ms))
def test_nobody_is_credited_more_than_the_cap_and_the_bank(lags_ms: list[int], allowance: LagAllowance) -> None:
    spent_ms = 0
    for lag_ms in lags_ms:
        credit_ms = allowance.credit(
            lag_ms, spent_ms=spent_ms, question_count=len(lags_ms), since_start_ms=1_000 + spent_ms
        )
        assert 0 <= credit_ms <= min(lag_ms, allowance.answer_ms)
        spent_ms += credit_ms
    assert spent_ms <= allowance.bank_a_question_ms * len(lags_ms)
