"""How long the lines of players are: measured with PING frames of our own, whose answers no page's script holds back.

A websocket's PONG comes from the browser itself, and one of Engine.IO from the page. Each PING has a payload by chance,
so that none can be answered before it has come; only the first answer to the last one counts. What a native client
gains by answering late, or a page by sending much before its PONGs, is bounded by `rules/lag`. One clock sends them
all.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.lag import RoundTrips, lag_of
from pairquiz_server.web.sockets.transport import Websocket

TICK_S = 0.05
AT_FIRST_S = 0.1
"""A new line is measured as often as it takes to trust it, one trip soon after the other."""
JITTER = 0.3
_PAYLOAD_BYTES = 8
_UNMEASURED = RoundTrips()


class _Measured:
    """One websocket. `payload` is that of the PING that is under way, if one is; `due_at` is None at its end."""

    __slots__ = ("due_at", "payload", "sent_at", "trips", "websocket")

    def __init__(self, websocket: Websocket) -> None:
        self.websocket: Websocket | None = websocket
        self.due_at: float | None = None
        self.sent_at = 0.0
        self.payload: bytes | None = None
        self.trips = _UNMEASURED


class Pings:
    """The websockets of this process, and their round trips. Polling has none, and so is credited nothing.

    Each is measured every `interval_s`, or by chance sooner. The ping of Engine.IO that would be due before the next
    measure goes with it: so a line that is idle costs one write. One that did not answer until the next PING has lost
    its measure, and a new websocket begins without one.
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
        self._due: list[tuple[float, int, _Measured]] = []
        self._entries = count()
        self._by_websocket: dict[Websocket, _Measured] = {}
        self._by_session: dict[str, list[_Measured]] = {}

    def websocket_opened(self, websocket: Websocket) -> None:
        """Measure a websocket from now on."""
        measured = self._by_websocket[websocket] = _Measured(websocket)
        self._measure_in(AT_FIRST_S, measured)
        self._by_session.setdefault(websocket.eio_sid, []).append(measured)
        websocket.on_pong = partial(self._answered, measured)

    def websocket_ended(self, websocket: Websocket) -> None:
        """Forget a websocket that is closed, and its measure with it."""
        measured = self._by_websocket.pop(websocket)
        measured.due_at = measured.websocket = None  # what is not due yet holds no closed websocket
        rest = [one for one in self._by_session.pop(websocket.eio_sid) if one is not measured]
        if rest:
            self._by_session[websocket.eio_sid] = rest

    def lag_ms(self, eio_sid: str, others: Iterable[str] = ()) -> int:
        """Return the lag of a session; `others` are those of the same player, none of which may be quicker."""
        own = self._trips(eio_sid)
        return lag_of(own, map(self._trips, others)) if others else own.typical_ms or 0

    async def run(self) -> None:
        """Send PINGs, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            await self.tick()

    async def tick(self) -> None:
        """Send a PING to every websocket that is due, and to which nothing waits to be sent: that would be measured."""
        now = self._now()
        while self._due and self._due[0][0] <= now:
            due_at, _, measured = heappop(self._due)
            websocket = measured.websocket
            if due_at != measured.due_at or websocket is None:
                continue  # it was put at another time meanwhile, or is closed
            if not websocket.clear:
                self._measure_in(AT_FIRST_S, measured)
                continue
            self._measure_in(self._interval_s, measured)
            if measured.payload is not None:
                measured.trips = _UNMEASURED
            if websocket.beat_at <= measured.due_at:
                websocket.beat(now)  # leaves by the same write
            measured.payload = os.urandom(_PAYLOAD_BYTES)
            measured.sent_at = self._now()
            try:
                websocket.ping(measured.payload)
            except OSError:
                measured.payload = None  # it is closing, and nobody will answer

    def _answered(self, measured: _Measured, payload: bytes) -> None:
        if payload != measured.payload:
            return  # nobody has asked, or too long ago, or it was answered before
        now = self._now()
        measured.payload = None
        measured.trips = measured.trips.after(round((now - measured.sent_at) * 1000))
        self._round_trip_seconds.observe(now - measured.sent_at)
        if measured.trips.typical_ms is None:
            self._measure_in(AT_FIRST_S, measured)

    def _trips(self, eio_sid: str) -> RoundTrips:
        """Return the trips of what carries a session: nothing, while it is polled."""
        for measured in self._by_session.get(eio_sid, ()):
            if measured.websocket is not None and measured.websocket.carries:
                return measured.trips
        return _UNMEASURED

    def _measure_in(self, span_s: float, measured: _Measured) -> None:
        measured.due_at = self._now() + span_s * self._random.uniform(1 - JITTER, 1)
        heappush(self._due, (measured.due_at, next(self._entries), measured))
