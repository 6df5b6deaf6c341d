"""The Engine.IO sessions of this process, whatever carries them: how they end, and their bad frames."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from aiohttp import WSCloseCode
from engineio.packet import NOOP, Packet

from pairquiz_server.config.sections import Limits as Settings
from pairquiz_server.rules.lag import RoundTrips
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.sockets.link import Turn
from pairquiz_server.web.sockets.send_queue import SendQueue

BAD_FRAMES_MAX = 5

Take = Callable[[str, bytes, int], Coroutine[Any, Any, object] | None]
"""Takes a Socket.IO packet of a session, and when it arrived. What is returned has to be done before the next one."""


class Websocket(Protocol):
    """What is asked of an open websocket (see `line.Line`)."""

    on_pong: Callable[[bytes], None] | None
    trips: RoundTrips
    """What `Pings` has measured of it."""
    session: Any
    eio_sid: str
    carries: bool
    """Whether it is what its session is carried by, and no upgrade that is only tried."""
    probed: bool
    said_goodbye: bool
    closing: bool
    heard_at: float
    beat_at: float
    """When the next ping of Engine.IO is due."""
    transport: asyncio.Transport | None

    @property
    def clear(self) -> bool:
        """Whether nothing waits to be sent."""

    def ping(self, payload: bytes) -> None:
        """Send a PING frame at once. Raises `OSError` where it is closed."""

    def beat(self, now: float) -> None:
        """Send a ping of Engine.IO; the next one is due an interval later."""

    def leave(self) -> None:
        """Close it in peace."""

    async def close_with(self, code: int, reason: str) -> None:
        """Close it, and wait a moment for the client's own CLOSE."""

    def abort(self) -> None:
        """Drop it."""


class WebsocketWatcher(Protocol):
    """Hears of websockets."""

    def websocket_opened(self, websocket: Websocket) -> None:
        """Hear of an open one; while a session upgrades, it may be one that comes to nothing."""

    def websocket_ended(self, websocket: Websocket) -> None:
        """Hear of one that is closed."""


