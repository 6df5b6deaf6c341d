"""How much sooner a question leaves than it is revealed: by what is known here of its players' lines."""

from collections.abc import Callable

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.rounds import lead_ms
from pairquiz_server.rules.terms import Pace

Trip = Callable[[str], int | None]
"""What is known of how long a player's line takes there and back (milliseconds); None where nothing is."""


class Leads:
    """The leads of one process, which knows of the lines of its own connections; at most `most_ms`."""

    def __init__(self, trip_ms: Trip, most_ms: int) -> None:
        self._trip_ms = trip_ms
        self._most_ms = most_ms

    def of(self, match: Match) -> int:
        """Return the lead of a match's next question (milliseconds). Who is away is not waited for, nor a ghost."""
        if match.pace is Pace.FREE:
            return 0
        there = [
            seat.player.id for seat in match.seats if seat.absence is None and seat.player.kind is not PlayerKind.GHOST
        ]
        return lead_ms(map(self._trip_ms, there), self._most_ms)
