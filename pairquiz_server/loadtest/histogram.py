"""Times in buckets whose width grows with them, as HDR histograms have it. Pure.

A value below 256 µs has a bucket of its own; above, each doubling has 128 buckets. What is read from a bucket is its
upper edge, so that no time is told as shorter than it was, and none as more than 1 in 128 longer.
"""

from collections.abc import Iterable, Iterator
from math import ceil

from msgspec import Struct, field

SUB_BITS = 7
"""Each doubling has two to the power of this many buckets."""
_SUB = 1 << SUB_BITS


class Histogram(Struct):
    """Times in microseconds. `counts` is by the number of the bucket, `longest` is exact."""

    counts: dict[int, int] = field(default_factory=dict)
    longest: int = 0

    def record(self, us: int) -> None:
        """Count a time; one below zero is none."""
        us = max(us, 0)
        place = bucket(us)
        self.counts[place] = self.counts.get(place, 0) + 1
        self.longest = max(self.longest, us)

    def add(self, other: "Histogram") -> None:
        """Count all that another one has."""
        for place, count in other.counts.items():
            self.counts[place] = self.counts.get(place, 0) + count
        self.longest = max(self.longest, other.longest)

    @property
    def total(self) -> int:
        """How many times there are."""
        return sum(self.counts.values())

    def percentile(self, percent: float) -> float:
        """Return the time in milliseconds within which so many of a hundred are; 0 where there are none."""
        wanted = max(1, ceil(self.total * percent / 100))
        seen = 0
        for place in sorted(self.counts):
            seen += self.counts[place]
            if seen >= wanted:
                return min(upper_edge(place), self.longest) / 1000
        return 0.0

    @property
    def longest_ms(self) -> float:
        """The longest time, in milliseconds."""
        return self.longest / 1000

    def bars(self) -> Iterator[tuple[float, int]]:
        """Yield how many times there are in each quarter of a doubling: its upper edge in milliseconds, the count."""
        bars: dict[int, int] = {}
        for place, count in self.counts.items():
            us = max(upper_edge(place), 1)
            shift = max(us.bit_length() - 3, 0)
            edge = ((us >> shift) + 1) << shift
            bars[edge] = bars.get(edge, 0) + count
        for edge in sorted(bars):
            yield edge / 1000, bars[edge]


def merged(some: Iterable[Histogram]) -> Histogram:
    """Return all times of several."""
    whole = Histogram()
    for one in some:
        whole.add(one)
    return whole


def bucket(us: int) -> int:
    """Return the number of the bucket of a time."""
    shift = max(us.bit_length() - SUB_BITS - 1, 0)
    return shift * _SUB + (us >> shift)


def upper_edge(place: int) -> int:
    """Return the longest time, in microseconds, that is in a bucket."""
    shift = max(place // _SUB - 1, 0)
    return ((place - shift * _SUB + 1) << shift) - 1
