"""Token buckets, pure: every method is told what time it is (seconds of a clock that never goes back).

A bucket is one number, the time at which it is full again: each token taken moves that time on by the time in which
one token comes back, and a token is there while that time is not too far ahead. So one whose time has passed is full,
like one that nobody has ever seen, and to forget it changes nothing.
"""

from msgspec import Struct

_ROUNDING_S = 1e-6
"""Sums of times are not exact: the last token of a burst must not fail by the last digit of a float."""


class Rate(Struct, frozen=True):
    """How fast tokens come, and how many wait at most. Nothing `per_s` means no limit at all."""

    per_s: float
    burst: int

    @classmethod
    def per_minute(cls, count: int) -> "Rate":
        """So many a minute, also all at once."""
        return cls(count / 60, count)

    @property
    def interval(self) -> float:
        """Seconds in which a token comes back; 0 means at once."""
        return 1 / self.per_s if self.per_s else 0.0

    @property
    def tolerance(self) -> float:
        """How far ahead the time may be at which a bucket is full, and there still is a token."""
        return self.interval * (self.burst - 1) + _ROUNDING_S

    def most_in(self, seconds: float) -> float:
        """Return how many tokens a full bucket gives in so many seconds."""
        return self.burst + self.per_s * seconds if self.per_s else float("inf")


class Bucket:
    """The bucket of one owner, who keeps it."""

    __slots__ = ("_full_at", "_interval", "_tolerance")

    def __init__(self, rate: Rate) -> None:
        self._interval = rate.interval
        self._tolerance = rate.tolerance
        self._full_at = 0.0

    def take(self, now: float) -> float:
        """Take a token; return 0, or where there is none, in how many seconds there will be one."""
        full_at = self._full_at
        if full_at <= now:
            self._full_at = now + self._interval
            return 0.0
        if full_at - now > self._tolerance:
            return full_at - now - self._tolerance
        self._full_at = full_at + self._interval
        return 0.0

    def give_back(self) -> None:
        """Undo what `take` has done."""
        self._full_at -= self._interval


class Buckets:
    """Buckets of one rate, by key. Each call takes the same short time, and memory has a bound.

    Keys are kept in two generations. A key that is used moves to the young one; when that has lasted as long as an
    empty bucket needs to fill, the old one is full buckets, and is forgotten. Over `keys_max` it is forgotten sooner:
    whoever has that many addresses is not stopped by a limit an address.
    """

    def __init__(self, rate: Rate, *, keys_max: int = 100_000) -> None:
        self._interval = rate.interval
        self._tolerance = rate.tolerance
        self._fills_in = self._interval * rate.burst
        self._generation_max = max(1, keys_max // 2)
        self._young: dict[str, float] = {}
        self._old: dict[str, float] = {}
        self._young_since = float("-inf")

    def take(self, key: str, now: float) -> float:
        """Take a token of a key; return 0, or where there is none, in how many seconds there will be one."""
        if not self._interval:
            return 0.0
        if now - self._young_since > self._fills_in or len(self._young) >= self._generation_max:
            self._old, self._young, self._young_since = self._young, {}, now
        full_at = self._young.get(key) or self._full_at(key)
        if full_at <= now:
            full_at = now
        elif full_at - now > self._tolerance:
            return full_at - now - self._tolerance
        self._young[key] = full_at + self._interval
        return 0.0

    def wait(self, key: str, now: float) -> float:
        """Return what `take` would, and take nothing."""
        return max(0.0, self._full_at(key) - now - self._tolerance) if self._interval else 0.0

    def give_back(self, key: str) -> None:
        """Undo what `take` has done."""
        if full_at := self._full_at(key):
            self._young[key] = full_at - self._interval

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._young) + len(self._old)

    def _full_at(self, key: str) -> float:
        return self._young.get(key) or self._old.get(key) or 0.0
