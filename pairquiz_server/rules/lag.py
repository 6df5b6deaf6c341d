"""What a slow line is credited: measured by the server alone, and never more than the operator allows.

A question travels to the player and the answer back, so that a line takes a whole round trip from its player. A cheat
can make a line look slower than it is, never faster; what that gains is bounded by a cap for each answer and a bank
for the match (docs/decisions/0013). All times are in milliseconds.
"""

from collections.abc import Iterable

from msgspec import Struct

REMEMBERED = 5
"""Two of them may be outliers; a line that has become slower is known as such when three were measured since."""
TRUSTED_FROM = 3
SURPRISING_MS = 25
"""So much more or less than a typical trip is no surprise on any line; nor is a quarter of it."""


class RoundTrips(Struct, frozen=True, gc=False):
    """The recent round trips of one line, the last one last.

    `typical_ms` is their median (the lower one of two), None while there are too few to tell.
    """

    recent_ms: tuple[int, ...] = ()
    typical_ms: int | None = None

    def after(self, trip_ms: int) -> "RoundTrips":
        """Return them with one more."""
        recent_ms = (*self.recent_ms, trip_ms)[-REMEMBERED:]
        count = len(recent_ms)
        return RoundTrips(recent_ms, sorted(recent_ms)[(count - 1) // 2] if count >= TRUSTED_FROM else None)

    def surprised_by(self, trip_ms: int) -> bool:
        """Whether one more trip would be so unlike the typical one that the line may have become another one."""
        typical_ms = self.typical_ms
        return typical_ms is not None and abs(trip_ms - typical_ms) > max(SURPRISING_MS, typical_ms // 4)


UNMEASURED = RoundTrips()
"""A line of which nothing is known."""


def lag_of(own: RoundTrips, others: Iterable[RoundTrips]) -> int:
    """Return the lag of a line: its own, and never more than that of any other line of the same player.

    A line that is not measured has none, and says nothing of the others.
    """
    lag_ms = own.typical_ms
    if lag_ms is None:
        return 0
    for other in others:
        if other.typical_ms is not None and other.typical_ms < lag_ms:
            lag_ms = other.typical_ms
    return lag_ms


class LagAllowance(Struct, frozen=True, gc=False):
    """What the operator allows: the most for an answer, and a bank for a player's whole match."""

    answer_ms: int = 300
    bank_a_question_ms: int = 200

    def credit(self, lag_ms: int, *, spent_ms: int, question_count: int, since_start_ms: int) -> int:
        """Return what an answer is credited, `spent_ms` after what the player's earlier answers were.

        Never so much that it would have been given before the start.
        """
        left_ms = self.bank_a_question_ms * question_count - spent_ms
        # Not by `min`, which takes three times as long.
        credit_ms = lag_ms if lag_ms < self.answer_ms else self.answer_ms
        if credit_ms > left_ms:
            credit_ms = left_ms
        if credit_ms > since_start_ms:
            credit_ms = since_start_ms
        return credit_ms if credit_ms > 0 else 0
