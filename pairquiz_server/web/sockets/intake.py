"""The way in of a websocket: what comes is carried out where it arrives, frame by frame, with no task and no queue.

What cannot be done at once (a command that asks the database, a bad frame, a pause because too much came) is a
coroutine: until it is done, the frames behind it wait, each with the time at which it arrived (`Backlog`), and when
those are many the transport is read no further.
"""

import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMsgType

from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.sockets.link import Link
from pairquiz_server.web.sockets.reading import Backlog, Frame, Message, reader
from pairquiz_server.web.sockets.transport import Transports

log = structlog.get_logger("pairquiz.socket")

PIECE = 4096
"""Of what comes at once while something is held, so much is read at a time: the rest stays as it came."""


class Intake(Link):
    """The reading half of a websocket, beside the sending one. What a frame means is said by `_read`."""

    __slots__ = ("_arrived_at", "_backlog", "_feed", "_rest", "_transports", "heard_at", "pace")

    def __init__(self, transports: Transports, pace: Pace) -> None:
        super().__init__(transports.turn)
        self._transports = transports
        self.pace = pace
        self.heard_at = 0.0
        self._feed: Callable[[bytes], tuple[bool, bytes]] | None = None
        """Takes bytes, and tells of the frames in them; None when nothing more is read."""
        self._arrived_at = 0
        self._backlog: Backlog | None = None
        """What waits while something is done; None while nothing has to."""
        self._rest = b""
        """What is not even parsed, while the transport is paused."""

    def _begin_reading(self) -> None:
        self.heard_at = time.monotonic()
        self._feed = reader(self, self._transports.message_bytes).feed_data

    def _end_reading(self) -> None:
        self._feed = None
        self._rest = b""

    def _only_drain(self) -> None:
        """Carry out nothing more: what comes is read, and thrown away."""
        self._backlog = Backlog()
        self._feed_rest()

    def close(self, code: int, reason: str) -> None:
        """Say CLOSE, and drop the line."""
        raise NotImplementedError

    def _read(self, kind: WSMsgType, data: Any, arrived_at: int, now: float) -> Coroutine[Any, Any, object] | None:
        """Carry out a frame; return what has to be done before the next one, if anything has."""
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        """Carry out what has come."""
        self.heard_at = time.monotonic()
        self._arrived_at = self._transports.now()
        if self._feed is None:
            return
        if self._backlog is None and len(data) <= PIECE:
            self._feed(data)
        else:
            self._rest += data
            self._feed_rest()

    def frame(self, message: Message, size: int) -> None:
        """Take the next frame. A fault closes the line."""
        kind, data = message[0], message[1]
        try:
            if self._backlog is None:
                work = self._read(kind, data, self._arrived_at, self.heard_at)
                if work is not None:
                    self._hold(work)
            elif not self.closing:
                self._backlog.append((self._arrived_at, kind, data))
            elif kind is WSMsgType.CLOSE and self.transport is not None:
                self.transport.close()
        except Exception:
            log.exception("frame_failed")
            self.close(WSCloseCode.INTERNAL_ERROR, "a fault of the server")

    def broken(self, error: BaseException) -> None:
        """Close, because what came is no websocket frame, or is too large."""
        self._feed = None
        self.close(getattr(error, "code", WSCloseCode.PROTOCOL_ERROR), str(error))

    def _feed_rest(self) -> None:
        """Read what was not parsed, as far as there is room for its frames, and the transport only when it is empty."""
        rest, self._rest = self._rest, b""
        at = 0
        while at < len(rest) and self._feed is not None and not self._full():
            self._feed(rest[at : at + PIECE])
            at += PIECE
        self._rest = b"" if self._feed is None else rest[at:]
        if self.transport is not None and (self._rest or self._full()):
            self.transport.pause_reading()

    def _full(self) -> bool:
        return self._backlog is not None and self._backlog.size > self._transports.kept_max

    def _hold(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something, and let all that comes wait until it is done."""
        self._backlog = Backlog()
        self._transports.beside(self._carry_on(work))

    async def _carry_on(self, work: Coroutine[Any, Any, object] | None) -> None:
        while work is not None:
            try:
                await work
            except Exception:
                log.exception("packet_failed")
            try:
                work = self._next()
            except Exception:
                log.exception("frame_failed")
                self.close(WSCloseCode.INTERNAL_ERROR, "a fault of the server")
                return

    def _next(self) -> Coroutine[Any, Any, object] | None:
        """Carry out what has waited, up to what has to be waited for again, or all."""
        while not self.closing and self._backlog is not None:
            if self._backlog:
                arrived_at, kind, data = self._backlog.take()
                if (work := self._read(kind, data, arrived_at, time.monotonic())) is not None:
                    return work
            elif self._rest:
                self._feed_rest()
            else:
                self._backlog = None
                if self.transport is not None:
                    self.transport.resume_reading()
        return None

    async def _wait(self, wait_s: float, frame: Frame) -> None:
        """Wait until the pace allows a frame, which is then the next one."""
        await self.pace.pause(wait_s)
        if self._backlog is not None and not self.closing:
            self._backlog.put_back(frame)
