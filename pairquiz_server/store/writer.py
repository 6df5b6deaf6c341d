"""The committer's connection: one statement at a time, prepared once, and one timer that watches over all of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from pairquiz_server.store.patience import LAST_LOOK_S

OUTLIVED = (asyncpg.InvalidSQLStatementNameError, asyncpg.InvalidCachedStatementError)
"""What asyncpg raises, before anything is carried out, where a prepared statement is none any more."""


class Writer:
    """A connection that is closed where the database takes longer than `patience_s` over a statement.

    Its patience is `Patience`'s: whatever has come is read before it is over. A timer and a way to cancel the task for
    each statement would cost as much as asyncpg itself; so one timer looks what is under way, and then looks again.
    """

    def __init__(self, connection: asyncpg.Connection, patience_s: float, *, prepares: bool) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._prepares = prepares
        self._prepared: dict[str, PreparedStatement] = {}
        self._loop = asyncio.get_running_loop()
        self._due_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._given_up = False

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return bool(self._connection.is_closed())

    def close(self) -> None:
        """Let go of the connection; waits for nothing."""
        self._connection.terminate()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def run(self, query: str, arguments: Sequence[object]) -> Sequence[asyncpg.Record]:
        """Run a statement. Raises what asyncpg raises, and `TimeoutError` where the database did not answer in time."""
        self._due_at = self._loop.time() + self._patience_s
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience_s, self._look)
        try:
            if not self._prepares:
                rows: Sequence[asyncpg.Record] = await self._connection.fetch(query, *arguments)
                return rows
            statement = self._prepared.get(query)
            if statement is not None:
                with suppress(*OUTLIVED):
                    return await statement.fetch(*arguments)
            # asyncpg's own cache of statements costs a sixth of the whole.
            statement = self._prepared[query] = await self._connection.prepare(query)
            return await statement.fetch(*arguments)
        except (asyncpg.PostgresConnectionError, AttributeError) as error:
            if self._given_up:
                raise TimeoutError from None
            if self.closed and isinstance(error, AttributeError):
                # asyncpg has lost its own protocol, between two steps of a query.
                raise asyncpg.InterfaceError("the connection was closed") from None
            raise
        finally:
            self._due_at = None

    def _look(self) -> None:
        """Wait for what is under way, and where it is overdue, only until what has come is read."""
        self._timer = None
        if self._due_at is None:
            return
        left_s = self._due_at - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        else:
            self._timer = self._loop.call_later(LAST_LOOK_S, self._end, self._due_at)

    def _end(self, due_at: float) -> None:
        if self._due_at == due_at:
            self._given_up = True
            self.close()
        else:
            self._look()
