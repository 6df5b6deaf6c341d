"""Players as the terminal has them, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pairquiz_server.client.beside import beside
from pairquiz_server.client.duel import Duel
from pairquiz_server.client.hearing import Heard
from pairquiz_server.client.line import Line
from pairquiz_server.client.seat import Seat


class Watched(Seat):
    """A seat that keeps the names of what it has heard, and its tokens."""

    def __init__(self, line: Line, tokens: list[str]) -> None:
        super().__init__(line, self._keep)
        self.heard: list[str] = []
        self.tokens = tokens
        self._more = asyncio.Event()

    async def until_heard(self, name: str) -> None:
        """Wait for an event, which may have come already."""
        while name not in self.heard:
            self._more = asyncio.Event()
            await self._more.wait()

    def _keep(self, event: Heard, before: Duel | None, now: Duel | None) -> None:
        self.heard.append(event.name)
        self._more.set()


@asynccontextmanager
async def seated(url: str) -> AsyncIterator[Watched]:
    """A guest who listens."""
    tokens: list[str] = []
    line = Line(url, None, tokens.append)
    await line.open()
    seat = Watched(line, tokens)
    over = asyncio.Event()
    listening = asyncio.create_task(beside(over.wait(), line.keep(), seat.listen()))
    try:
        yield seat
    finally:
        over.set()
        await listening
        await line.close()


async def duel_of(first: Watched, second: Watched, **wishes: object) -> str:
    """Let two have a match that is ready, and return its session id."""
    opened = await first.create(wishes)
    await second.join({"session_id": opened.session_id})
    await first.until(lambda duel: duel.status == "ready")
    return opened.session_id
