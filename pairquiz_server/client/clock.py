"""What the server's clock shows, as far as a client can know: by the quickest of some questions.

The answer was written at some moment of its question's round trip; taken for its middle, it is wrong by half of the
trip at most.
"""

import time


def monotonic_ms() -> float:
    """Return a time in milliseconds that no step of a wall clock moves."""
    return time.monotonic() * 1000


class ServerClock:
    """Tells the server's time between two questions."""

    def __init__(self) -> None:
        self._ahead_ms = time.time() * 1000 - monotonic_ms()
        self._trip_ms = float("inf")

    def forget(self) -> None:
        """Begin anew: another server, or one that was away, may have another clock."""
        self._trip_ms = float("inf")

    def heard(self, server_time: int, *, asked_at: float, answered_at: float) -> None:
        """Learn from an answer, with the times of `monotonic_ms` at which it was asked for and came."""
        trip = answered_at - asked_at
        if trip < self._trip_ms:
            self._trip_ms = trip
            self._ahead_ms = server_time - (asked_at + answered_at) / 2

    def now(self) -> float:
        """Return the server's time, in milliseconds since the epoch."""
        return monotonic_ms() + self._ahead_ms

    def seconds_until(self, at: int) -> float:
        """Return how long it is until then, 0 where it is over."""
        return max(0.0, (at - self.now()) / 1000)
