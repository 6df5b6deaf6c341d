"""The pulse of websockets, by one clock for all: Engine.IO's pings, and the end of who is silent or does not read.

python-engineio has a task a session for the first, and looks at each session only so often for the second; by then an
opponent would have waited for twice as long. Each websocket is looked at when its next ping is due, and no sooner;
those that do not take what is sent to them, all the time.
"""

import asyncio
import time
from collections.abc import Callable
from weakref import ref

from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.sockets.transport import Transports, Websocket
from pairquiz_server.web.sockets.wheel import Wheel

LOOK_EVERY_S = 0.25


class Beats:
    """Sends pings when they are due, and ends what is silent for `silence_s`, or takes nothing for `stall_s`."""

    def __init__(
        self,
        transports: Transports,
        refusals: Refusals,
        *,
        silence_s: float,
        stall_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transports = transports
        self._refusals = refusals
        self._silence_s = silence_s
        self._stall_s = stall_s
        self._now = now
        self._due = Wheel[ref[Websocket]](LOOK_EVERY_S, now())
        """What is closed need not wait for it."""
        self._unsent: dict[Websocket, tuple[int, float]] = {}
        """What waited at the last look, and since when none of it was taken."""

    def websocket_opened(self, websocket: Websocket) -> None:
        """Send pings to a websocket from now on."""
        self._look_again(websocket)

    def websocket_ended(self, websocket: Websocket) -> None:
        """Hear of one that is closed: it is gone, and its place here when it would have been looked at."""
        self._unsent.pop(websocket, None)

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Look at those that are due, and at those that take what is sent to them too slowly."""
        now = self._now()
        for due in self._due.take(now):
            websocket = due()
            if websocket is None or websocket.transport is None:
                continue
            if websocket.carries and now - websocket.heard_at >= self._silence_s:
                await self._transports.drop(websocket.eio_sid)
                continue
            if websocket.beat_at <= now:
                websocket.beat(now)
            if not websocket.clear:
                self._transports.choked(websocket)
            self._look_again(websocket)
        if self._transports.slow or self._unsent:
            self._look_at_slow(now)

    def _look_again(self, websocket: Websocket) -> None:
        self._due.put(ref(websocket), min(websocket.beat_at, websocket.heard_at + self._silence_s))

    def _look_at_slow(self, now: float) -> None:
        before, self._unsent = self._unsent, {}
        for websocket in list(self._transports.slow):
            unsent = 0 if websocket.transport is None else websocket.transport.get_write_buffer_size()
            if not unsent:
                self._transports.slow.discard(websocket)
                continue
            last, since = before.get(websocket, (unsent + 1, now))
            if unsent < last:
                since = now
            elif now - since > self._stall_s:
                self._refusals.note("stalled_reader", unsent=str(unsent))
                websocket.abort()
            self._unsent[websocket] = (unsent, since)
