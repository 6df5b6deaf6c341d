"""How work that goes on for ever rests, and ends: between two rounds, never within a query."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from pairquiz_server.store.pool import StorageUnavailable

log = structlog.get_logger("pairquiz.pace")


class Pace:
    """The rhythm of one piece of work. A query that is cancelled leaves its connection to nobody, so that none is."""

    def __init__(self) -> None:
        self._stopped = False
        self._wake = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Whether the next round is not to begin."""
        return self._stopped

    def stop(self) -> None:
        """End the rest that is going on, and begin no other round."""
        self._stopped = True
        self._wake.set()

    def hurry(self) -> None:
        """End the rest that is going on, or the next one."""
        self._wake.set()

    async def rest(self, seconds: float) -> None:
        """Wait, but no longer than until `stop` or `hurry`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        if not self._stopped:
            self._wake.clear()

    async def repeat(self, seconds: float, work: Callable[[], Awaitable[object]], name: str) -> None:
        """Do the work, and rest, until `stop`. Nothing that it raises ends it: the next round tries again."""
        failing = False
        while not self.stopped:
            try:
                await work()
                failing = False
            except StorageUnavailable as error:
                if not failing:
                    log.warning("work_failed", work=name, reason=str(error))
                failing = True
            except Exception:
                log.exception("work_failed", work=name)  # a fault of ours must not end all such work
            await self.rest(seconds)
