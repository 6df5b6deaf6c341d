"""One websocket, from its handshake to its end: the protocol of its transport. No task, no timer, no queue of its own.

An Engine.IO frame is a digit and its data: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop
(https://socket.io/docs/v4/engine-io-protocol/). All that a client may send is 1, 3, 4 and a Socket.IO packet, and
the two frames of an upgrade: `2probe` and 5. All else is a bad frame.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSCloseCode, WSMsgType
from engineio.packet import NOOP, Packet

from pairquiz_server.rules.lag import UNMEASURED
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.sockets import framing
from pairquiz_server.web.sockets.intake import Intake
from pairquiz_server.web.sockets.reading import is_text
from pairquiz_server.web.sockets.transport import Transports

CLOSE_TIMEOUT_S = 1.0
PROBE_TIMEOUT_S = 10.0
_PROBE, _PROBED, _UPGRADE = b"2probe", b"3probe", b"5"
_CLOSE, _PONG, _BEAT = b"1", b"3", b"2"
_MESSAGES = frozenset(b"4%d" % kind for kind in range(10))
"""How a message of Engine.IO begins that is a packet of Socket.IO."""
_TEXT = WSMsgType.TEXT


class Line(Intake):
    """The websocket of a session of python-engineio. While it is only tried for an upgrade, it does not carry it yet.

    It carries the session from its `open` on where it is the session's queue already.
    `on_pong` is called with the payload of each PONG frame.
    """

    __slots__ = (
        "__weakref__", "_ended", "_timer", "beat_at", "carries", "eio_sid", "on_pong", "probed", "said_goodbye",
        "session", "trips",
    )  # fmt: skip

    def __init__(self, session: Any, transports: Transports, pace: Pace) -> None:
        super().__init__(transports, pace)
        self.session = session
        self.eio_sid = str(session.sid)
        self.carries = False
        self.probed = False
        self.said_goodbye = False
        """Whether the client has closed, and not only vanished."""
        self.beat_at = 0.0
        self.on_pong: Callable[[bytes], None] | None = None
        self.trips = UNMEASURED
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[None] | None = None

    def open(self, transport: asyncio.Transport, tail: bytes) -> None:
        """Begin, with the transport of the handshake and what has come behind that."""
        self.transport = transport
        self._begin_reading()
        self.beat_at = self.heard_at + self._transports.beat_every_s
        if self.session.queue is self:
            self.carries = True
        else:
            self._timer = asyncio.get_running_loop().call_later(PROBE_TIMEOUT_S, self.leave)
        self._transports.opened(self)
        transport.resume_reading()
        if tail:
            self.data_received(tail)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear of a transport: it is handed over by `open`."""

    def eof_received(self) -> None:
        """Hear that nothing more will come; the transport closes itself."""

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self.transport = None
        self.closing = True
        self._end_reading()
        self._pieces.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._ended is not None:
            self._ended.set_result(None)
        self._transports.ended(self)

    def pause_writing(self) -> None:
        """Hear that the network takes less than is sent."""
        self.choked = True
        self._transports.choked(self)

    def resume_writing(self) -> None:
        """Hear that it has taken nearly all."""
        self.choked = False

    def waits(self, unsent: int) -> None:
        """Cut the line where too much waits."""
        if 0 < self._transports.unsent_max < unsent and not self.closing:
            self._transports.overflow(self)

    # What others ask of it.

    def ping(self, payload: bytes) -> None:
        """Send a PING frame, at most 125 bytes, at once: it is measured. Raises `OSError` where the line is closed."""
        if self.closing:
            raise ConnectionResetError("the socket is closed")
        self.send_frame(framing.PING, payload)
        self.flush()

    def beat(self, now: float) -> None:
        """Send a ping of Engine.IO, whose answer tells that the page lives; the next one is due an interval later."""
        self.beat_at = now + self._transports.beat_every_s
        if self.carries and not self.closing:
            self.send_frame(framing.TEXT, _BEAT)

    def leave(self) -> None:
        """Close it in peace."""
        self.close(WSCloseCode.OK, "")

    def close(self, code: int, reason: str) -> None:
        """Say CLOSE, and drop the line when the client has said it too, or after `CLOSE_TIMEOUT_S`.

        Until then what comes is read, and thrown away: a line that is dropped under a client that is just sending
        takes the code with it.
        """
        if self.closing or self.transport is None:
            return
        self._pieces.append(framing.close(code, reason))
        self.flush()
        self.closing = True
        self._only_drain()
        self.transport.resume_reading()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self.transport.close)

    async def close_with(self, code: int, reason: str) -> None:
        """Close it, and wait until it is closed, at most twice `CLOSE_TIMEOUT_S`."""
        self.close(code, reason)
        if self.transport is not None:
            if self._ended is None:
                self._ended = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._ended,), timeout=2 * CLOSE_TIMEOUT_S)

    def abort(self) -> None:
        """Drop the line, whose other end does not read."""
        if self.transport is not None:
            self.transport.abort()

    # What comes.

    def _read(self, kind: WSMsgType, data: Any, arrived_at: int, now: float) -> Coroutine[Any, Any, object] | None:
        """Carry out a frame; return what has to be done before the next one, if anything has."""
        if wait_s := self.pace.take(now):
            return self._wait(wait_s, (arrived_at, kind, data))
        if kind is _TEXT:
            if data[:2] in _MESSAGES and self.carries:
                if data.isascii() or is_text(data):
                    return self._transports.take(self.eio_sid, data[1:], arrived_at)
                self.close(WSCloseCode.INVALID_TEXT, "text is UTF-8")
                return None
            return self._read_control(data)
        if kind is WSMsgType.PING:
            self.send_frame(framing.PONG, data)
        elif kind is WSMsgType.PONG:
            if self.on_pong is not None:
                self.on_pong(data)
        elif kind is WSMsgType.CLOSE:
            self.said_goodbye = True
            self.leave()
            if self.transport is not None:
                self.transport.close()
        else:
            return self._transports.bad_frame(self.eio_sid, "no Engine.IO frame")
        return None

    def _read_control(self, data: bytes) -> Coroutine[Any, Any, object] | None:
        """Carry out a frame of Engine.IO that is no message."""
        if not self.carries:
            self._try(data)
        elif data == _PONG:
            self.session.last_ping = None
        elif data == _CLOSE:
            return self._transports.goodbye(self)
        elif data not in (_PROBE, _UPGRADE):
            if not is_text(data):
                self.close(WSCloseCode.INVALID_TEXT, "text is UTF-8")
            else:
                return self._transports.bad_frame(self.eio_sid, "no Engine.IO frame")
        return None

    # The upgrade of a session that is polled.

    def _try(self, data: bytes) -> None:
        """Go on with an upgrade, or give it up: polling goes on then.

        python-engineio holds a session's packets back, and answers its polls with nothing, from the moment that it
        is told of the websocket: one that stays silent (a proxy that lets no frame pass) would stop the session.
        """
        session = self.session
        if data == _PROBE and not (self.probed or session.upgrading or session.upgraded or session.closed):
            self.probed = session.upgrading = True
            self.send_frame(framing.TEXT, _PROBED)
            session.queue.put_nowait(Packet(NOOP))  # ends the poll that waits
        elif data == _UPGRADE and self.probed and not session.closed:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            session.upgrading = False
            self._carry()
        else:
            self.leave()

    def _carry(self) -> None:
        """Carry the session from now on, with what waits in its queue."""
        session = self.session
        queue, session.queue = session.queue, self
        self.carries = session.upgraded = True
        while not queue.empty():
            packet = queue.get_nowait()
            if packet is None or packet.packet_type != NOOP:
                self.put_nowait(packet)
        queue.put_nowait(Packet(NOOP))  # for a poll that waits all the same
        self._transports.carried(self)
