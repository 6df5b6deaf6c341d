"""How fast one session is read, by websocket and POST: who sends more takes turns with everybody else, the rest waits.

A limit by commands does not do it: a PONG, or an acknowledgement that nobody asked for, costs little, but aiohttp hands
over all that has come of one connection before any other has its turn.
"""

import asyncio
import time
from collections.abc import Callable

from pairquiz_server.web.guard.buckets import Bucket

PAUSE_S = 0.02
"""The shortest wait: a few frames a turn cost less than a turn for each."""


class Pace:
    """The pace of one session. `slowed` is called each time that it has to wait."""

    def __init__(self, frames: Bucket, slowed: Callable[[], None]) -> None:
        self._frames = frames
        self._slowed = slowed

    async def next(self) -> None:
        """Wait until one more frame may be read."""
        while wait_s := self._frames.take(time.monotonic()):
            self._slowed()
            await asyncio.sleep(max(wait_s, PAUSE_S))
