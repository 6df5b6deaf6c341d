"""Connections to PostgreSQL, and the one place where their failures get a name."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

DEADLOCK_RETRIES = 4
WRITER_SETTINGS = {
    # The one statement of the hot path joins a few rows of JSON with indexed tables. A generic plan spares the
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


class StorageUnavailable(Exception):
    """The database does not answer, or cannot take writes now. The same work may succeed later."""


class DatabaseOptions(Struct, frozen=True, kw_only=True):
    """How to reach a database; times in seconds."""

    dsn: str
    pool_min: int = 1
    pool_max: int = 8
    connect_timeout_s: float = 10.0
    command_timeout_s: float = 1.5
    transaction_pooler: bool = False


UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidCatalogNameError,
)
"""What asyncpg raises where the database does not answer; all that it raises else is a fault of ours."""


class Database:
    """A pool for reads, and a connection of its own for the committer. Every failure is `StorageUnavailable`."""

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self._pool: asyncpg.Pool | None = None
        self._writer: asyncpg.Connection | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Connect. Raises `StorageUnavailable` with the reason."""
        options = self._options
        try:
            self._pool = await asyncpg.create_pool(
                options.dsn,
                min_size=options.pool_min,
                max_size=options.pool_max,
                **self._connection_options(),
            )
        except UNAVAILABLE as error:
            raise StorageUnavailable(_reason(error)) from error

    async def close(self) -> None:
        """Give all connections back; waits for none that hangs."""
        if self._writer is not None:
            self._writer.terminate()
        if self._pool is not None:
            self._pool.terminate()

    async def fetch(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query and return its rows; `timeout_s` is for one that may take longer than a player waits."""
        async with self.connection() as connection:
            return await connection.fetch(query, *arguments, timeout=timeout_s)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Run one query and return the first value of its first row, None without rows."""
        async with self.connection() as connection:
            return await connection.fetchval(query, *arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PoolConnectionProxy]:
        """Lend a connection of the pool."""
        if self._pool is None:
            raise StorageUnavailable("the database is not open")
        try:
            async with self._pool.acquire(timeout=self._options.connect_timeout_s) as connection:
                yield connection
        except UNAVAILABLE as error:
            raise StorageUnavailable(_reason(error)) from error

    async def write(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on the committer's connection, which is opened anew after every failure.

        One that met a deadlock has changed nothing, and is run again: at once it may lose to the same other once more.
        """
        async with self._writing:
            try:
                for _ in range(DEADLOCK_RETRIES):
                    with suppress(asyncpg.DeadlockDetectedError):
                        return await (await self._open_writer()).fetch(query, *arguments)
                return await (await self._open_writer()).fetch(query, *arguments)
            except UNAVAILABLE as error:
                # Also where the connection still lives: behind it may be a primary that is none any more.
                if self._writer is not None:
                    self._writer.terminate()
                    self._writer = None
                raise StorageUnavailable(_reason(error)) from error

    async def _open_writer(self) -> asyncpg.Connection:
        if self._writer is None or self._writer.is_closed():
            self._writer = await asyncpg.connect(self._options.dsn, **self._connection_options())
            if not self._options.transaction_pooler:
                # Not as parameters of the connection's start, which poolers refuse.
                await self._writer.execute(";".join(f"SET {name} = {value}" for name, value in WRITER_SETTINGS.items()))
        return self._writer

    def _connection_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "timeout": self._options.connect_timeout_s,
            "command_timeout": self._options.command_timeout_s,
        }
        if self._options.transaction_pooler:
            options["statement_cache_size"] = 0  # a pooler hands each transaction to another session
        return options


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncpg.PostgresError):
        return str(error).splitlines()[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
