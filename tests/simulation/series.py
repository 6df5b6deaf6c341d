"""What must hold of rematches: one a match, wanted by both, made, and a series that adds up."""

from typing import TYPE_CHECKING

from pairquiz_server.rules.match import Match, Outcome, Status
from tests.simulation.connection import Request
from tests.simulation.health import Health
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.telling import asked

if TYPE_CHECKING:
    from tests.simulation.world import World

MADE_WITHIN_S = 20.0
"""What two want is made by then, also where whoever had to do it has died, if all has been well for so long."""


class Rematches:
    """Judges rematches, and the requests for them."""

    def __init__(self, world: "World", counts: Counts, health: Health) -> None:
        self._world = world
        self._counts = counts
        self._health = health
        self._wanted: dict[str, set[str]] = {}
        self._followers: dict[str, str] = {}

    def arrived(self, request: Request) -> None:
        """Keep who asks for a rematch of what."""
        if request.verb == "request_rematch":
            self._wanted.setdefault(request.wishes["match_id"], set()).add(request.player.id)

    def committed(self, before: Match | None, after: Match) -> None:
        """Look at a match that follows another one."""
        if before is not None or after.previous_id is None:
            return
        self._counts.rematches += 1
        previous = self._world.model.matches.get(after.previous_id)
        if previous is None or previous.status is not Status.COMPLETED:
            self._break(Invariant.REMATCH_IS_WANTED, after.id, f"it follows {previous and previous.status}")
            return
        first = self._followers.setdefault(previous.id, after.id)
        if first != after.id:
            self._break(Invariant.ONE_REMATCH, after.id, f"{previous.id} had {first} already")
        players = {seat.player.id for seat in previous.seats}
        if {seat.player.id for seat in after.seats} != players or self._wanted.get(previous.id, set()) != players:
            self._break(Invariant.REMATCH_IS_WANTED, after.id, f"{self._wanted.get(previous.id)} asked")
        won = [(seat.player.id, previous.wins[index]) for index, seat in enumerate(previous.seats)]
        fair = {player: wins + (previous.outcome(index) is Outcome.WON) for index, (player, wins) in enumerate(won)}
        told = {seat.player.id: after.wins[index] for index, seat in enumerate(after.seats)}
        if told != fair:
            self._break(Invariant.SERIES_ADDS_UP, after.id, f"it begins at {told}, and {fair} is right")

    def acknowledged(self, request: Request, match: Match) -> None:
        """Look whether what a request was told is so."""
        old = request.wishes["match_id"]
        standing = self._world.requests.look(old)
        if match.id != old and (match.previous_id != old or standing.next_id != match.id):
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, old, f"{asked(request)}: {match.id} is not its rematch")
        elif match.id == old and standing.next_id is None and standing.asked == (None, None):
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, old, f"{asked(request)}: nobody has asked")

    def look(self) -> None:
        """Look for what both want and nobody makes."""
        if self._world.loop.time() - self._health.all_well_since < MADE_WITHIN_S:
            return
        for match_id in self._world.requests.find_agreed(0, self._world.now_ms() - int(MADE_WITHIN_S * 1000)):
            self._break(Invariant.REMATCH_IS_MADE, match_id, f"asked {self._world.requests.rows[match_id]}")

    def _break(self, invariant: Invariant, match_id: str, detail: str) -> None:
        self._world.breaks(invariant, match_id, detail)
