"""Matches and players as an operator sees them: one method for each query of sql/queries/inspection.sql."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from pairquiz_server.rules.match import LIVE, Status
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("inspection")
_OPERATOR_TIMEOUT_S = 60.0


class Place(Struct, frozen=True):
    """Where a page of a list begins: behind this time (milliseconds), and then behind this match."""

    at: int
    id: str


FRONT = Place((1 << 63) - 1, str(UUID(int=(1 << 128) - 1)))
"""Before all matches."""


class ListedMatch(Struct, frozen=True):
    """A match in a list; times are in milliseconds. `place` is the time that the list is ordered by."""

    id: str
    version: int
    status: str
    topic: str
    origin: str
    pace: str
    question_count: int
    player1_id: str
    player1_name: str
    player1_score: int
    player1_away: bool
    player2_id: str | None
    player2_name: str | None
    player2_score: int
    player2_away: bool
    created_at: int
    started_at: int | None
    ended_at: int | None
    end_reason: str | None
    place: int


class Whereabouts(Struct, frozen=True):
    """Where a player is connected, in which live matches, and how strong; None where nothing was rated."""

    nodes: list[str]
    live_matches: list[str]
    rating: float | None


class Inspection:
    """Looks at one database for its operator. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def matches(
        self, *, status: Status | None, player_id: str | None, topic_key: str | None, behind: Place, limit: int
    ) -> list[ListedMatch]:
        """Return a page of matches, the newest first; those that are over by their end, the latest first.

        Without a state they are the live ones, or all of a player's. One that ended long ago in a topic that is seldom
        played is found by reading those that ended since.
        """
        arguments: list[object] = [status, topic_key, behind.at, behind.id, limit]
        query = _QUERIES["live"] if status is None or status in LIVE else _QUERIES["ended"]
        if player_id is not None:
            query = _QUERIES["of_player"]
            arguments.append(player_id)
        page = await self._database.fetch(query, *arguments, timeout_s=_OPERATOR_TIMEOUT_S)
        ids, places = [one["id"] for one in page], [one["place"] for one in page]
        return [ListedMatch(**record) for record in await self._database.fetch(_QUERIES["listed"], ids, places)]

    async def version(self, match_id: str) -> int | None:
        """Return in which version a match is, None where there is none."""
        version: int | None = await self._database.fetchval(_QUERIES["version"], match_id)
        return version

    async def whereabouts(self, players: Sequence[str]) -> dict[str, Whereabouts]:
        """Return where players are, by their ids."""
        records = await self._database.fetch(_QUERIES["whereabouts"], players, timeout_s=_OPERATOR_TIMEOUT_S)
        return {
            record["player_id"]: Whereabouts(record["nodes"], record["live_matches"], record["rating"])
            for record in records
        }
