"""What must hold of ratings: each completed match has one result a player, and counts only where it was fair."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pairquiz_server.engine.rater import Rated
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.ratings import OVERALL, Place, ResultRow
from tests.simulation.health import Health
from tests.simulation.invariants import Counts, Invariant

if TYPE_CHECKING:
    from tests.simulation.world import World

RATED_WITHIN_S = 90.0
"""A match is rated by then, also where the one who rated has died and the database's clock was set back meanwhile."""
WELL_FOR_S = 15.0
_QUESTIONS_MIN = 3
_SERIES_MAX = 5


class Ratings:
    """Judges results and ratings as they are written, and as players are told of them."""

    def __init__(self, world: "World", counts: Counts, health: Health) -> None:
        self._world = world
        self._counts = counts
        self._health = health
        self._over_at: dict[str, float] = {}
        self._rating: dict[Place, float] = {}
        self._rated: Counter[Place] = Counter()
        self._told: set[tuple[str, str]] = set()
        self._written: set[tuple[str, int]] = set()

    def committed(self, after: Match) -> None:
        """Keep a match that is over with results."""
        if after.status is Status.COMPLETED:
            self._over_at[after.id] = self._world.loop.time()

    def written(self, rows: Sequence[ResultRow]) -> None:
        """Look at results that are in the store now."""
        for row in rows:
            self._over_at.pop(row.match_id, None)
            key = (row.match_id, row.player)
            if key in self._written:
                self._break(Invariant.RATED_ONCE, row.match_id, f"{row.player_id} once more")
            self._written.add(key)
            match = self._world.model.matches[row.match_id]
            seat = row.player - 1
            told = (row.player_id, row.opponent_id, row.outcome, row.ended_at)
            fact = (match.seats[seat].player.id, match.seats[1 - seat].player.id, match.outcome(seat), match.ended_at)
            if match.status is not Status.COMPLETED or told != fact:
                self._break(Invariant.RATED_ONCE, match.id, f"it is {match.status}, {told} is remembered of {fact}")
            if row.weight != (fair := self._worth(match)):
                self._break(Invariant.RATED_FAIRLY, match.id, f"it counts {row.weight}, and {fair} is fair")
            if row.weight:
                self._check_rating(row)
            else:
                self._counts.unrated += 1
        for match_id in {row.match_id for row in rows}:
            if not {(match_id, 1), (match_id, 2)} <= self._written:
                self._break(Invariant.RATED_ONCE, match_id, "one of two has a result")

    def told(self, rated: Sequence[Rated]) -> None:
        """Look at what players are told of their ratings."""
        for one in rated:
            match = self._world.model.matches[one.match_id]
            row = self._world.results.rows.get((one.match_id, (match.seat_of(one.player_id) or 0) + 1))
            if row is None or (row.rating_before, row.rating_after) != (one.before.rating, one.after.rating):
                self._break(Invariant.ANNOUNCED_IS_STORED, one.match_id, f"{one.player_id} is told {one} of {row}")
            if (one.match_id, one.player_id) in self._told:
                self._break(Invariant.ANNOUNCED_ONCE, one.match_id, f"{one.player_id} is told of the rating again")
            self._told.add((one.match_id, one.player_id))

    def look(self) -> None:
        """Look for what nobody rates."""
        now = self._world.loop.time()
        if now - max(self._health.all_well_since, self._world.stepped_at) < WELL_FOR_S:
            return
        for match_id, over_at in self._over_at.items():
            if now - over_at < RATED_WITHIN_S:
                return
            self._break(Invariant.EVERY_MATCH_IS_RATED, match_id, f"over at {over_at:.3f}")
            return

    def finished(self) -> None:
        """All is over, and rated; what players have is what their matches come to."""
        for match_id in self._over_at:
            self._break(Invariant.EVERY_MATCH_IS_RATED, match_id, "it is over, and nobody rates")
            return
        for place, standing in self._world.results.ratings.items():
            if standing.matches != self._rated[place]:
                detail = f"{place} rests on {standing.matches} matches of {self._rated[place]}"
                self._break(Invariant.RATINGS_ADD_UP, place[0], detail)
                return
        games = sum(matches for _, matches in self._world.results.points.values())
        if games != sum(self._rated.values()):
            self._break(Invariant.RATINGS_ADD_UP, None, f"weeks have {games} of {sum(self._rated.values())} matches")

    def _check_rating(self, row: ResultRow) -> None:
        """A rating goes on from the last one, and who wins does not fall."""
        self._counts.rated += 1
        assert row.rating_after is not None
        assert row.overall_after is not None
        for topic_id, before, after in (
            (row.topic_id, row.rating_before, row.rating_after),
            (OVERALL, row.overall_before, row.overall_after),
        ):
            place = (row.player_id, topic_id)
            last = self._rating.get(place, before)
            self._rating[place] = after
            self._rated[place] += 1
            rise = after - (before or 0.0)
            right = {Outcome.WON: rise > 0, Outcome.LOST: rise < 0}.get(row.outcome, True)
            if before != last or not right:
                detail = f"{row.player_id} {row.outcome}: {before} to {after}, after {last}"
                self._break(Invariant.RATINGS_ADD_UP, row.match_id, detail)

    def _worth(self, match: Match) -> float:
        """What a match is to count: of two who found each other by a search, or of their next ones, and fair."""
        causes = {seat.absence.cause for seat in match.seats if seat.absence is not None}
        by_our_fault = match.paused_at is not None and match.end_reason is not EndReason.ALL_ANSWERED
        said = any(seat.answers for seat in match.seats)
        if match.question_count < _QUESTIONS_MIN or not said or by_our_fault or Cause.NODE_LOST in causes:
            return 0.0
        place, first = 1, match
        while first.previous_id is not None:
            first, place = self._world.model.matches[first.previous_id], place + 1
        return 1.0 if first.origin is Origin.SEARCH and place <= _SERIES_MAX else 0.0

    def _break(self, invariant: Invariant, whose: str | None, detail: str) -> None:
        self._world.breaks(invariant, whose, detail)
