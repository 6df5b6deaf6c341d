"""How matches that are over become results and ratings: one method for each query of sql/queries/ratings.sql."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.fairness import SERIES_MAX, Circumstances
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.player import ERASED_ID, PlayerKind
from pairquiz_server.rules.rating import Rating
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("ratings")
_TIMEOUT_S = 10.0
"""For a batch, which nobody waits for."""

_encode = msgspec.json.Encoder().encode

OVERALL = 0
"""The topic that stands for all together."""
Place = tuple[str, int]
"""A player's id, and a topic's number: what a rating belongs to."""


class OverMatch(Struct, frozen=True, kw_only=True):
    """A completed match that nobody is done with, on `questions`. Where a recorded run plays the second seat, the
    second player is who was recorded, on `ghost_seat` there, and `ghost` has that player's ratings after the run, in
    the topic and over all, where it was rated."""

    id: str
    topic_id: int
    topic: str
    ended_at: int
    players: tuple[str, str]
    scores: tuple[int, int]
    forfeited_by: int | None
    circumstances: Circumstances
    questions: tuple[int, ...]
    ghost_match_id: str | None
    ghost_seat: int | None
    ghost: tuple[Rating, Rating] | None

    def outcome(self, seat: int) -> Outcome:
        """Return how it went for a seat, as `Match.outcome` does: who gave up has lost, else points decide.

        Nobody wins in practice.
        """
        if self.circumstances.scoring is ScoringProfile.PRACTICE:
            return Outcome.NONE
        if self.forfeited_by is not None:
            return Outcome.LOST if self.forfeited_by == seat else Outcome.WON
        mine, theirs = self.scores[seat], self.scores[1 - seat]
        return Outcome.DRAW if mine == theirs else Outcome.WON if mine > theirs else Outcome.LOST


class Standing(Struct, frozen=True, gc=False):
    """A rating as it is kept: how many matches it rests on, and when the last one of them ended (milliseconds)."""

    rating: Rating
    matches: int
    rated_at: int

    def at(self, now: int) -> Rating:
        """Return what the rating is worth at `now`."""
        return self.rating.aged(now - self.rated_at)


class ResultRow(Struct, frozen=True, kw_only=True, gc=False):
    """A row of `results`; `player` is 1 or 2."""

    match_id: str
    player: int
    player_id: str
    opponent_id: str | None
    ghost_match_id: str | None
    topic_id: int
    outcome: Outcome
    ended_at: int
    weight: float
    rating_before: float | None = None
    rating_after: float | None = None
    deviation: float | None = None
    overall_before: float | None = None
    overall_after: float | None = None
    overall_deviation: float | None = None


class _RatingRow(Struct, frozen=True, gc=False):
    player_id: str
    topic_id: int
    rating: float
    deviation: float
    volatility: float
    matches: int
    rated_at: int


class WeekRow(Struct, frozen=True, gc=False):
    """What is added to a row of `week_points`."""

    week: int
    topic_id: int
    player_id: str
    points: int
    matches: int


class RatingRows:
    """The ratings of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, node: UUID, lease_s: float) -> int | None:
        """Be the one who rates for so long; return until where is rated (milliseconds), None where another is it."""
        until: int | None = await self._database.fetchval(_QUERIES["hold"], node, lease_s)
        return until

    async def find(self, since: int, limit: int) -> list[OverMatch]:
        """Return completed matches that nobody is done with, from `since` (milliseconds) on, by their end."""
        records = await self._database.fetch(_QUERIES["find"], since, limit, SERIES_MAX, timeout_s=_TIMEOUT_S)
        return [_over(record) for record in records]

    async def read(self, places: Iterable[Place]) -> dict[Place, Standing]:
        """Return the ratings that there are of players in topics."""
        asked = list(places)
        players, topics = [place[0] for place in asked], [place[1] for place in asked]
        records = await self._database.fetch(_QUERIES["read"], players, topics, timeout_s=_TIMEOUT_S)
        return {(record["player_id"], record["topic_id"]): standing(record) for record in records}

    async def write(
        self,
        node: UUID,
        lease_s: float,
        *,
        until: int,
        results: Sequence[ResultRow],
        ratings: Mapping[Place, Standing],
        points: Sequence[WeekRow],
    ) -> bool:
        """Write what a batch has made, all or nothing; tell whether it is written, or another rates meanwhile."""
        players = {row.player_id for row in results} | {row.opponent_id for row in results if row.opponent_id}
        rows = [
            _RatingRow(
                player_id,
                topic_id,
                kept.rating.rating,
                kept.rating.deviation,
                kept.rating.volatility,
                kept.matches,
                kept.rated_at,
            )
            for (player_id, topic_id), kept in ratings.items()
        ]
        json = (_encode(of).decode() for of in (results, rows, points))
        written = await self._database.fetch(
            _QUERIES["write"], node, lease_s, until, sorted(players), ERASED_ID, *json, timeout_s=_TIMEOUT_S
        )
        return bool(written)


def standing(record: asyncpg.Record) -> Standing:
    """Read a row of `ratings`."""
    rating = Rating(record["rating"], record["deviation"], record["volatility"])
    return Standing(rating, record["matches"], record["rated_at"])


def _over(record: asyncpg.Record) -> OverMatch:
    circumstances = Circumstances(
        origin=Origin(record["origin"]),
        root=record["root"] and Origin(record["root"]),
        scoring=ScoringProfile(record["scoring"]),
        question_count=record["question_count"],
        end_reason=EndReason(record["end_reason"]),
        kinds=(PlayerKind(record["player1_kind"]), PlayerKind(record["player2_kind"])),
        away=(_cause(record["player1_away"]), _cause(record["player2_away"])),
        paused=record["paused"],
        answered=record["answered"],
        replayed=record["replayed"],
    )
    ghost = None
    if record["ghost_rating"] is not None:
        ghost = (
            Rating(record["ghost_rating"], record["ghost_deviation"]),
            Rating(record["ghost_overall"], record["ghost_overall_deviation"]),
        )
    return OverMatch(
        id=str(record["id"]),
        topic_id=record["topic_id"],
        topic=record["topic"],
        ended_at=record["ended_at"],
        players=(record["player1_id"], record["recorded_id"] or record["player2_id"]),
        scores=(record["player1_score"], record["player2_score"]),
        forfeited_by=None if record["forfeited_by"] is None else record["forfeited_by"] - 1,
        circumstances=circumstances,
        questions=tuple(record["question_ids"] or ()),
        ghost_match_id=None if record["ghost_match_id"] is None else str(record["ghost_match_id"]),
        ghost_seat=None if record["ghost_player"] is None else record["ghost_player"] - 1,
        ghost=ghost,
    )


def _cause(text: str | None) -> Cause | None:
    return None if text is None else Cause(text)
