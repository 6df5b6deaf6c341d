"""What must hold of searches: each makes one match at most, for two who look, and none is left behind or for ever."""

from itertools import combinations
from typing import TYPE_CHECKING

from msgspec import Struct

from pairquiz_server.rules.match import Match
from pairquiz_server.rules.pairing import Pair
from pairquiz_server.rules.terms import Origin
from tests.simulation.connection import Reply, Request
from tests.simulation.health import Health
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.seekers import Row

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.world import World

WELL_FOR_S = 12.0
"""Who has died is buried by then, and what it had left half done is done."""
TAKEN_OUT_WITHIN_S = 12.0
"""Who does not look any more is out of the queue by then, also where the node has died that had to see to it."""
FOUND_WITHIN_S = 8.0
"""Two who may meet have met by then, each other or somebody else, and a match that was to be made is made."""
_START, _WIDENS_PER_S = 50.0, 20.0
"""Whoever waits accepts a difference in rating of so much, and the own deviation, and so much more each second."""


class Looking(Struct):
    """When a player last asked for an opponent, and stopped (seconds of virtual time), and the last match found.

    `stopped_before` is when the stop before was, where the last one was a line that went.
    """

    asked_at: float = 0.0
    stopped_at: float = 0.0
    stopped_before: float | None = None
    match_id: str | None = None
    matched_at: float = 0.0


