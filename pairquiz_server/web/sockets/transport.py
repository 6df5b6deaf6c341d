"""The Engine.IO sessions of this process, whatever carries them: how they end, and their bad frames."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from aiohttp import WSCloseCode

from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.sockets.send_queue import SendQueue

BAD_FRAMES_MAX = 5


class Websocket(Protocol):
    """What is asked of an open websocket (see `websocket.WebSocketDriver`)."""

    on_pong: Callable[[bytes], None]

    @property
    def eio_sid(self) -> str:
        """The Engine.IO session that it belongs to."""

    @property
    def carries(self) -> bool:
        """Whether it is what its session is carried by, and no upgrade that is only tried."""

    @property
    def clear(self) -> bool:
        """Whether nothing waits to be sent. Then `ping` does not wait either, whether or not the other end reads."""

    async def ping(self, payload: bytes) -> None:
        """Send a PING frame. Raises `OSError` where it is closed."""

    async def close_with(self, code: WSCloseCode, reason: str) -> None:
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

    def __init__(self, refusals: Refusals, message_bytes: int, pace: Callable[[], Pace]) -> None:
        self.message_bytes = message_bytes
        self._new_pace = pace
        self._paces: WeakKeyDictionary[Any, Pace] = WeakKeyDictionary()
        self._refusals = refusals
        self._bad_frames: Counter[str] = Counter()
        self.heard_at: dict[str, float] = {}
        """When each session gave its last sign of life."""
        self._websockets: dict[str, set[Websocket]] = {}
        self._watchers: list[WebsocketWatcher] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._eio: Any = None

    def manage(self, eio: Any) -> None:
        """Begin, with python-engineio's server, which holds the sessions."""
        self._eio = eio

    def watch(self, watcher: WebsocketWatcher) -> None:
        """Tell somebody, from now on, of each websocket."""
        self._watchers.append(watcher)

    def opened(self, eio_sid: str, websocket: Websocket) -> None:
        """Note an open websocket; while a session upgrades it may have more than one."""
        self._websockets.setdefault(eio_sid, set()).add(websocket)
        self.heard(eio_sid)
        for watcher in self._watchers:
            watcher.websocket_opened(websocket)

    def ended(self, eio_sid: str, websocket: Websocket) -> None:
        """Drop a websocket that is closed."""
        rest = self._websockets.pop(eio_sid) - {websocket}
        if rest:
            self._websockets[eio_sid] = rest
        for watcher in self._watchers:
            watcher.websocket_ended(websocket)

    def pace(self, session: Any) -> Pace:
        """Return the one pace at which a session of python-engineio is read, whatever carries it."""
        pace = self._paces.get(session)
        if pace is None:
            pace = self._paces[session] = self._new_pace()
        return pace

    async def turn(self, eio_sid: str, frames: int) -> None:
        """Wait until so many frames of a session may be read, or it is over."""
        for _ in range(frames):
            if not self.is_open(eio_sid):
                return
            await self.pace(self._eio.sockets[eio_sid]).next()

    def forget(self, eio_sid: str) -> None:
        """Drop the bad frames of a session that is over."""
        self._bad_frames.pop(eio_sid, None)
        self.heard_at.pop(eio_sid, None)

    def heard(self, eio_sid: str) -> None:
        """Note a sign of life of a session, if there is such a one."""
        if self.is_open(eio_sid):
            self.heard_at[eio_sid] = time.monotonic()

    async def drop(self, eio_sid: str) -> None:
        """End a session that was silent for too long, and the line of one whose end does not read."""
        if self.is_open(eio_sid):
            await self._end(self._eio.sockets[eio_sid], self._eio.reason.PING_TIMEOUT)
            self._abort(eio_sid)

    def overflow(self, queue: SendQueue) -> None:
        """End the session of a queue that has grown too long."""
        for session in self.sessions():
            if session.queue is queue:
                self._refusals.note("send_queue_full")
                self._abort(session.sid)
                reason = self._eio.reason.TRANSPORT_ERROR
                self.beside(session.close(wait=False, abort=True, reason=reason))
                break

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something while nobody waits for it."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def sessions(self) -> list[Any]:
        """Return python-engineio's sessions."""
        return list(self._eio.sockets.values())

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
        await self._close(self._websockets.get(eio_sid, ()), code, reason)
        if self.is_open(eio_sid):
            await self._end(self._eio.sockets[eio_sid], self._eio.reason.SERVER_DISCONNECT)

    async def close_all(self) -> None:
        """End every session, websockets with 1012 (service restart): stock clients come back by themselves."""
        websockets = [websocket for group in self._websockets.values() for websocket in group]
        polling = [session for session in self.sessions() if not session.upgraded]
        await asyncio.gather(
            self._close(websockets, WSCloseCode.SERVICE_RESTART, "the server is restarting"),
            *(self._end(session, self._eio.reason.SERVER_DISCONNECT) for session in polling),
        )

    def _abort(self, eio_sid: str) -> None:
        for websocket in self._websockets.get(eio_sid, ()):
            websocket.abort()

    async def _close(self, websockets: Iterable[Websocket], code: WSCloseCode, reason: str) -> None:
        closing = [websocket.close_with(code, reason) for websocket in websockets]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _end(self, session: Any, reason: str) -> None:
        """End a session; a poll that waits is answered with a CLOSE packet."""
        await session.close(wait=False, abort=False, reason=reason)
