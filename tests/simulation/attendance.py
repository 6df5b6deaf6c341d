"""Who is there and who is away, as the players themselves know it, and what must hold of their absences."""

from typing import TYPE_CHECKING

from msgspec import Struct

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.match import Match, Seat
from tests.simulation.commits import CLOCKS_DIFFER_MS, SLACK_S
from tests.simulation.health import Health
from tests.simulation.invariants import Invariant
from tests.simulation.node import PATIENCE, Node
from tests.simulation.telling import clock

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.world import World

KNOWN_WITHIN_S = 25.0
"""A player's coming and going is marked by then, also by those who look for mistakes."""
_NOTED_WITHIN_S = 0.25
"""A node whose line is well has noted by then who came to it: that is before the sweeper's margin is over."""
_NOTED_AFTER_ILLNESS_S = 6.0
"""What a node had begun on an ill line may take it so long to give up, and only then it says who came meanwhile.
Nobody else can know of a player who came to a node that the store does not hear."""
_BRIEFLY_S = 1.5
"""Who is there for so short a time may not have been seen."""


class Attendance(Struct):
    """When a player last came and went: virtual seconds, and seconds of service."""

    there: bool = False
    node: Node | None = None
    came_ms: int = 0
    came_at: float = 0.0
    went_at: float = 0.0
    away_from_served: float = 0.0
    away_to_served: float = 0.0


class Absences:
    """Judges absences, and those who lose by one."""

    def __init__(self, world: "World", health: Health) -> None:
        self._world = world
        self._health = health
        self._attendance: dict[str, Attendance] = {}

    def came(self, client: "Client") -> None:
        attendance = self._attendance.setdefault(client.player.id, Attendance())
        attendance.there, attendance.came_at = True, self._world.loop.time()
        attendance.node = client.node
        attendance.came_ms = client.node.clock.now()
        attendance.away_to_served = self._world.served_s

    def went(self, client: "Client") -> None:
        attendance, now = self._attendance[client.player.id], self._world.loop.time()
        attendance.there, attendance.went_at = False, now
        if now - attendance.came_at > _BRIEFLY_S and self._could_be_known(attendance, client):
            attendance.away_from_served = self._world.served_s

    def _could_be_known(self, attendance: Attendance, client: "Client") -> bool:
        """Tell whether a player's coming was noted, or its node had a line to the store by which to note it."""
        noted_at = self._world.model.noted_at.get(client.player.id)
        if noted_at is not None and noted_at >= attendance.came_ms - CLOCKS_DIFFER_MS:
            return True
        return attendance.node is None or self._health.ill_at(attendance.node) < attendance.came_at

    def judge(self, match: Match) -> None:
        """Look at the absences of a match that has changed."""
        for index, seat in enumerate(match.seats):
            self._check_absence(match, index, seat)

    def _check_absence(self, match: Match, index: int, seat: Seat) -> None:
        absence = seat.absence
        allowed_ms = absence.reconnect_by - absence.since if absence and absence.reconnect_by is not None else 0
        by_our_fault = absence is not None and absence.cause is Cause.NODE_LOST
        left_ms = PATIENCE.lost_ms if by_our_fault else PATIENCE.budget_ms - seat.away_ms
        if not 0 <= allowed_ms <= left_ms or seat.away_ms < 0:
            self._break(Invariant.BUDGET_HOLDS, match.id, f"seat {index}: {absence} after {seat.away_ms} ms")

    def judge_forfeit(self, before: Match | None, after: Match, index: int) -> None:
        """Who loses by absence was connected nowhere for so long, while there was service, and did not come in time."""
        assert before is not None
        seat = before.seats[index]
        absence = seat.absence
        attendance = self._attendance[seat.player.id]
        to_served = attendance.away_to_served if attendance.there else self._world.served_s
        away_s = to_served - attendance.away_from_served
        if absence is not None and absence.reconnect_by is not None:
            self._check_nobody_came(after, seat, absence.reconnect_by, attendance)
            if attendance.there and attendance.came_ms <= absence.reconnect_by:
                return  # judged above: whoever came in time may only lose where nobody could know
        if absence is None or absence.reconnect_by is None:
            self._break(Invariant.NOBODY_THERE_IS_AWAY, before.id, f"seat {index} forfeits without an absence")
        elif away_s < (absence.reconnect_by - absence.since) / 1000 - SLACK_S:
            detail = f"{seat.player.id} was away for {away_s:.3f} s of service, with {absence}"
            self._break(Invariant.NOBODY_LOSES_BY_OUTAGE, before.id, detail)

    def _check_nobody_came(self, after: Match, seat: Seat, by: int, attendance: Attendance) -> None:
        assert after.ended_at is not None
        noted_at = self._world.model.noted_at.get(seat.player.id)
        came = self._world.model.came_by(seat.player.id, by)
        if came and noted_at is not None and noted_at < after.ended_at - CLOCKS_DIFFER_MS:
            detail = f"{seat.player.id} came at {clock(min(came))}, noted {clock(noted_at)}, before {clock(by)}"
            self._break(Invariant.WHO_CAME_IN_TIME_STAYS, after.id, detail)
        node = attendance.node
        if not attendance.there or node is None or not node.alive or attendance.came_ms > by:
            return
        ill_at, now = self._health.ill_at(node), self._world.loop.time()
        known_after = attendance.came_at + _NOTED_WITHIN_S
        if ill_at > attendance.came_at - _NOTED_AFTER_ILLNESS_S:
            known_after = max(attendance.came_at, ill_at) + _NOTED_AFTER_ILLNESS_S
        if now > known_after:
            detail = f"{seat.player.id} came to node {node.number} at {clock(attendance.came_ms)}, before {clock(by)}"
            self._break(Invariant.WHO_CAME_IN_TIME_STAYS, after.id, detail)

    def look(self) -> None:
        """Look for players who are known as what they are not, long after it was to be seen."""
        now, well_since = self._world.loop.time(), self._health.all_well_since
        if now - well_since < KNOWN_WITHIN_S:
            return
        for _, match_id in self._world.model.live():
            match = self._world.model.matches[match_id]
            for seat in match.seats:
                attendance = self._attendance[seat.player.id]
                since = max(attendance.came_at if attendance.there else attendance.went_at, well_since)
                wrong = attendance.there == (seat.absence is not None) and seat.completed_at is None
                if wrong and now - since > KNOWN_WITHIN_S:
                    there = f"there since {since:.3f}" if attendance.there else f"away since {since:.3f}"
                    self._break(
                        Invariant.NOBODY_THERE_IS_AWAY, match_id, f"{seat.player.id}, {there}, has {seat.absence}"
                    )

    def _break(self, invariant: Invariant, match_id: str, detail: str) -> None:
        self._world.breaks(invariant, match_id, detail)