class Searches:
    """Judges the queue, and the matches that come of it."""

    def __init__(self, world: "World", counts: Counts, health: Health) -> None:
        self._world = world
        self._counts = counts
        self._health = health
        self._looking: dict[str, Looking] = {}
        self._marked_at: dict[str, float] = {}

    def arrived(self, request: Request) -> None:
        """Keep who looks, and since when."""
        if request.verb == "find_opponent":
            self._counts.searches += 1
            self._of(request.player.id).asked_at = self._world.loop.time()

    def settled(self, request: Request, reply: Reply) -> None:
        """Keep who has been told that the search is over, or has begun.

        Who asked before a match was made, and is told of a new search, is in that one from then on.
        """
        if request.verb == "find_opponent" and reply is False:
            looking = self._of(request.player.id)
            if looking.matched_at >= looking.asked_at:
                looking.asked_at = self._world.loop.time()
        if request.verb == "cancel_find_opponent" and isinstance(reply, bool):
            self._counts.cancelled += reply
            self._stopped(request.player.id)

    def went(self, client: "Client") -> None:
        """Keep who is not here any more."""
        player_id = client.player.id
        before = self._looking[player_id].stopped_at if player_id in self._looking else None
        self._stopped(player_id)
        if before is not None:
            self._looking[player_id].stopped_before = before

    def came(self, client: "Client") -> None:
        """Keep who was never away for the node, which had not noticed that the line before was lost."""
        looking = self._looking.get(client.player.id)
        lines = client.node.connections[client.player.id]
        if looking is not None and looking.stopped_before is not None and len(lines) > 1:
            looking.stopped_at, looking.stopped_before = looking.stopped_before, None

    def marked(self, match_id: str, pair: Pair) -> None:
        """Look at two for whom a match is to be made."""
        self._marked_at[match_id] = self._world.loop.time()
        first, second = (seeker.player_id for seeker in pair)
        blocks = self._world.queue.blocks
        if first == second or (first, second) in blocks or (second, first) in blocks:
            self._break(Invariant.SEEKER_MEETS_WHO_MAY, match_id, f"{first} and {second} are brought together")

    def committed(self, before: Match | None, after: Match) -> None:
        """Look at a match that was made for two who looked."""
        if before is not None or after.origin is not Origin.SEARCH:
            return
        self._counts.found += 1
        if after.id not in self._marked_at:
            self._break(Invariant.ONE_MATCH_A_SEARCH, after.id, "nobody was marked for it")
            return
        if len({seat.player.id for seat in after.seats}) != len(after.seats):
            self._break(Invariant.SEEKER_MEETS_WHO_MAY, after.id, f"{after.seats[0].player.id} alone")
        for seat in after.seats:
            self._check_seat(after, seat.player.id)

    def look(self) -> None:
        """Look for entries that must have gone, and for two of whom each could have the other."""
        now, well_since = self._world.loop.time(), self._health.all_well_since
        rows = self._world.queue.rows
        if now - well_since < WELL_FOR_S:
            return
        for player_id in rows:
            looking = self._of(player_id)
            over = looking.stopped_at > looking.asked_at
            if over and now - max(looking.stopped_at, well_since) > TAKEN_OUT_WITHIN_S:
                self._break(Invariant.NO_ENTRY_IS_LEFT, player_id, f"{player_id} stopped at {looking.stopped_at:.3f}")
        for player_id, row in rows.items():
            if row.paired_at is not None and self._world.now_ms() - row.paired_at > FOUND_WITHIN_S * 1000:
                self._break(Invariant.WHO_MAY_MEET_MEETS, player_id, f"{player_id} waits for {row.match_id}")
        waiting = [row for row in rows.values() if row.match_id is None and self._waited_s(row) > FOUND_WITHIN_S]
        for one, other in combinations(waiting, 2):
            if self._could_have_met(one, other):
                detail = f"{one.entry.player.id} and {other.entry.player.id} wait for {one.wishes}"
                self._break(Invariant.WHO_MAY_MEET_MEETS, one.entry.player.id, detail)
                return

    def finished(self) -> None:
        """All have gone."""
        for player_id in self._world.queue.rows:
            self._break(Invariant.NO_ENTRY_IS_LEFT, player_id, f"{player_id} is in the queue, and everybody has gone")
            return

    def _check_seat(self, match: Match, player_id: str) -> None:
        """The player's entry has this match, or went with its node, and then no other match was made meanwhile."""
        row, looking = self._world.queue.rows.get(player_id), self._of(player_id)
        marked_at = self._marked_at[match.id]
        if looking.asked_at == 0.0:
            self._break(Invariant.ONE_MATCH_A_SEARCH, match.id, f"{player_id} never looked")
        if looking.match_id is not None and looking.matched_at > marked_at:
            detail = f"{player_id} was marked at {marked_at:.3f}, and has had {looking.match_id} since"
            self._break(Invariant.ONE_MATCH_A_SEARCH, match.id, detail)
        lost = (player_id, match.id) in self._world.queue.lost
        if not lost and (row is None or row.match_id != match.id):
            self._break(Invariant.ONE_MATCH_A_SEARCH, match.id, f"{player_id} has {row}")
        looking.match_id, looking.matched_at = match.id, self._world.loop.time()
        self._stopped(player_id)

    def _waited_s(self, row: Row) -> float:
        return (self._world.now_ms() - row.entry.since) / 1000

    def _could_have_met(self, one: Row, other: Row) -> bool:
        """Whether they would have accepted each other that long ago."""
        first, second = one.entry.player.id, other.entry.player.id
        blocks = self._world.queue.blocks
        apart = abs(one.entry.rating - other.entry.rating)
        accepted = (
            _START + row.entry.deviation + _WIDENS_PER_S * (self._waited_s(row) - FOUND_WITHIN_S)
            for row in (one, other)
        )
        blocked = (first, second) in blocks or (second, first) in blocks
        return one.wishes == other.wishes and not blocked and apart <= min(accepted)

    def _of(self, player_id: str) -> Looking:
        return self._looking.setdefault(player_id, Looking())

    def _stopped(self, player_id: str) -> None:
        if (looking := self._looking.get(player_id)) is not None:
            looking.stopped_at, looking.stopped_before = self._world.loop.time(), None

    def _break(self, invariant: Invariant, whose: str, detail: str) -> None:
        self._world.breaks(invariant, whose, detail)
