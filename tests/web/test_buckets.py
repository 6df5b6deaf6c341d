"""Token buckets against a plain model, and their bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.web.guard.buckets import Bucket, Buckets, Rate

RATES = st.builds(Rate, st.sampled_from([0.5, 1.0, 7.0, 30.0]), st.integers(1, 60))
PAUSES = st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=200)


class Plain:
    """A bucket as everybody would write it: a count of tokens that grows with time, up to the burst."""

    def __init__(self, rate: Rate) -> None:
        self.rate, self.tokens, self.at = rate, float(rate.burst), 0.0

    def wait(self, now: float) -> float:
        self.tokens = min(self.rate.burst, self.tokens + (now - self.at) * self.rate.per_s)
        self.at = now
        return max(0.0, (1 - self.tokens) / self.rate.per_s)


@given(RATES, PAUSES)
def test_a_bucket_gives_what_a_count_of_tokens_would(rate: Rate, pauses: list[float]) -> None:
    plain, bucket, buckets, now = Plain(rate), Bucket(rate), Buckets(rate, keys_max=2), 100.0
    plain.at = now
    for pause in pauses:
        now += pause
        wait = plain.wait(now)
        if 0 < wait < 1e-6 or abs(plain.tokens - 1) < 1e-6:
            return  # at the edge both answers are right
        assert buckets.wait("key", now) == pytest.approx(wait, abs=1e-5)
        assert bucket.take(now) == pytest.approx(wait, abs=1e-5)
        assert buckets.take("key", now) == pytest.approx(wait, abs=1e-5)
        if not wait:
            plain.tokens -= 1


@given(RATES, PAUSES)
def test_a_bucket_never_gives_more_than_its_rate_says(rate: Rate, pauses: list[float]) -> None:
    bucket, now, given_at = Bucket(rate), 5.0, []
    for pause in pauses:
        now += pause / 100
        if not bucket.take(now):
            given_at.append(now)
    assert len(given_at) <= rate.most_in(now - 5.0) + 1e-6
    assert all(later >= earlier for earlier, later in pairwise(given_at))


def test_a_refusal_says_when_to_come_back_and_costs_nothing() -> None:
    bucket = Bucket(Rate(10, 2))
    assert [bucket.take(50.0) for _ in range(2)] == [0.0, 0.0]
    for _ in range(1000):
        assert bucket.take(50.0) == pytest.approx(0.1, abs=1e-5)
    assert bucket.take(50.1001) == 0.0
    assert bucket.take(50.1001) > 0


def test_what_is_given_back_can_be_taken_again() -> None:
    rate = Rate(1, 1)
    bucket, buckets = Bucket(rate), Buckets(rate)
    for _ in range(3):
        assert bucket.take(9.0) == buckets.take("key", 9.0) == 0.0
        bucket.give_back()
        buckets.give_back("key")
    assert bucket.take(9.0) == buckets.take("key", 9.0) == 0.0
    assert min(bucket.take(9.0), buckets.take("key", 9.0)) > 0.9


def test_keys_do_not_share() -> None:
    buckets = Buckets(Rate(1, 1))
    assert buckets.take("one", 1.0) == buckets.take("other", 1.0) == 0.0
    assert min(buckets.take("one", 1.0), buckets.take("other", 1.0)) > 0


def test_a_rate_of_nothing_is_no_limit_and_remembers_nobody() -> None:
    bucket, buckets = Bucket(Rate(0, 1)), Buckets(Rate.per_minute(0))
    assert {bucket.take(1.0) for _ in range(1000)} == {buckets.take("key", 1.0) for _ in range(1000)} == {0.0}
    assert (buckets.wait("key", 1.0), len(buckets)) == (0.0, 0)


def test_a_million_keys_fill_no_memory() -> None:
    buckets = Buckets(Rate.per_minute(20), keys_max=10_000)
    for number in range(1_000_000):
        buckets.take(str(number), 1.0)
    assert len(buckets) <= 10_000


@pytest.mark.parametrize("others", [0, 3000])
def test_an_empty_bucket_is_remembered_until_it_is_full(others: int) -> None:
    rate = Rate.per_minute(20)
    buckets = Buckets(rate, keys_max=10_000)
    for _ in range(rate.burst):
        assert buckets.take("guesser", 1000.0) == 0.0
    for now in (1000.0, 1001.0, 1002.0):
        for number in range(others):
            buckets.take(f"{number} of {now}", now)
        assert buckets.take("guesser", now) > 0
    idle = 1002.0 + 61
    for pause in (0, 61):
        buckets.take("somebody", idle + pause)
    assert len(buckets) <= 2, "full buckets are forgotten"
