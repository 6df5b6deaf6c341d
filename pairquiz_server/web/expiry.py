"""Tokens that end while their owners are connected: a word a minute before, and a clean goodbye at the end.

One loop looks after all connections, those that come next first. It looks at the wall clock, because that is what a
token's `exp` is of, and often, so that it makes no difference how that clock was set meanwhile.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine

from pairquiz_server.protocol import frames
from pairquiz_server.protocol.events import TokenExpiring
from pairquiz_server.web.connections import Connection

WARNING_MS = 60_000
LOOK_EVERY_S = 0.25
_DEAD_MAX = 1000
"""So many entries of connections that are gone may lie about, beside as many as there are living ones."""

Dismiss = Callable[[Connection, str], Coroutine[None, None, None]]


class Expiry:
    """Knows until when each connection's token holds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._due: list[tuple[int, int, Connection]] = []
        """A heap: when to look at which connection, by which order."""
        self._orders: dict[Connection, int] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        """Return how many entries are kept."""
        return len(self._due)

    def watch(self, connection: Connection) -> None:
        """Look after a connection; after a newer token, look by that one."""
        self._orders[connection] = next(self._numbers)
        self._look_again(connection, connection.identity.expires_at - WARNING_MS)
        if len(self._due) > 2 * len(self._orders) + _DEAD_MAX:
            self._due = [entry for entry in self._due if self._orders.get(entry[2]) == entry[1]]
            heapq.heapify(self._due)

    def forget(self, connection: Connection) -> None:
        """Look after a connection no more."""
        self._orders.pop(connection, None)

    def look(self) -> list[Connection]:
        """Warn whose token ends soon, and return whose token has ended; those are forgotten."""
        now = int(self._now() * 1000)
        ended: list[Connection] = []
        while self._due and self._due[0][0] <= now:
            at, order, connection = heapq.heappop(self._due)
            if self._orders.get(connection) != order:
                continue
            expires_at = connection.identity.expires_at
            if expires_at <= now:
                self.forget(connection)
                ended.append(connection)
                continue
            if at < expires_at:
                connection.send(frames.event("token_expiring", TokenExpiring(expires_at)))
            self._look_again(connection, expires_at)
        return ended

    async def run(self, dismiss: Dismiss) -> None:
        """Look, and send away whose token has ended, until cancelled."""
        async with asyncio.TaskGroup() as farewells:
            while True:
                for connection in self.look():
                    farewells.create_task(dismiss(connection, "the token has expired"))
                await asyncio.sleep(LOOK_EVERY_S)

    def _look_again(self, connection: Connection, at: int) -> None:
        heapq.heappush(self._due, (at, self._orders[connection], connection))
