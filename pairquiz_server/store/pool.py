"""Connections to PostgreSQL, and the one place where their failures get a name."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from pairquiz_server.failure import Failure
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.availability import Availability
from pairquiz_server.store.connector import Connector, DatabaseOptions
from pairquiz_server.store.patience import ASYNCPG_S, Patience
from pairquiz_server.store.pooling import Pooling
from pairquiz_server.store.queries import name_of
from pairquiz_server.store.readers import Readers
from pairquiz_server.store.reasons import NOBODY_THERE, UNAVAILABLE, Reason
from pairquiz_server.store.writer import Writer

PROBE_S = 1.0
PLACE_S = 1.2
"""A read waits so long for a connection at most: with `command_timeout_s` it ends within 3 s of a frozen database."""
DEADLOCK_RETRIES = 4


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


class Database:
    """Connections for reads, one of its own for the committer, and one that tells whether the database answers.

    Every failure is `StorageUnavailable`. Once somebody has called `probe`, it decides: from its first failure until
    its next success the database is away, and all other work fails at once instead of waiting for its own timeout.
    """

    def __init__(self, options: DatabaseOptions, metrics: Metrics | None = None) -> None:
        self._options = options
        self._connector = Connector(options)
        self._metrics = metrics or Metrics()
        self._readers: Readers | None = None
        self._writer: Writer | None = None
        self._writer_stale = False
        self._writing = asyncio.Lock()
        self._prober: asyncpg.Connection | None = None
        self._availability = Availability()

    @property
    def available(self) -> bool:
        """Whether the database answers; true as long as nobody probes it."""
        return self._availability.there

    @property
    def pooling(self) -> Pooling:
        """What stands before the database, as it was found when it was opened."""
        return self._connector.pooling

    @property
    def pooled(self) -> bool:
        """Whether our sessions are a pooler's, which others may have had, or have at the same time."""
        return self.pooling is not Pooling.NONE

    async def back(self) -> None:
        """Wait until the database is available."""
        await self._availability.back()

    async def open(self) -> None:
        """Connect. Raises `StorageUnavailable` with the reason."""
        readers = Readers(self._connector.open_reader, self._options.pool_max, self._metrics)
        if self._options.pool_min > 0:
            with self._failures_named():
                await readers.fill(self._options.pool_min, await self._connector.open_first_reader())
        self._readers = readers

    async def close(self) -> None:
        """Give all connections back, and take no more; waits for none that hangs."""
        self._connector.closed = True
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
        self._connector.hurried = True
        try:
            with self._failures_named():
                if self._prober is None or self._prober.is_closed():
                    self._prober = await self._connector.connect(command_timeout=ASYNCPG_S)
                began = time.monotonic()
                async with Patience(timeout_s or PROBE_S):
                    rows: list[asyncpg.Record] = await self._prober.fetch(query, *arguments)
                self._note(query, began)
        except StorageUnavailable as failure:
            if self._prober is not None:
                self._prober.terminate()
                self._prober = None
            self._metrics.query_errors.count(name_of(query))
            self._availability.lost(str(failure))
            raise
        if not self.available:
            self._leave_lines()
        self._availability.found()
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
        with self._failures_named():
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
                raise self._unavailable(error) from error
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

    def _writer_at_hand(self) -> Writer | None:
        return None if self._writer is None or self._writer_stale or self._writer.closed else self._writer

    async def _open_writer(self) -> Writer:
        self._close_writer()
        try:
            connection = await self._connector.open_writer()
        except NOBODY_THERE as error:
            # Of a line that breaks there may be a hundred reasons; where nobody takes a new one, all is away.
            if self._connector.hurried:
                self._availability.lost(str(self._unavailable(error)))
            raise
        prepares = self.pooling is not Pooling.TRANSACTION
        self._writer = Writer(connection, self._options.command_timeout_s, prepares=prepares)
        return self._writer

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None
        self._writer_stale = False

    def _check_available(self) -> None:
        if not self.available:
            raise StorageUnavailable(self._availability.away_because)

    def _leave_lines(self) -> None:
        """Use no line any more that was open before: it may hang, or lead to a primary that is none any more."""
        if self._readers is not None:
            self._readers.expire()
        self._writer_stale = True

    @property
    def _place_s(self) -> float:
        return PLACE_S if self._connector.hurried else self._options.connect_timeout_s

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: BaseException) -> StorageUnavailable:
        reason = Reason(error, pooled=self.pooled)
        return StorageUnavailable(reason.text, advised=reason.advised)
