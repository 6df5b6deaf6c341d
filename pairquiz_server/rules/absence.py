"""How long a player may be away: by the cause, and within a budget for the whole match.

An absence begins when a player's last connection is gone. Its clock runs only while the match does; before the start
it is noted without one. All times are in milliseconds.
"""

from enum import StrEnum

from msgspec import Struct


class Cause(StrEnum):
    """Why a player is away, as both players see it."""

    CONNECTION_LOST = "connection_lost"
    """The line broke without a word: no close frame, or no answer to a ping."""
    CLOSED = "closed"
    """The page or the app closed the connection."""
    NODE_LOST = "node_lost"
    """The server's own fault: its node went silent, or nobody had noted it. Players see a lost line."""


class Absence(Struct, frozen=True, gc=False):
    """One player is away since `since`, and may come until `reconnect_by` (None while no clock runs)."""

    since: int
    cause: Cause
    reconnect_by: int | None = None

    def is_over(self, now: int) -> bool:
        """Whether the player can come no more."""
        return self.reconnect_by is not None and now > self.reconnect_by

    def spent(self, now: int) -> int:
        """Return what a return at `now` takes from the budget: nothing without a clock, or by the server's fault."""
        return 0 if self.reconnect_by is None or self.cause is Cause.NODE_LOST else max(now - self.since, 0)

    @property
    def shown(self) -> Cause:
        """The cause as players see it."""
        return Cause.CONNECTION_LOST if self.cause is Cause.NODE_LOST else self.cause


class Patience(Struct, frozen=True, gc=False):
    """What the operator allows: a grace for each cause, and a budget for a player's whole match."""

    lost_ms: int = 30_000
    closed_ms: int = 10_000
    budget_ms: int = 60_000

    def absence(self, cause: Cause, away_ms: int, now: int) -> Absence:
        """Return an absence whose clock begins at `now`, of a player who was away for `away_ms` before."""
        if cause is Cause.NODE_LOST:
            return Absence(now, cause, now + self.lost_ms)
        grace_ms = self.lost_ms if cause is Cause.CONNECTION_LOST else self.closed_ms
        return Absence(now, cause, now + self._allowed(grace_ms, away_ms))

    def absence_at_start(self, cause: Cause, now: int) -> Absence:
        """Return the absence of a player who was away already when the match began.

        Nobody knows when a match begins, so that even who has closed the page has the long grace.
        """
        return Absence(now, cause, now + self._allowed(self.lost_ms, 0))

    def _allowed(self, grace_ms: int, away_ms: int) -> int:
        return min(grace_ms, max(self.budget_ms - away_ms, 0))
