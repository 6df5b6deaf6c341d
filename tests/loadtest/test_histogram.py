"""Times in buckets: none is told as shorter than it was, and hardly longer."""

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.loadtest.histogram import Histogram, bucket, merged, upper_edge

TIMES = st.integers(0, 3_600_000_000)


def of(times: list[int]) -> Histogram:
    histogram = Histogram()
    for us in times:
        histogram.record(us)
    return histogram


@given(TIMES)
def test_a_bucket_tells_a_time_as_it_is_or_a_little_longer(us: int) -> None:
    told = upper_edge(bucket(us))
    assert us <= told <= us * Fraction(129, 128)


@given(TIMES)
def test_buckets_follow_each_other_without_a_gap(us: int) -> None:
    edge = upper_edge(bucket(us))
    assert bucket(edge + 1) == bucket(us) + 1


@given(st.lists(TIMES, min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_a_time_within_which_so_many_are(times: list[int], percent: float) -> None:
    told_us = of(times).percentile(percent) * 1000
    within = sum(us <= told_us + 0.001 for us in times)
    assert within >= len(times) * percent / 100 - 1e-6
    assert told_us <= max(times) + 0.001


@given(st.lists(TIMES), st.lists(TIMES))
def test_what_is_merged_is_as_if_recorded_by_one(some: list[int], others: list[int]) -> None:
    assert merged([of(some), of(others)]) == of(some + others)


@given(st.lists(TIMES))
def test_it_travels_as_json(times: list[int]) -> None:
    histogram = of(times)
    assert msgspec.json.decode(msgspec.json.encode(histogram), type=Histogram) == histogram


@given(st.lists(TIMES, min_size=1))
def test_bars_have_all_times(times: list[int]) -> None:
    assert sum(count for _, count in of(times).bars()) == len(times)
    assert max(times) / 1000 <= max(edge for edge, _ in of(times).bars())


def test_nothing_recorded_has_no_latency() -> None:
    assert (Histogram().percentile(99), Histogram().longest_ms, Histogram().total) == (0, 0, 0)
