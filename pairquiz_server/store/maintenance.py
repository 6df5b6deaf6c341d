"""The times in which no match begins: one method for each query of sql/queries/maintenance.sql."""

from msgspec import Struct

from pairquiz_server.store.audit import Deed, detailed
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("maintenance")


class Standing(Struct, frozen=True):
    """A maintenance that goes on: the operator's words (None: the server's), and how long it does, in milliseconds.

    `left_ms` is None where no end is known.
    """

    message: str | None
    left_ms: int | None
    since_ms: int


class MaintenanceRow:
    """The maintenance of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Standing | None:
        """Return the maintenance that goes on, None where none does."""
        records = await self._database.fetch(_QUERIES["look"])
        return Standing(**records[0]) if records else None

    async def begin(self, deed: Deed, *, message: str | None, seconds: int | None) -> None:
        """Let no match begin from now on, for so long (None: until `finish`); the audit has its line with it."""
        detail = detailed(message=message, seconds=seconds)
        await self._database.fetch(_QUERIES["begin"], message, seconds, deed.actor, deed.via, deed.node, detail)

    async def finish(self, deed: Deed) -> bool:
        """Let matches begin again; tell whether none could. The audit has its line with it."""
        return bool(await self._database.fetchval(_QUERIES["finish"], deed.actor, deed.via, deed.node))
