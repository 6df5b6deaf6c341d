"""Recorded runs and challenges: one method for each query of sql/queries/ghosts.sql."""

from uuid import UUID

from msgspec import Struct

from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Pace
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("ghosts")


class Wanted(Struct, frozen=True, kw_only=True):
    """What a seeker's ghost must fit: the terms of the match, and how strong the seeker is in its topic."""

    player: Player
    topic_id: int
    question_count: int
    time_limit_s: int
    pace: Pace
    scoring: ScoringProfile
    rating: float


class FoundRun(Struct, frozen=True):
    """A recorded run, and how strong its player is in the topic now."""

    ghost: Ghost
    rating: float


class StoredChallenge(Struct, frozen=True):
    """A challenge's code, and until when it may be accepted (milliseconds), None for ever."""

    code: str
    expires_at: int | None


class FoundChallenge(Struct, frozen=True):
    """Which run a challenge leads to, whose it is, and the match in which it was accepted already."""

    ghost: Ghost
    player_id: str
    accepted: str | None


class Runs:
    """The recorded runs of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, wanted: Wanted, limit: int) -> list[FoundRun]:
        """Return runs that fit, the best first."""
        records = await self._database.fetch(
            _QUERIES["find_runs"],
            wanted.player.id,
            wanted.topic_id,
            wanted.question_count,
            wanted.time_limit_s,
            wanted.pace,
            wanted.scoring,
            wanted.rating,
            limit,
        )
        return [FoundRun(Ghost(str(match_id), player - 1), rating) for match_id, player, rating in records]

    async def challenge(
        self, code: str, run: Ghost, player_id: str, *, now: int, expires_at: int | None
    ) -> StoredChallenge | None:
        """Make a run's challenge and return it, or the one that there is; None where its player refuses that."""
        records = await self._database.fetch(
            _QUERIES["challenge"], code, UUID(run.match_id), run.seat + 1, player_id, now, expires_at
        )
        return StoredChallenge(**records[0]) if records else None

    async def find_challenge(self, code: str, player_id: str, now: int) -> FoundChallenge | None:
        """Return the run that a challenge leads to for a player, None where there is none that holds."""
        records = await self._database.fetch(_QUERIES["find_challenge"], code, player_id, now)
        if not records:
            return None
        ((match_id, player, owner, accepted),) = records
        return FoundChallenge(Ghost(str(match_id), player - 1), owner, None if accepted is None else str(accepted))
