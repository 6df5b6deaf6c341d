"""When each answer is meant to be sent, whatever became of those before. Pure.

The times are fixed beforehand: a server that stalls does not make its players ask less, and so cannot hide
(coordinated omission).
"""

from collections.abc import Iterator
from enum import StrEnum
from random import Random


class Arrivals(StrEnum):
    """How answers follow each other."""

    POISSON = "poisson"
    """By chance, as from players who do not know each other: some at once, then none for a while."""
    EVEN = "even"
    """At equal distances."""


def intended(arrivals: Arrivals, *, rate: float, seconds: float, chance: Random) -> Iterator[float]:
    """Yield the times of answers in seconds, at `rate` a second, from 0 until before `seconds`."""
    by_chance = arrivals is Arrivals.POISSON
    at = chance.expovariate(rate) if by_chance else chance.random() / rate
    while at < seconds:
        yield at
        at += chance.expovariate(rate) if by_chance else 1 / rate
