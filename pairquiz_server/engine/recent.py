"""An answer that many ask for and few need at once: found once, and given to all who ask within a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """What `find` returned at most `keep_s` ago. However many ask, it runs once at a time; a failure is not kept."""

    def __init__(self, find: Callable[[], Awaitable[T]], keep_s: float) -> None:
        self._find = find
        self._keep_s = keep_s
        self._found: asyncio.Future[T] | None = None
        self._asked_at = 0.0

    def keep(self, found: T) -> None:
        """Take what somebody else has found just now."""
        loop = asyncio.get_running_loop()
        self._found = loop.create_future()
        self._found.set_result(found)
        self._asked_at = loop.time()

    def at_hand(self) -> T | None:
        """Return what was found lately, None where it has to be looked for."""
        found = self._found
        if found is None or not found.done() or self._is_old(found, found.get_loop().time()):
            return None
        return found.result()

    async def get(self) -> T:
        """Return what was found; raises what `find` raises."""
        now = asyncio.get_running_loop().time()
        found = self._found
        if found is None or (found.done() and self._is_old(found, now)):
            found = self._found = asyncio.ensure_future(self._find())
            found.add_done_callback(_failed)  # all who asked may be gone by then, and a failure is nobody's any more
            self._asked_at = now
        # Whoever asks may go away; all the others still wait.
        return await asyncio.shield(found)

    def _is_old(self, found: "asyncio.Future[T]", now: float) -> bool:
        return now - self._asked_at > self._keep_s or _failed(found)


def _failed(found: "asyncio.Future[T]") -> bool:
    return found.cancelled() or found.exception() is not None
