"""How work that goes on for ever rests, and ends: between two rounds, never within a query."""

import asyncio
from contextlib import suppress


class Pace:
    """The rhythm of one piece of work. A query that is cancelled leaves its connection to nobody, so that none is."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Whether the next round is not to begin."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the rest that is going on, and begin no other round."""
        self._stop.set()

    async def rest(self, seconds: float) -> None:
        """Wait, but no longer than until `stop`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
