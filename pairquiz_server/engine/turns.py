"""One after the other, by key."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Turns by key. Who waits for several waits in the order of the keys, so that nobody waits for each other."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[asyncio.Future[None]]] = {}
        """With those who wait for each, the first in front."""

    @asynccontextmanager
    async def of(self, *keys: str) -> AsyncIterator[None]:
        """Wait for the turn of each key, and have them until the end."""
        taken: list[str] = []
        try:
            for key in sorted(keys):
                await self._take(key)
                taken.append(key)
            yield
        finally:
            for key in taken:
                self.give_back(key)

    def take_at_once(self, key: str) -> bool:
        """Take a turn that is nobody's, to give it back by `give_back`; tell whether it was."""
        if key in self._taken:
            return False
        self._taken[key] = deque()
        return True

    def give_back(self, key: str) -> None:
        """End a turn that was taken."""
        waiting = self._taken[key]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():  # else whoever waited is gone
                turn.set_result(None)
                return
        del self._taken[key]

    async def _take(self, key: str) -> None:
        if self.take_at_once(key):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taken[key].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it has come all the same
                self.give_back(key)
            raise
