"""The times at which answers are due are fixed beforehand."""

from itertools import pairwise
from random import Random

import pytest

from pairquiz_server.loadtest.schedule import Arrivals, intended


@pytest.mark.parametrize("arrivals", Arrivals)
def test_there_are_as_many_as_the_rate_says(arrivals: Arrivals) -> None:
    times = list(intended(arrivals, rate=500, seconds=20, chance=Random(1)))
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] < 20


def test_even_ones_have_equal_distances() -> None:
    times = list(intended(Arrivals.EVEN, rate=100, seconds=2, chance=Random(1)))
    assert {round(late - early, 6) for early, late in pairwise(times)} == {0.01}


def test_by_chance_some_come_almost_at_once() -> None:
    times = list(intended(Arrivals.POISSON, rate=100, seconds=20, chance=Random(1)))
    gaps = [late - early for early, late in pairwise(times)]
    assert min(gaps) < 0.001 < 0.03 < max(gaps)
