"""Connections to PostgreSQL, and the one place where their failures get a name."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import structlog
from msgspec import Struct

from pairquiz_server.failure import Failure
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.patience import ASYNCPG_S, Patience
from pairquiz_server.store.queries import name_of
from pairquiz_server.store.readers import Readers
from pairquiz_server.store.writer import Writer

log = structlog.get_logger("pairquiz.database")

RECONNECT_S = 2.0
"""A server that plays is not kept waiting as long as one that starts (`connect_timeout_s`)."""
PROBE_S = 1.0
PLACE_S = 1.2
"""A read waits so long for a connection at most: with `command_timeout_s` it ends within 3 s of a frozen database."""
DEADLOCK_RETRIES = 4
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


class StorageUnavailable(Failure):
    """The database does not answer, or cannot take writes now. The same work may succeed later."""

    @property
    def told(self) -> str:
        """What a command says of it."""
        return (
            f"the database cannot be used: {self}. Check DATABASE_URL (or SUPABASE_URL) and that it runs, "
            "or unset it to use the embedded PostgreSQL"
        )


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


class Database:
    """Connections for reads, one of its own for the committer, and one that tells whether the database answers.

    Every failure is `StorageUnavailable`. Once somebody has called `probe`, it decides: from its first failure until
    its next success the database is away, and all other work fails at once instead of waiting for its own timeout.
    """

    def __init__(self, options: DatabaseOptions, metrics: Metrics | None = None) -> None:
        self._options = options
        self._metrics = metrics or Metrics()
        self._readers: Readers | None = None
        self._writer: Writer | None = None
        self._writer_stale = False
        self._writing = asyncio.Lock()
        self._prober: asyncpg.Connection | None = None
        self._probed = False
        self._closed = False
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
        readers = Readers(self._open_reader, self._options.pool_max, self._metrics)
        with _failures_named():
            await readers.fill(self._options.pool_min)
        self._readers = readers

    async def close(self) -> None:
        """Give all connections back, and take no more; waits for none that hangs."""
        self._closed = True
        self._close_writer()
        if self._prober is not None:
            self._prober.terminate()
        if self._readers is not None:
            await self._readers.close()

    async def probe(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query on a connection of its own, and take its outcome for that of the whole database.

        To be called again and again, once at a time. Ends within 3 s, and within 1 s while it is connected; `timeout_s`
        is for a query that may take longer, and that is how late a frozen database is noticed then.
        """
        self._probed = True
        try:
            with _failures_named():
                if self._prober is None or self._prober.is_closed():
                    self._prober = await self._connect(timeout=RECONNECT_S, command_timeout=ASYNCPG_S)
                began = time.monotonic()
                async with Patience(timeout_s or PROBE_S):
                    rows: list[asyncpg.Record] = await self._prober.fetch(query, *arguments)
                self._note(query, began)
        except StorageUnavailable as failure:
            if self._prober is not None:
                self._prober.terminate()
                self._prober = None
            self._metrics.query_errors.count(name_of(query))
            self._lose(str(failure))
            raise
        self._find_again()
        return rows

    async def fetch(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query and return its rows; `timeout_s` is for one that may take longer than a player waits."""
        async with self._asking(query, timeout_s) as connection:
            return await connection.fetch(query, *arguments, timeout=ASYNCPG_S)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Run one query and return the first value of its first row, None without rows."""
        async with self._asking(query) as connection:
            return await connection.fetchval(query, *arguments, timeout=ASYNCPG_S)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection for reads."""
        self._check_available()
        if self._readers is None:
            raise StorageUnavailable("the database is not open")
        with _failures_named():
            async with self._readers.lent(self._place_s) as connection:
                yield connection

    @asynccontextmanager
    async def _asking(self, query: str, timeout_s: float | None = None) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection for one query, as long as that may take."""
        try:
            async with self.connection() as connection:
                began = time.monotonic()
                async with Patience(timeout_s or self._options.command_timeout_s):
                    yield connection
                self._note(query, began)
        except StorageUnavailable:
            self._metrics.query_errors.count(name_of(query))
            raise

    def _note(self, query: str, began: float) -> None:
        self._metrics.query_seconds.observe(name_of(query), time.monotonic() - began)

    async def write(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on the committer's connection, which is opened anew after every failure.

        One that met a deadlock has changed nothing, and is run again: at once it may lose to the same other once more.
        """
        async with self._writing:
            self._check_available()
            began = time.monotonic()
            try:
                rows = await self._run(query, arguments)
            except UNAVAILABLE as error:
                self._metrics.query_errors.count(name_of(query))
                # Also where the connection still lives: behind it may be a primary that is none any more.
                self._close_writer()
                raise StorageUnavailable(_reason(error)) from error
            except asyncio.CancelledError:
                self._close_writer()
                raise
            self._note(query, began)
            return rows

    async def _run(self, query: str, arguments: Sequence[object]) -> Sequence[asyncpg.Record]:
        for _ in range(DEADLOCK_RETRIES):
            try:
                return await (self._writer_at_hand() or await self._open_writer()).run(query, arguments)
            except asyncpg.DeadlockDetectedError:
                continue
        return await (self._writer_at_hand() or await self._open_writer()).run(query, arguments)

    async def _open_reader(self) -> asyncpg.Connection:
        return await self._set(await self._connect(), READER_SETTINGS)

    async def _connect(self, **limits: float | None) -> asyncpg.Connection:
        if self._closed:
            raise asyncpg.InterfaceError("it is closed")
        return await asyncpg.connect(self._options.dsn, **self._connection_options() | limits)

    def _writer_at_hand(self) -> Writer | None:
        return None if self._writer is None or self._writer_stale or self._writer.closed else self._writer

    async def _open_writer(self) -> Writer:
        self._close_writer()
        try:
            connection = await self._connect(command_timeout=None)
        except NOBODY_THERE as error:
            # Of a line that breaks there may be a hundred reasons; where nobody takes a new one, all is away.
            if self._probed:
                self._lose(_reason(error))
            raise
        await self._set(connection, WRITER_SETTINGS)
        prepares = not self._options.transaction_pooler
        self._writer = Writer(connection, self._options.command_timeout_s, prepares=prepares)
        return self._writer

    async def _set(self, connection: asyncpg.Connection, settings: dict[str, str]) -> asyncpg.Connection:
        """Set what a session goes by, and return it; not as parameters of its start, which poolers refuse."""
        if self._options.transaction_pooler:
            return connection
        try:
            async with Patience(self._options.command_timeout_s):
                await connection.execute(";".join(f"SET {name} = {value}" for name, value in settings.items()))
        except BaseException:  # nobody else knows it yet
            connection.terminate()
            raise
        return connection

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
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

    def _find_again(self) -> None:
        """Take no line that was open before: it may hang, or lead to a primary that is none any more."""
        if self.available:
            return
        log.info("database_back")
        if self._readers is not None:
            self._readers.expire()
        self._writer_stale = True
        self._there.set()

    @property
    def _connect_timeout_s(self) -> float:
        return min(self._options.connect_timeout_s, RECONNECT_S) if self._probed else self._options.connect_timeout_s

    @property
    def _place_s(self) -> float:
        return PLACE_S if self._probed else self._connect_timeout_s

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
