"""Tokens that end while their owners are connected: a word a minute before, and a clean goodbye at the end.

One loop looks after all connections, those that come next first. It looks at the wall clock, because that is what a
token's `exp` is of, and often, so that it makes no difference how that clock was set meanwhile.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine

from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol import frames
from pairquiz_server.protocol.events import TokenExpiring
from pairquiz_server.web.sockets.connections import Connection

WARNING_MS = 60_000
LOOK_EVERY_S = 0.25
_DEAD_MAX = 1000
"""So many entries that are looked at no more may lie about, beside as many as there are connections."""

Dismiss = Callable[[Connection, str], Coroutine[None, None, None]]


class Expiry:
    """Knows until when each connection's token holds."""

    def __init__(self, metrics: Metrics, now: Callable[[], float] = time.time) -> None:
        self._ended = metrics.tokens_ended
        self._now = now
        self._due: list[tuple[int, int]] = []
        """A heap: when to look, and which watch that is. It alone holds nobody."""
        self._watches: dict[Connection, int] = {}
        self._connections: dict[int, Connection] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        """Return how many entries are kept."""
        return len(self._due)

    def watch(self, connection: Connection) -> None:
        """Look after a connection; after a newer token, look by that one."""
        self.forget(connection)
        watch = next(self._numbers)
        self._watches[connection], self._connections[watch] = watch, connection
        heapq.heappush(self._due, (connection.identity.expires_at - WARNING_MS, watch))
        if len(self._due) > 2 * len(self._connections) + _DEAD_MAX:
            self._due = [entry for entry in self._due if entry[1] in self._connections]
            heapq.heapify(self._due)

    def forget(self, connection: Connection) -> None:
        """Look after a connection no more."""
        watch = self._watches.pop(connection, None)
        if watch is not None:
            del self._connections[watch]

    def look(self) -> list[Connection]:
        """Warn whose token ends soon, and return whose token has ended; those are forgotten."""
        now = int(self._now() * 1000)
        ended: list[Connection] = []
        while self._due and self._due[0][0] <= now:
            _, watch = heapq.heappop(self._due)
            connection = self._connections.get(watch)
            if connection is None:
                continue
            expires_at = connection.identity.expires_at
            if expires_at <= now:
                self.forget(connection)
                ended.append(connection)
            else:
                connection.send(frames.event("token_expiring", TokenExpiring(expires_at)))
                heapq.heappush(self._due, (expires_at, watch))
        return ended

    async def run(self, dismiss: Dismiss) -> None:
        """Look, and send away whose token has ended, until cancelled."""
        async with asyncio.TaskGroup() as farewells:
            while True:
                for connection in self.look():
                    self._ended.inc()
                    farewells.create_task(dismiss(connection, "the token has expired"))
                await asyncio.sleep(LOOK_EVERY_S)
