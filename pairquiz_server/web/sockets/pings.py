"""How long the lines of players are: measured with PING frames of our own, whose answers no page's script holds back.

A websocket's PONG comes from the browser itself, and one of Engine.IO from the page. Each PING has a payload by chance,
so that none can be answered before it has come; only the first answer to the last one counts. What a native client
gains by answering late, or a page by sending much before its PONGs, is bounded by `rules/lag`. One clock sends them
all.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.lag import TRUSTED_FROM, UNMEASURED
from pairquiz_server.web.sockets.transport import Websocket
from pairquiz_server.web.sockets.wheel import Wheel

TICK_S = 0.05
AT_FIRST_S = 0.1
"""A new line is measured as often as it takes to trust it, one trip soon after the other."""
IN_DOUBT_S = 1.0
"""After a trip that is not as the line's others are, some more follow: either it was one alone, or the line is another
one now. They are so far apart that no short hiccup takes more than one."""
JITTER = 0.3
_PAYLOAD_BYTES = 8
_AT_A_TIME = 128


class _Measured:
    """One websocket, None at its end. `payload` is that of the PING that is under way, if one is.

    `doubts` is how many trips are still to follow one that was not as the others.
    """

    __slots__ = ("doubts", "due_at", "payload", "sent_at", "websocket")

    def __init__(self, websocket: Websocket) -> None:
        self.websocket: Websocket | None = websocket
        self.doubts = 0
        self.due_at = 0.0
        self.sent_at = 0.0
        self.payload: bytes | None = None


class Pings:
    """Measures the round trips of this process's websockets. Polling has none, and so is credited nothing.

    Each is measured every `interval_s`, or by chance sooner. The ping of Engine.IO that would be due before the next
    measure goes with it: so a line that is idle costs one write. After a trip that is unlike the line's others it is
    measured again soon. One that did not answer until the next PING has lost its measure, and a new websocket begins
    without one.
    """

    def __init__(
        self,
        metrics: Metrics,
        interval_s: float,
        *,
        now: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._round_trip_seconds = metrics.round_trip_seconds
        self._interval_s = interval_s
        self._now = now
        self._random = random or Random()  # noqa: S311 - pauses alone; what a PING holds is no less than a secret
        self._payloads = _unguessable()
        self._due = Wheel[_Measured](TICK_S, now())
        self._by_websocket: dict[Websocket, _Measured] = {}

    def websocket_opened(self, websocket: Websocket) -> None:
        """Measure a websocket from now on."""
        measured = self._by_websocket[websocket] = _Measured(websocket)
        self._measure_in(AT_FIRST_S, measured)
        websocket.on_pong = partial(self._answered, measured)

    def websocket_ended(self, websocket: Websocket) -> None:
        """Forget a websocket that is closed, and its measure with it."""
        measured = self._by_websocket.pop(websocket)
        measured.websocket = None  # what is not due yet holds no closed websocket

    async def run(self) -> None:
        """Send PINGs, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            await self.tick()

    async def tick(self) -> None:
        """Send a PING to every websocket that is due, and to which nothing waits to be sent: that would be measured."""
        now = self._now()
        for measured in self._due.take(now):
            websocket = measured.websocket
            if measured.due_at > now or websocket is None:
                continue  # it was put at another time meanwhile, or is closed
            if not websocket.clear:
                self._measure_in(AT_FIRST_S, measured)
                continue
            self._measure_in(self._interval_s, measured)
            if measured.payload is not None:
                websocket.trips, measured.doubts = UNMEASURED, 0
            if websocket.beat_at <= measured.due_at:
                websocket.beat(now)  # leaves by the same write
            measured.payload = next(self._payloads)
            measured.sent_at = self._now()
            try:
                websocket.ping(measured.payload)
            except OSError:
                measured.payload = None  # it is closing, and nobody will answer

    def _answered(self, measured: _Measured, payload: bytes) -> None:
        websocket = measured.websocket
        if payload != measured.payload or websocket is None:
            return  # nobody has asked, or too long ago, or it was answered before
        took_s = self._now() - measured.sent_at
        self._round_trip_seconds.observe(took_s)
        measured.payload = None
        trip_ms = round(took_s * 1000)
        before, websocket.trips = websocket.trips, websocket.trips.after(trip_ms)
        if websocket.trips.typical_ms is None:
            self._measure_in(AT_FIRST_S, measured)
        elif measured.doubts:
            measured.doubts -= 1
            if measured.doubts:
                self._measure_in(IN_DOUBT_S, measured)
        elif before.surprised_by(trip_ms):
            measured.doubts = TRUSTED_FROM - 1
            self._measure_in(IN_DOUBT_S, measured)

    def _measure_in(self, span_s: float, measured: _Measured) -> None:
        measured.due_at = self._now() + span_s * self._random.uniform(1 - JITTER, 1)
        self._due.put(measured, measured.due_at)


def _unguessable() -> Iterator[bytes]:
    """Yield payloads by chance; the kernel is asked for many at a time."""
    while True:
        many = os.urandom(_AT_A_TIME * _PAYLOAD_BYTES)
        for at in range(0, len(many), _PAYLOAD_BYTES):
            yield many[at : at + _PAYLOAD_BYTES]
