"""Who is connected to which node: one method for each query of sql/queries/presence.sql."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("presence")
_MISTAKES_AT_ONCE = 1000


class SeatTaken(Struct, frozen=True):
    """A player's seat in a live match, and whether the player counts as away there."""

    match_id: str
    player_id: str
    away: bool


class Returned(Struct, frozen=True):
    """A player who came back in time (milliseconds), and still counts as away in a match."""

    match_id: str
    player_id: str
    came_at: int


class PresenceRows(Struct, frozen=True):
    """The presence of one database. Every method raises `StorageUnavailable`."""

    database: Database

    async def note(self, node: UUID, came: Mapping[str, int], went: Sequence[str]) -> list[str]:
        """Write who came to a node (and when) and who left it; return who of the latter is then connected nowhere."""
        await self.database.fetch(_QUERIES["note"], node, list(came), list(came.values()), went)
        return await self.find_absent(went) if went else []

    async def find_absent(self, players: Sequence[str]) -> list[str]:
        """Return those who are connected nowhere."""
        return _players(await self.database.fetch(_QUERIES["find_absent"], players))

    async def find_seats(self, players: Sequence[str]) -> list[SeatTaken]:
        """Return the seats of players in live matches."""
        return _seats(await self.database.fetch(_QUERIES["find_seats"], players))

    async def find_returned(self, matches: Sequence[str]) -> list[Returned]:
        """Return the seats of matches that count as away though their player came in time."""
        return [
            Returned(str(record["id"]), record["player_id"], record["came_at"])
            for record in await self.database.fetch(_QUERIES["find_returned"], matches)
        ]

    async def find_unmarked(self, silent_ms: int) -> list[str]:
        """Return running matches of which somebody counts as away who is connected to a node that is silent so long."""
        return [str(record["id"]) for record in await self.database.fetch(_QUERIES["find_unmarked"], silent_ms)]

    async def find_mistakes(self) -> list[SeatTaken]:
        """Return seats of live matches that are not marked as they should be, so many at once."""
        return _seats(await self.database.fetch(_QUERIES["find_mistakes"], _MISTAKES_AT_ONCE))


def _players(records: Sequence[Any]) -> list[str]:
    return [record["player_id"] for record in records]


def _seats(records: Sequence[Any]) -> list[SeatTaken]:
    return [SeatTaken(str(record["id"]), record["player_id"], record["away"]) for record in records]
