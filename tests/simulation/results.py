"""What matches have meant for their players: the tables as a small model, and a node's way to them."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.fairness import SERIES_MAX, Circumstances
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.ratings import OverMatch, Place, ResultRow, Standing, WeekRow
from tests.simulation.line import Line
from tests.simulation.model import DuplicateKeyError, Model


class Results:
    """What PostgreSQL does with each query of store/ratings, in dicts beside a model's matches. None has a ghost.

    `now` is the database's clock (milliseconds), `written` hears of results as they are committed. `results_are_unique`
    stands for their primary key.
    """

    def __init__(
        self,
        model: Model,
        now: Callable[[], int],
        *,
        written: Callable[[Sequence[ResultRow]], None] = lambda _: None,
        results_are_unique: bool = True,
    ) -> None:
        self._model = model
        self._now = now
        self._written = written
        self._results_are_unique = results_are_unique
        self.rows: dict[tuple[str, int], ResultRow] = {}
        self.ratings: dict[Place, Standing] = {}
        self.points: dict[tuple[int, int, str], tuple[int, int]] = {}
        self._until = 0
        self._holder: UUID | None = None
        self._held_until = 0

    def hold(self, node: UUID, lease_s: float) -> int | None:
        if self._holder != node and self._held_until >= self._now():
            return None
        self._holder, self._held_until = node, self._now() + int(lease_s * 1000)
        return self._until

    def find(self, since: int, limit: int) -> list[OverMatch]:
        completed = self._model.completed
        fresh = (match_id for _, match_id in completed[bisect_left(completed, (since, "")) :])
        left = [match_id for match_id in fresh if not self._is_done_with(match_id)]
        return [self._over(self._model.matches[match_id]) for match_id in left[:limit]]

    def read(self, places: Iterable[Place]) -> dict[Place, Standing]:
        return {place: self.ratings[place] for place in places if place in self.ratings}

    def write(
        self,
        node: UUID,
        lease_s: float,
        *,
        until: int,
        results: Sequence[ResultRow],
        ratings: Mapping[Place, Standing],
        points: Sequence[WeekRow],
    ) -> bool:
        if self._holder != node:
            return False
        for row in results:
            if self._results_are_unique and (row.match_id, row.player) in self.rows:
                raise DuplicateKeyError(f"results: {row.match_id} {row.player}")
        self._until, self._held_until = max(self._until, until), self._now() + int(lease_s * 1000)
        self.rows |= {(row.match_id, row.player): row for row in results}
        self.ratings |= ratings
        for added in points:
            key = (added.week, added.topic_id, added.player_id)
            had, matches = self.points.get(key, (0, 0))
            self.points[key] = (had + added.points, matches + added.matches)
        self._written(results)
        return True

    def are_left(self) -> bool:
        """Tell whether there are completed matches that nobody is done with."""
        return not all(self._is_done_with(match_id) for _, match_id in reversed(self._model.completed))

    def _is_done_with(self, match_id: str) -> bool:
        return (match_id, 1) in self.rows or (match_id, 2) in self.rows

    def _over(self, match: Match) -> OverMatch:
        assert match.ended_at is not None
        first, second = match.seats
        away = tuple(None if seat.absence is None else seat.absence.cause for seat in match.seats)
        return OverMatch(
            id=match.id,
            topic_id=match.topic_id,
            topic=match.topic,
            ended_at=match.ended_at,
            players=(first.player.id, second.player.id),
            scores=(first.score, second.score),
            forfeited_by=match.forfeited_by,
            circumstances=Circumstances(
                origin=match.origin,
                root=self._root(match),
                scoring=match.scoring.profile,
                question_count=match.question_count,
                end_reason=EndReason(match.end_reason or ""),
                kinds=(first.player.kind, second.player.kind),
                away=(away[0], away[1]),
                paused=match.paused_at is not None,
                answered=any(seat.score or seat.answers for seat in match.seats),
            ),
            questions=tuple(question.id for question in match.questions),
            ghost_match_id=None,
            ghost_seat=None,
            ghost=None,
        )

    def _root(self, match: Match) -> Origin | None:
        """Return how the first match of a series came about, None where that is too far back."""
        for _ in range(SERIES_MAX):
            if match.origin is not Origin.REMATCH:
                return match.origin
            if match.previous_id is None:
                return None
            match = self._model.matches[match.previous_id]
        return None


class ResultLine:
    """Stands where `store.ratings.RatingRows` stands, at the end of a node's line."""

    def __init__(self, line: Line, results: Results) -> None:
        self._line = line
        self._results = results

    async def hold(self, node: UUID, lease_s: float) -> int | None:
        until: int | None = await self._line.carry(partial(self._results.hold, node, lease_s))
        return until

    async def find(self, since: int, limit: int) -> list[OverMatch]:
        found: list[OverMatch] = await self._line.carry(partial(self._results.find, since, limit))
        return found

    async def read(self, places: Iterable[Place]) -> dict[Place, Standing]:
        found: dict[Place, Standing] = await self._line.carry(partial(self._results.read, places))
        return found

    async def write(self, node: UUID, lease_s: float, **batch: Any) -> bool:
        return bool(await self._line.carry(partial(self._results.write, node, lease_s, **batch)))
