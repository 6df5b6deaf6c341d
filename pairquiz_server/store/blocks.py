"""Who is not to be brought together with whom: one method for each query of sql/queries/blocks.sql."""

import asyncpg
from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("blocks")


class Blocks(Struct, frozen=True):
    """The blocks of one database. Every method raises `StorageUnavailable`."""

    database: Database

    async def block(self, player_id: str, blocked_id: str, now: int) -> bool:
        """Let two players find each other no more; tell whether that is new."""
        try:
            return bool(await self.database.fetchval(_QUERIES["block"], player_id, blocked_id, now))
        except asyncpg.ForeignKeyViolationError:
            return False  # one of them was just erased

    async def unblock(self, player_id: str, blocked_id: str) -> bool:
        """Take a block back; tell whether there was one."""
        return bool(await self.database.fetchval(_QUERIES["unblock"], player_id, blocked_id))
