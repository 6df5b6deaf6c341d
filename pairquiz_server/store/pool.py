"""Connections to PostgreSQL, and the one place where their failures get a name."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from asyncpg.prepared_stmt import PreparedStatement
from msgspec import Struct

from pairquiz_server.store.patience import ASYNCPG_S, Patience

log = structlog.get_logger("pairquiz.database")

RECONNECT_S = 2.0
"""A server that plays is not kept waiting as long as one that starts (`connect_timeout_s`)."""
PROBE_S = 1.0
RELEASE_S = 0.5
"""For a cancelled query to end. With `command_timeout_s` twice this, a read ends within 3 s of a frozen database."""
CLOSE_S = 0.5
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
    asyncpg.InternalClientError,  # its state machine, when a session ends in the middle of something
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

NOBODY_THERE = (ConnectionRefusedError, FileNotFoundError, asyncpg.CannotConnectNowError)
"""What asyncpg raises where a new connection is refused because no server is up."""


class _Connection(asyncpg.Connection):
    """One whose end fails for nobody: asyncpg closes those from before an outage in tasks that nobody looks at."""

    __slots__ = ()

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg calls it so
        """Close in order, and where the other end does not answer, drop it."""
        with suppress(*UNAVAILABLE):
            await super().close(timeout=timeout)


class Database:
    """A pool for reads, a connection of its own for the committer, and one that tells whether the database answers.

    Every failure is `StorageUnavailable`. Once somebody has called `probe`, it decides: from its first failure until
    its next success the database is away, and all other work fails at once instead of waiting for its own timeout.
    """

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self._pool: asyncpg.Pool | None = None
        self._writer: asyncpg.Connection | None = None
        self._writer_stale = False
        self._prepared: dict[str, PreparedStatement] = {}
        self._writing = asyncio.Lock()
        self._prober: asyncpg.Connection | None = None
        self._probed = False
        self._there = asyncio.Event()
        self._there.set()
        self._away_because = ""

    @property
    def available(self) -> bool:
        """Whether the database answers; true as long as nobody probes it."""
        return self._there.is_set()

    @property
    def pooled(self) -> bool:
        """Whether a pooler hands our statements to sessions that are others' too."""
        return self._options.transaction_pooler

    async def back(self) -> None:
        """Wait until the database is available."""
        await self._there.wait()

    async def open(self) -> None:
        """Connect. Raises `StorageUnavailable` with the reason."""
        options = self._options
        with _failures_named():
            self._pool = await asyncpg.create_pool(
                options.dsn,
                min_size=options.pool_min,
                max_size=options.pool_max,
                connection_class=_Connection,
                **self._connection_options(),
            )

    async def close(self) -> None:
        """Give all connections back; waits for none that hangs."""
        for connection in (self._writer, self._prober):
            if connection is not None:
                connection.terminate()
        if self._pool is not None:
            # One that a cancelled query still holds would else end in a traceback.
            with suppress(TimeoutError, *UNAVAILABLE):
                await asyncio.wait_for(self._pool.close(), CLOSE_S)

    async def probe(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query on a connection of its own, and take its outcome for that of the whole database.

        To be called again and again, once at a time. Ends within 3 s, and within 1 s while it is connected; `timeout_s`
        is for a query that may take longer, and that is how late a frozen database is noticed then.
        """
        self._probed = True
        try:
            with _failures_named():
                if self._prober is None or self._prober.is_closed():
                    limits = {"timeout": RECONNECT_S, "command_timeout": ASYNCPG_S}
                    self._prober = await asyncpg.connect(self._options.dsn, **self._connection_options() | limits)
                async with Patience(timeout_s or PROBE_S):
                    rows: list[asyncpg.Record] = await self._prober.fetch(query, *arguments)
        except StorageUnavailable as failure:
            if self._prober is not None:
                self._prober.terminate()
                self._prober = None
            self._lose(str(failure))
            raise
        await self._find_again()
        return rows

    async def fetch(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query and return its rows; `timeout_s` is for one that may take longer than a player waits."""
        with _failures_named():
            async with self._lent(timeout_s) as connection:
                return await connection.fetch(query, *arguments, timeout=ASYNCPG_S)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Run one query and return the first value of its first row, None without rows."""
        with _failures_named():
            async with self._lent(None) as connection:
                return await connection.fetchval(query, *arguments, timeout=ASYNCPG_S)

    @asynccontextmanager
    async def _lent(self, timeout_s: float | None) -> AsyncIterator[PoolConnectionProxy]:
        """Lend a connection for one query, which has its own time, and one with everything around it."""
        query = Patience(timeout_s or self._options.command_timeout_s)
        async with Patience(self._patience_s(timeout_s)), self.connection() as connection, query:
            yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[PoolConnectionProxy]:
        """Lend a connection of the pool."""
        self._check_available()
        if self._pool is None:
            raise StorageUnavailable("the database is not open")
        with _failures_named():
            connection = await self._pool.acquire(timeout=self._connect_timeout_s)
            try:
                yield connection
            finally:
                # One that still waits for a query to be cancelled is closed, if that takes long; a task of its own, so
                # that the failure of a release is somebody's even where whoever waits for it is cancelled.
                release = asyncio.ensure_future(self._pool.release(connection, timeout=RELEASE_S))
                release.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.wait({release})
                release.result()

    async def write(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on the committer's connection, which is opened anew after every failure.

        One that met a deadlock has changed nothing, and is run again: at once it may lose to the same other once more.
        """
        async with self._writing:
            self._check_available()
            try:
                with _failures_named():
                    for _ in range(DEADLOCK_RETRIES):
                        with suppress(asyncpg.DeadlockDetectedError):
                            return await self._run(query, arguments)
                    return await self._run(query, arguments)
            except (StorageUnavailable, asyncio.CancelledError):
                # Also where the connection still lives: behind it may be a primary that is none any more.
                self._close_writer()
                raise

    async def _run(self, query: str, arguments: Sequence[object]) -> Sequence[asyncpg.Record]:
        """Run a statement, prepared once for a connection: asyncpg's own way to one costs a sixth of the whole."""
        writer = await self._open_writer()
        async with Patience(self._options.command_timeout_s):
            if self._options.transaction_pooler:
                return await writer.fetch(query, *arguments)
            statement = self._prepared.get(query)
            if statement is None:
                statement = self._prepared[query] = await writer.prepare(query)
            return await statement.fetch(*arguments)

    async def _open_writer(self) -> asyncpg.Connection:
        if self._writer_stale:
            self._close_writer()
        if self._writer is None or self._writer.is_closed():
            try:
                limits = {"command_timeout": ASYNCPG_S}
                self._writer = await asyncpg.connect(self._options.dsn, **self._connection_options() | limits)
                self._prepared = {}
            except NOBODY_THERE as error:
                # Of a line that breaks there may be a hundred reasons; where nobody takes a new one, all is away.
                if self._probed:
                    self._lose(_reason(error))
                raise
            if not self._options.transaction_pooler:
                # Not as parameters of the connection's start, which poolers refuse.
                await self._writer.execute(";".join(f"SET {name} = {value}" for name, value in WRITER_SETTINGS.items()))
        return self._writer

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.terminate()
        self._writer = None
        self._writer_stale = False

    def _check_available(self) -> None:
        if not self.available:
            raise StorageUnavailable(self._away_because)

    def _lose(self, reason: str) -> None:
        self._away_because = reason
        if self.available:
            log.warning("database_away", reason=reason)
        self._there.clear()

    async def _find_again(self) -> None:
        """Take no line that was open before: it may hang, or lead to a primary that is none any more."""
        if self.available:
            return
        log.info("database_back")
        if self._pool is not None:
            # Closes idle ones when they are next asked for, and others when they are given back.
            await self._pool.expire_connections()
        self._writer_stale = True
        self._there.set()

    @property
    def _connect_timeout_s(self) -> float:
        return min(self._options.connect_timeout_s, RECONNECT_S) if self._probed else self._options.connect_timeout_s

    def _patience_s(self, timeout_s: float | None) -> float | None:
        """Return how long a query may take with everything around it, None for one that has its own time."""
        if timeout_s is not None or not self._probed:
            return None
        return self._options.command_timeout_s + RELEASE_S

    def _connection_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "timeout": self._connect_timeout_s,
            "command_timeout": self._options.command_timeout_s,
        }
        if self._options.transaction_pooler:
            options["statement_cache_size"] = 0  # a pooler hands each transaction to another session
        return options


@contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except UNAVAILABLE as error:
        raise StorageUnavailable(_reason(error)) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncpg.PostgresError):
        return str(error).splitlines()[0]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__
