"""How fast one session is read, by websocket and POST: who sends more takes turns with everybody else, the rest waits.

A limit by commands does not do it: a PONG, or an acknowledgement that nobody asked for, costs little, but all that has
come of one connection is carried out before any other has its turn.
"""

import asyncio
import time
from collections.abc import Callable

from pairquiz_server.web.guard.buckets import Bucket, Rate

PAUSE_S = 0.02
"""The shortest wait: a few frames a turn cost less than a turn for each."""


class Pace(Bucket):
    """The pace of one session: a token a frame. `slowed` is called each time that it has to wait."""

    __slots__ = ("_slowed",)

    def __init__(self, frames: Rate, slowed: Callable[[], None]) -> None:
        super().__init__(frames)
        self._slowed = slowed

    async def next(self) -> None:
        """Wait until one more frame may be read."""
        while wait_s := self.take(time.monotonic()):
            await self.pause(wait_s)

    async def pause(self, wait_s: float) -> None:
        """Wait until there may be a token again, which `take` has told."""
        self._slowed()
        await asyncio.sleep(max(wait_s, PAUSE_S))
