"""Connections for reads: each lent to one at a time, made when none is left, and kept for the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

from pairquiz_server.store.patience import Patience

CLOSE_S = 0.5


class Readers:
    """At most `most` connections to one database; `connect` makes one.

    A pool of asyncpg resets a connection after each use: a round trip, two tasks and a timer, which is three times what
    a short read costs. Here nobody changes a session. One whose use failed otherwise than by PostgreSQL's own word is
    dropped: its query may still run.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], most: int) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(most)
        self._idle: list[asyncpg.Connection] = []
        self._lent: set[asyncpg.Connection] = set()
        self._generation = 0

    async def fill(self, count: int) -> None:
        """Have so many connections ready. Raises what `connect` raises."""
        while len(self._idle) < count:
            self._idle.append(await self._connect())

    @asynccontextmanager
    async def lent(self, within_s: float) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection, the one that was used last: few are busy where few are enough.

        Raises TimeoutError where none can be had `within_s`, and what `connect` raises.
        """
        if self._idle and not self._places.locked():
            connection = await self._take()
        else:
            async with Patience(within_s):
                connection = await self._take()
        generation = self._generation
        sound = False
        try:
            yield connection
            sound = True
        except asyncpg.PostgresError:
            sound = True
            raise
        finally:
            self._lent.discard(connection)
            if sound and generation == self._generation and not connection.is_in_transaction():
                self._idle.append(connection)
            else:
                connection.terminate()
            self._places.release()

    def expire(self) -> None:
        """Use no connection any more that is there now: each is dropped, or will be when it is given back."""
        self._generation += 1
        for connection in self._idle:
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
                await asyncio.gather(*[connection.close() for connection in idle], return_exceptions=True)
        for connection in idle:
            connection.terminate()

    async def _take(self) -> asyncpg.Connection:
        await self._places.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    break
            else:
                connection = await self._connect()
        except BaseException:
            self._places.release()
            raise
        self._lent.add(connection)
        return connection
