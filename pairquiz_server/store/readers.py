"""Connections for reads: each lent to one at a time, made when none is left, and kept for the next."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

from pairquiz_server.metrics import Metrics
from pairquiz_server.store.patience import Patience
from pairquiz_server.store.shortage import Shortage, Turn

CLOSE_S = 0.5
KEPT_S = 300.0
"""What lay unused for longer, a firewall on the way may have forgotten without telling anybody."""
LOST = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.ReadOnlySQLTransactionError)
"""What PostgreSQL says where a session ends, or is one of a primary that is none any more."""


class Readers:
    """At most `most` connections to one database; `connect` makes one, and `kept_s` is how long it may lie unused.

    A pool of asyncpg resets a connection after each use: a round trip, two tasks and a timer, which is three times what
    a short read costs. Here nobody changes a session. One whose use failed otherwise than by PostgreSQL's own word is
    dropped, and PostgreSQL is told to end its query, which would else run on beside those that come next.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        most: int,
        metrics: Metrics | None = None,
        *,
        kept_s: float = KEPT_S,
    ) -> None:
        self._connect = connect
        self._kept_s = kept_s
        self._places = asyncio.Semaphore(most)
        self._idle: list[tuple[asyncpg.Connection, float]] = []
        """With when each was used last, which is their order."""
        self._lent: set[asyncpg.Connection] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._generation = 0
        metrics = metrics or Metrics()
        self._shortage = Shortage(most, metrics)
        metrics.pool_connections.read = lambda: {"lent": len(self._lent), "idle": len(self._idle)}
        metrics.pool_connections_limit.read = lambda: most

    async def fill(self, count: int, *made_before: asyncpg.Connection) -> None:
        """Have so many connections ready, with those that were made before; the first of all is lent first.

        Raises what `connect` raises, and then closes all of them.
        """
        made = list(made_before)
        try:
            while len(made) < count:
                made.append(await self._connect())
        except BaseException:
            for connection in made:
                connection.terminate()
            raise
        for connection in reversed(made):
            self._keep(connection)

    @asynccontextmanager
    async def lent(self, within_s: float) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection, the one that was used last: few are busy where few are enough.

        Who comes while all are lent waits in a queue. Raises `NoneFree` where none comes back `within_s`,
        `TimeoutError` where a new one cannot be made by then, what `connect` raises, and `InterfaceError` where it is
        closed meanwhile.
        """
        generation = self._generation  # one that is made while all others expire may lead where they did
        connection = None if self._places.locked() else self._find_idle()
        if connection is None:
            with self._shortage.turn() as turn:
                async with Patience(within_s):
                    connection = await self._take(turn)
        else:
            await self._places.acquire()  # at once, since there is one
        self._lent.add(connection)
        sound = False
        try:
            yield connection
            sound = True
        except asyncpg.PostgresError as error:
            sound = not isinstance(error, LOST)
            raise
        except AttributeError:
            if connection.is_closed():  # asyncpg has lost its own protocol, between two steps of a query
                raise asyncpg.InterfaceError("the connection was closed") from None
            raise
        finally:
            if sound:
                self._give_back(connection, generation)
            else:
                leaving = asyncio.create_task(self._give_up(connection))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    def expire(self) -> None:
        """Use no connection any more that is there now: each is dropped, or will be when it is given back."""
        self._generation += 1
        for connection, _ in self._idle:
            connection.terminate()
        self._idle.clear()

    async def close(self) -> None:
        """Close all connections; those that are lent, and what hangs, are dropped."""
        self._generation += 1
        for connection in self._lent:
            connection.terminate()
        idle, self._idle = self._idle, []
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                leaving = [connection.close() for connection, _ in idle]
                await asyncio.gather(*leaving, *self._leaving, return_exceptions=True)
        for connection, _ in idle:
            connection.terminate()

    async def _take(self, turn: Turn) -> asyncpg.Connection:
        await self._places.acquire()
        turn.came()
        try:
            return self._find_idle() or await self._connect()
        except BaseException:
            self._places.release()
            raise

    def _find_idle(self) -> asyncpg.Connection | None:
        while self._idle:
            connection, used_at = self._idle.pop()
            if time.monotonic() - used_at > self._kept_s:
                connection.terminate()
            elif not connection.is_closed():
                return connection
        return None

    def _give_back(self, connection: asyncpg.Connection, generation: int) -> None:
        self._lent.discard(connection)
        if generation == self._generation and not connection.is_in_transaction():
            self._keep(connection)
        else:
            connection.terminate()
        self._places.release()

    async def _give_up(self, connection: asyncpg.Connection) -> None:
        """Let a connection go, and its place when it is gone: so no more than `most` queries ever run."""
        try:
            with suppress(Exception):
                await connection.close(timeout=CLOSE_S)  # tells PostgreSQL first to end what was asked
        finally:
            connection.terminate()
            self._lent.discard(connection)
            self._places.release()

    def _keep(self, connection: asyncpg.Connection) -> None:
        now = time.monotonic()
        self._idle.append((connection, now))
        if now - self._idle[0][1] > self._kept_s:
            oldest, _ = self._idle.pop(0)
            oldest.terminate()
