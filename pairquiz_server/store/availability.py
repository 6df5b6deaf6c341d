"""Whether a database answers, by the word of who asks it again and again."""

import asyncio

import structlog

log = structlog.get_logger("pairquiz.database")


class Availability:
    """There until it is `lost`, and again when it is `found`; whatever changes is logged."""

    def __init__(self) -> None:
        self._there = asyncio.Event()
        self._there.set()
        self.away_because = ""
        """Why it was lost the last time."""

    @property
    def there(self) -> bool:
        """Whether it answers."""
        return self._there.is_set()

    async def back(self) -> None:
        """Wait until it is there."""
        await self._there.wait()

    def lost(self, because: str) -> None:
        """Note that it does not answer."""
        self.away_because = because
        if self.there:
            log.warning("database_away", reason=because)
        self._there.clear()

    def found(self) -> None:
        """Note that it answers; those who wait for it go on in the next turn of the loop."""
        if not self.there:
            log.info("database_back")
        self._there.set()