class Transports:
    """The Engine.IO sessions of this process. `eio` is python-engineio's server (see `seams.install`)."""

    def __init__(self, refusals: Refusals, settings: Settings, pace: Callable[[], Pace], beat_every_s: float) -> None:
        self.beat_every_s = beat_every_s
        self.message_bytes = settings.message_bytes
        self.kept_max = settings.message_bytes
        """How much may wait of one websocket while something is done, before it is read no further."""
        self.unsent_max = settings.send_queue_bytes
        self.turn = Turn()
        self.take: Take
        self.now: Callable[[], int]
        self._line_lost: Callable[[object], None]
        self.new_pace = pace
        self._refusals = refusals
        self._bad_frames: Counter[str] = Counter()
        self.heard_at: dict[str, float] = {}
        """When each session that is polled gave its last sign of life."""
        self._over: dict[str, float] = {}
        """Sessions that ended while they were polled, and when: a poll may still want to hear of it."""
        self._websockets: set[Websocket] = set()
        self._tried: dict[str, set[Websocket]] = {}
        """Websockets that do not carry their session (yet), by session."""
        self.slow: set[Websocket] = set()
        """Websockets to which something waits to be sent."""
        self._watchers: list[WebsocketWatcher] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._eio: Any = None

    def manage(self, eio: Any) -> None:
        """Begin, with python-engineio's server, which holds the sessions."""
        self._eio = eio

    def serve(self, take: Take, now: Callable[[], int], line_lost: Callable[[object], None]) -> None:
        """Let `take` have the packets that come by websockets, with the time that `now` tells, and go on from there."""
        self.take, self.now, self._line_lost = take, now, line_lost

    def watch(self, watcher: WebsocketWatcher) -> None:
        """Tell somebody, from now on, of each websocket."""
        self._watchers.append(watcher)

    def new_queue(self) -> SendQueue:
        """Return what python-engineio keeps a new session's packets in."""
        return SendQueue(self.unsent_max, self.overflow, self.new_pace())

    # Websockets.

    def opened(self, websocket: Websocket) -> None:
        """Note an open websocket; while a session upgrades it may have more than one."""
        self._websockets.add(websocket)
        if not websocket.carries:
            self._tried.setdefault(websocket.eio_sid, set()).add(websocket)
            self.heard(websocket.eio_sid)
        for watcher in self._watchers:
            watcher.websocket_opened(websocket)

    def carried(self, websocket: Websocket) -> None:
        """Note that a websocket carries its session from now on."""
        self.heard_at.pop(websocket.eio_sid, None)
        self._no_more_tried(websocket)

    def ended(self, websocket: Websocket) -> None:
        """Drop a websocket that is closed, and end its session with it: polling goes on where it was only tried."""
        self._line_lost(websocket)
        if websocket not in self._websockets:
            return
        self._websockets.discard(websocket)
        self.slow.discard(websocket)
        self._no_more_tried(websocket)
        for watcher in self._watchers:
            watcher.websocket_ended(websocket)
        if websocket.carries:
            self.beside(self._ended(websocket))
        elif websocket.probed:
            websocket.session.upgrading = False

    async def _ended(self, websocket: Websocket) -> None:
        reason = self._eio.reason
        await self._finish(websocket, reason.CLIENT_DISCONNECT if websocket.said_goodbye else reason.TRANSPORT_CLOSE)
        websocket.session = None  # each knows the other

    async def goodbye(self, websocket: Websocket) -> None:
        """End a session whose client has said so, and its websocket."""
        await self._finish(websocket, self._eio.reason.CLIENT_DISCONNECT)
        websocket.leave()

    async def _finish(self, websocket: Websocket, reason: str) -> None:
        session = websocket.session
        await session.close(wait=False, abort=True, reason=reason)
        self._eio.sockets.pop(websocket.eio_sid, None)

    def _no_more_tried(self, websocket: Websocket) -> None:
        tried = self._tried.get(websocket.eio_sid)
        if tried is not None:
            tried.discard(websocket)
            if not tried:
                del self._tried[websocket.eio_sid]

    def choked(self, websocket: Websocket) -> None:
        """Hear of a websocket to which something waits to be sent."""
        self.slow.add(websocket)

    def _websockets_of(self, eio_sid: str) -> list[Websocket]:
        found = list(self._tried.get(eio_sid, ()))
        session = self._eio.sockets.get(eio_sid)
        if session is not None and session.queue in self._websockets:
            found.append(session.queue)
        return found

    # Sessions.

    async def turn_of(self, eio_sid: str, frames: int) -> None:
        """Wait until so many frames of a session may be read, or it is over."""
        for _ in range(frames):
            if not self.is_open(eio_sid):
                return
            await self._eio.sockets[eio_sid].queue.pace.next()

    def forget(self, eio_sid: str) -> None:
        """Drop the bad frames of a session that is over."""
        self._bad_frames.pop(eio_sid, None)
        if self.heard_at.pop(eio_sid, None) is not None:
            self._over[eio_sid] = time.monotonic()

    def bury(self, before: float) -> None:
        """Let python-engineio forget the sessions that were polled, and have ended before."""
        while self._over and next(iter(self._over.values())) < before:
            eio_sid = next(iter(self._over))
            del self._over[eio_sid]
            self.is_open(eio_sid)

    def coming(self, eio_sid: str) -> None:
        """Hear of a session that begins, and is polled."""
        self.heard_at[eio_sid] = time.monotonic()

    def heard(self, eio_sid: str) -> None:
        """Note a sign of life of a session that is polled, if there is such a one."""
        if self.is_open(eio_sid) and not self._eio.sockets[eio_sid].upgraded:
            self.heard_at[eio_sid] = time.monotonic()

    async def drop(self, eio_sid: str) -> None:
        """End a session that was silent for too long, and the line of one whose end does not read."""
        if self.is_open(eio_sid):
            websockets = self._websockets_of(eio_sid)
            await self._end(self._eio.sockets[eio_sid], self._eio.reason.PING_TIMEOUT)
            for websocket in websockets:
                websocket.abort()

    def overflow(self, queue: object) -> None:
        """End the session whose queue, or websocket, has more to send than may wait."""
        for session in [queue.session] if hasattr(queue, "session") else self.sessions():
            if session.queue is queue:
                self._refusals.note("send_queue_full")
                for websocket in self._websockets_of(session.sid):
                    websocket.abort()
                reason = self._eio.reason.TRANSPORT_ERROR
                self.beside(session.close(wait=False, abort=True, reason=reason))
                break

    def end_poll(self, eio_sid: str) -> None:
        """Answer a poll that waits, with nothing: its client has ended the session, and may wait for that.

        python-engineio lets it wait until it times out.
        """
        session = self._eio.sockets.get(eio_sid)
        if session is not None and isinstance(session.queue, SendQueue):
            session.queue.put_nowait(Packet(NOOP))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something while nobody waits for it."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def sessions(self) -> list[Any]:
        """Return python-engineio's sessions."""
        return list(self._eio.sockets.values())

    def by_carrier(self) -> dict[str, int]:
        """Return how many sessions are carried by a websocket, and how many are polled."""
        carried = sum(session.upgraded for session in self._eio.sockets.values())
        return {"websocket": carried, "polling": len(self._eio.sockets) - carried}

    def is_open(self, eio_sid: str) -> bool:
        """Tell whether there is such a session, and drop one that python-engineio still holds though it is closed."""
        session = self._eio.sockets.get(eio_sid)
        if session is not None and session.closed:
            del self._eio.sockets[eio_sid]
        return session is not None and not session.closed

    async def bad_frame(self, eio_sid: str, reason: str) -> bool:
        """Count a bad frame of a session, and close it after one too many; tell whether it is closed."""
        self._refusals.note("bad_frame", reason=reason)
        if self.is_open(eio_sid):
            self._bad_frames[eio_sid] += 1
            if self._bad_frames[eio_sid] < BAD_FRAMES_MAX:
                return False
        await self.cut(eio_sid, WSCloseCode.POLICY_VIOLATION, "too many bad frames")
        return True

    async def cut(self, eio_sid: str, code: WSCloseCode, reason: str) -> None:
        """End a session, whatever its transport; a stock client comes back by itself."""
        await self._close(self._websockets_of(eio_sid), code, reason)
        if self.is_open(eio_sid):
            await self._end(self._eio.sockets[eio_sid], self._eio.reason.SERVER_DISCONNECT)

    async def close_all(self) -> None:
        """End every session, websockets with 1012 (service restart): stock clients come back by themselves."""
        polling = [session for session in self.sessions() if not session.upgraded]
        await asyncio.gather(
            self._close(list(self._websockets), WSCloseCode.SERVICE_RESTART, "the server is restarting"),
            *(self._end(session, self._eio.reason.SERVER_DISCONNECT) for session in polling),
        )

    async def _close(self, websockets: Iterable[Websocket], code: WSCloseCode, reason: str) -> None:
        closing = [websocket.close_with(code, reason) for websocket in websockets]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _end(self, session: Any, reason: str) -> None:
        """End a session; a poll that waits is answered with a CLOSE packet."""
        await session.close(wait=False, abort=False, reason=reason)
