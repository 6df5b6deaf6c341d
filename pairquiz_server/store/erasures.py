"""How a person is erased: one method for each query of sql/queries/erasures.sql."""

import asyncpg

from pairquiz_server.rules.player import ERASED_ID, ERASED_NAME
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("erasures")
PENDING_AT_ONCE = 100
ROWS_AT_ONCE = 500
"""Of one statement: well within its time, and nobody waits for its locks for long."""


class Erasures:
    """The erasures of one database. Every method may be repeated, and raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wish(self, player_id: str) -> None:
        """Note that a player is to be erased."""
        await self._database.fetch(_QUERIES["wish"], player_id)

    async def pending(self) -> list[str]:
        """Return who is to be erased, the oldest wish first: so many at once."""
        return [record["player_id"] for record in await self._database.fetch(_QUERIES["pending"], PENDING_AT_ONCE)]

    async def stand_in(self) -> None:
        """Make the row of the stand-in, where nobody was ever erased."""
        await self._database.fetch(_QUERIES["stand_in"], ERASED_ID, ERASED_NAME)

    async def vacate(self, player_id: str) -> int:
        """Take a player off the seats of some matches that are over; return how many it was."""
        count: int = await self._database.fetchval(_QUERIES["vacate"], player_id, ERASED_ID, ROWS_AT_ONCE)
        return count

    async def unlink(self, player_id: str) -> int:
        """Take a player off some feature usage; return how many rows it was."""
        count: int = await self._database.fetchval(_QUERIES["unlink"], player_id, ERASED_ID, ROWS_AT_ONCE)
        return count

    async def unrate(self, player_id: str) -> int:
        """Take a player out of ratings, lists and some results; return how many of these it was."""
        count: int = await self._database.fetchval(_QUERIES["unrate"], player_id, ERASED_ID, ROWS_AT_ONCE)
        return count

    async def finish(self, player_id: str, digest: bytes, settle_s: float) -> bool:
        """Erase what is left, unless something must go before it, or the wish is younger; tell whether it is done."""
        try:
            return bool(await self._database.fetchval(_QUERIES["finish"], player_id, digest, settle_s))
        except asyncpg.ForeignKeyViolationError:
            return False  # a match of theirs was written in the same moment: it goes first
