"""Connections to PostgreSQL, and the one place where their failures get a name."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import structlog
from msgspec import Struct

from pairquiz_server.failure import Failure
from pairquiz_server.store.patience import ASYNCPG_S, Patience
from pairquiz_server.store.pooling import Pooling, find_pooling
from pairquiz_server.store.readers import Readers
from pairquiz_server.store.reasons import NOBODY_THERE, UNAVAILABLE, Reason
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
    """The database does not answer, or cannot take writes now. The same work may succeed later.

    `advised` tells that the message says what to do, too.
    """

    def __init__(self, message: str, *, advised: bool = False) -> None:
        super().__init__(message)
        self._advised = advised

    @property
    def told(self) -> str:
        """What a command says of it."""
        if self._advised:
            return f"the database cannot be used: {self}"
        return (
            f"the database cannot be used: {self}. Check DATABASE_URL (or SUPABASE_URL) and that it runs, "
            "or unset it to use the embedded PostgreSQL"
        )


class DatabaseOptions(Struct, frozen=True, kw_only=True):
    """How to reach a database; times in seconds.

    `transaction_pooler` is None where the database is to be asked. `tls` is what its certificate is checked by, None
    where its address says how.
    """

    dsn: str
    pool_min: int = 1
    pool_max: int = 8
    connect_timeout_s: float = 10.0
    command_timeout_s: float = 1.5
    transaction_pooler: bool | None = None
    tls: ssl.SSLContext | None = None


class Database:
    """Connections for reads, one of its own for the committer, and one that tells whether the database answers.

    Every failure is `StorageUnavailable`. Once somebody has called `probe`, it decides: from its first failure until
    its next success the database is away, and all other work fails at once instead of waiting for its own timeout.
    """

    def __init__(self, options: DatabaseOptions) -> None:
        self._options = options
        self._readers: Readers | None = None
        self._writer: Writer | None = None
        self._writer_stale = False
        self._writing = asyncio.Lock()
        self._prober: asyncpg.Connection | None = None
        self._probed = False
        self.pooling = Pooling.TRANSACTION if options.transaction_pooler else Pooling.NONE
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
        """Whether our sessions are a pooler's, which others may have had, or have at the same time."""
        return self.pooling is not Pooling.NONE

    async def back(self) -> None:
        """Wait until the database is available."""
        await self._there.wait()

    async def open(self) -> None:
        """Connect. Raises `StorageUnavailable` with the reason."""
        readers = Readers(self._open_reader, self._options.pool_max)
        with self._failures_named():
            first = await self._first_reader()
            await readers.fill(self._options.pool_min - 1)
        readers.add(first)
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
            with self._failures_named():
                if self._prober is None or self._prober.is_closed():
                    self._prober = await self._connect(timeout=RECONNECT_S, command_timeout=ASYNCPG_S)
                async with Patience(timeout_s or PROBE_S):
                    rows: list[asyncpg.Record] = await self._prober.fetch(query, *arguments)
        except StorageUnavailable as failure:
            if self._prober is not None:
                self._prober.terminate()
                self._prober = None
            self._lose(failure)
            raise
        self._find_again()
        return rows

    async def fetch(self, query: str, *arguments: object, timeout_s: float | None = None) -> list[asyncpg.Record]:
        """Run one query and return its rows; `timeout_s` is for one that may take longer than a player waits."""
        with self._failures_named():
            async with self.connection() as connection, Patience(timeout_s or self._options.command_timeout_s):
                return await connection.fetch(query, *arguments, timeout=ASYNCPG_S)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Run one query and return the first value of its first row, None without rows."""
        with self._failures_named():
            async with self.connection() as connection, Patience(self._options.command_timeout_s):
                return await connection.fetchval(query, *arguments, timeout=ASYNCPG_S)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection for reads."""
        self._check_available()
        if self._readers is None:
            raise StorageUnavailable("the database is not open")
        with self._failures_named():
            async with self._readers.lent(self._place_s) as connection:
                yield connection

    async def write(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Run one statement on the committer's connection, which is opened anew after every failure.

        One that met a deadlock has changed nothing, and is run again: at once it may lose to the same other once more.
        """
        async with self._writing:
            self._check_available()
            try:
                return await self._run(query, arguments)
            except UNAVAILABLE as error:
                # Also where the connection still lives: behind it may be a primary that is none any more.
                self._close_writer()
                raise self._unavailable(error) from error
            except asyncio.CancelledError:
                self._close_writer()
                raise

    async def _run(self, query: str, arguments: Sequence[object]) -> Sequence[asyncpg.Record]:
        for _ in range(DEADLOCK_RETRIES):
            try:
                return await (self._writer_at_hand() or await self._open_writer()).run(query, arguments)
            except asyncpg.DeadlockDetectedError:
                continue
        return await (self._writer_at_hand() or await self._open_writer()).run(query, arguments)

    async def _first_reader(self) -> asyncpg.Connection:
        """Connect, and learn on it what stands before the database."""
        connection = await self._connect()
        try:
            self.pooling = await find_pooling(connection, self._connect, self._options.transaction_pooler)
            if self.pooling is Pooling.NONE:
                return await self._set(connection, READER_SETTINGS)
        except BaseException:
            connection.terminate()
            raise
        log.info("pooler_found", mode=self.pooling.value)
        connection.terminate()
        return await self._open_reader()

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
                self._lose(self._unavailable(error))
            raise
        await self._set(connection, WRITER_SETTINGS)
        prepares = self.pooling is not Pooling.TRANSACTION
        self._writer = Writer(connection, self._options.command_timeout_s, prepares=prepares)
        return self._writer

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

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        self._writer_stale = False

    def _check_available(self) -> None:
        if not self.available:
            raise StorageUnavailable(self._away_because)

    def _lose(self, failure: StorageUnavailable) -> None:
        self._away_because = str(failure)
        if self.available:
            log.warning("database_away", reason=self._away_because)
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
        if self._options.tls is not None:
            options["ssl"] = self._options.tls
        if self.pooling is Pooling.TRANSACTION:
            options["statement_cache_size"] = 0  # a pooler hands each transaction to another session
        return options

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: BaseException) -> StorageUnavailable:
        reason = Reason(error, pooled=self.pooled)
        return StorageUnavailable(reason.text, advised=reason.advised)
