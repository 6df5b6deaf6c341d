"""Makes the connections to one database, and learns what stands before it."""

import ssl
from typing import Any

import asyncpg
import structlog
from msgspec import Struct

from pairquiz_server.store.patience import Patience
from pairquiz_server.store.pooling import Pooling, find_pooling

log = structlog.get_logger("pairquiz.database")

RECONNECT_S = 2.0
"""A server that plays is not kept waiting as long as one that starts (`connect_timeout_s`)."""
READER_SETTINGS = {
    # Every read finds its rows by one index, whatever it is asked for (tests hold that). Planning it anew each time, as
    # PostgreSQL may else, costs three times what it takes to run.
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}
WRITER_SETTINGS = {
    # The statements of the hot path join a few rows of JSON with indexed tables. A generic plan spares the
    # planning; without the other joins and scans it visits rows in the order of their ids, however small the table
    # was when it was planned, which is why nodes cannot deadlock.
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    # An acknowledged answer is on disk, whatever the database or the role says. (A transaction pooler takes none of
    # these; there readyz tells of a database that is lax.)
    "synchronous_commit": "on",
}


class DatabaseOptions(Struct, frozen=True, kw_only=True):
    """How to reach a database; times in seconds.

    With `pool_min` 0 nobody is asked for anything before it is needed. `transaction_pooler` is None where the database
    is to be asked when it is opened. `tls` is what its certificate is checked by, None where its address says how.
    """

    dsn: str
    pool_min: int = 1
    pool_max: int = 8
    connect_timeout_s: float = 10.0
    command_timeout_s: float = 1.5
    transaction_pooler: bool | None = None
    tls: ssl.SSLContext | None = None


class Connector:
    """Opens connections by their use. `hurried` ones are given up sooner; once it is `closed`, none is made."""

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self.pooling = Pooling.TRANSACTION if options.transaction_pooler else Pooling.NONE
        self.hurried = False
        self.closed = False

    async def open_first_reader(self) -> asyncpg.Connection:
        """Connect for reads, and learn by the way what stands before the database."""
        connection = await self.connect()
        try:
            self.pooling = await find_pooling(
                connection, self.connect, self._options.transaction_pooler, self._options.connect_timeout_s
            )
            if self.pooling is Pooling.NONE:
                return await self._set(connection, READER_SETTINGS)
        except BaseException:
            connection.terminate()
            raise
        log.info("pooler_found", mode=self.pooling.value)
        connection.terminate()
        return await self.open_reader()

    async def open_reader(self) -> asyncpg.Connection:
        """Connect for reads."""
        return await self._set(await self.connect(), READER_SETTINGS)

    async def open_writer(self) -> asyncpg.Connection:
        """Connect for the committer, who watches over the time of each statement itself."""
        return await self._set(await self.connect(command_timeout=None), WRITER_SETTINGS)

    async def connect(self, **limits: float | None) -> asyncpg.Connection:
        """Connect, and set nothing. Raises what asyncpg raises."""
        if self.closed:
            raise asyncpg.InterfaceError("it is closed")
        connect_timeout_s = self._options.connect_timeout_s
        options: dict[str, Any] = {
            "timeout": min(connect_timeout_s, RECONNECT_S) if self.hurried else connect_timeout_s,
            "command_timeout": self._options.command_timeout_s,
        }
        if self._options.tls is not None:
            options["ssl"] = self._options.tls
        if self.pooling is Pooling.TRANSACTION:
            options["statement_cache_size"] = 0  # a pooler hands each transaction to another session
        return await asyncpg.connect(self._options.dsn, **options | limits)

    async def _set(self, connection: asyncpg.Connection, settings: dict[str, str]) -> asyncpg.Connection:
        """Set what a session goes by, and return it; not as parameters of its start, which poolers refuse."""
        if self.pooling is Pooling.TRANSACTION:
            return connection
        try:
            async with Patience(self._options.command_timeout_s):
                await connection.execute(";".join(f"SET {name} = {value}" for name, value in settings.items()))
        except BaseException:  # nobody else knows it yet
            connection.terminate()
            raise
        return connection
