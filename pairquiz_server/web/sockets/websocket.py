"""One websocket as python-engineio drives it, in place of its own driver.

Theirs has deflate on (135 KB of memory a browser's connection instead of 32 KB), passes binary frames on, lets a
broken frame end in a traceback, and answers PINGs where nobody sees them.

An Engine.IO frame is a digit and its data: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop
(https://socket.io/docs/v4/engine-io-protocol/). All that a client may send is 1, 3, 4 and a Socket.IO packet, and
the two frames of an upgrade: `2probe` and 5. All else is a bad frame.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.sockets.transport import Transports

CLOSE_TIMEOUT_S = 1.0
PROBE_TIMEOUT_S = 10.0
# A message begins with a digit, and so python-engineio does not read it as JSON (which would raise where it is deep).
_FRAME = re.compile(r"4[0-9]|(?:1|3|5|2probe)\Z")


class WebSocketDriver:
    """Awaited with the environ, then `wait`, `send` and `close` are called, all by python-engineio.

    `ping` sends a PING frame of the websocket's own, whose answer no script of a page holds back; `on_pong` is called
    with the payload of each PONG that comes. A session has two drivers at most: while it upgrades, the one that is
    tried does not carry it yet (`carries`).
    """

    def __init__(self, handler: Callable[["WebSocketDriver"], Awaitable[None]], transports: Transports) -> None:
        self._handler = handler
        self._transports = transports
        self._session: Any = handler.__self__  # type: ignore[attr-defined]  # the bound AsyncSocket
        self._pace = transports.pace(self._session)
        self._probe: str | None = None
        self._line: asyncio.Transport | None = None
        self._reading: asyncio.Task[Any] | None = None
        self._closing: tuple[WSCloseCode, str] | None = None
        self._closed = asyncio.Event()
        self.on_pong: Callable[[bytes], None] = lambda payload: None
        # aiohttp closes (1009) at its limit, and not only beyond.
        self._socket = web.WebSocketResponse(
            max_msg_size=transports.message_bytes + 1, compress=False, autoping=False, timeout=CLOSE_TIMEOUT_S
        )

    @property
    def eio_sid(self) -> str:
        """The Engine.IO session that it belongs to."""
        return str(self._session.sid)

    @property
    def carries(self) -> bool:
        """Whether it is what its session is carried by, and no upgrade that is only tried."""
        return bool(self._session.upgraded)

    @property
    def clear(self) -> bool:
        """Whether nothing waits to be sent. Then `ping` does not wait either, whether or not the other end reads."""
        return self._line is not None and self._line.get_write_buffer_size() == 0

    async def __call__(self, environ: dict[str, Any]) -> web.StreamResponse:
        """Shake hands, and serve the socket until it is closed."""
        request: web.Request = environ["aiohttp.request"]
        try:
            await self._socket.prepare(request)
        except ConnectionResetError:
            return web.Response()  # to a client that is gone already
        except ValueError:
            raise Refused(Code.INVALID_PAYLOAD, "The headers of a websocket's handshake are ASCII") from None
        self._line = request.transport
        if self._line is not None:
            self._session.queue.unsent = self._line.get_write_buffer_size
        self._transports.opened(self.eio_sid, self)
        try:
            if not self._session.connected or await self._probed():
                await self._serve()
        finally:
            self._transports.ended(self.eio_sid, self)
        return self._socket

    async def wait(self) -> str:
        """Return the next frame that can be one of Engine.IO. Raises `OSError` at the end.

        The two frames of an upgrade have `PROBE_TIMEOUT_S` each.
        """
        if self._probe is not None:
            probe, self._probe = self._probe, None
            return probe
        if self.carries:
            return await self._next()
        async with asyncio.timeout(PROBE_TIMEOUT_S):  # its error is an `OSError`
            return await self._next()

    async def _next(self) -> str:
        while True:
            await self._pace.next()
            if self._session.closed:  # by its own CLOSE packet: python-engineio would keep the line until a timeout
                await self._socket.close()
                raise OSError("the session is over")
            message = await self._receive()
            self._transports.heard(self.eio_sid)
            if message.type is WSMsgType.TEXT and _FRAME.match(message.data):
                return str(message.data)
            if message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.on_pong(bytes(message.data))
            elif message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._end(said_goodbye=message.type is WSMsgType.CLOSE)
                raise OSError("the socket is closed")
            elif await self._transports.bad_frame(self.eio_sid, "no Engine.IO frame"):
                raise OSError("too many bad frames")

    async def send(self, frame: str) -> None:
        """Send a frame."""
        await self._socket.send_str(frame)
        self._session.queue.written(frame)

    async def ping(self, payload: bytes) -> None:
        """Send a PING frame, at most 125 bytes. Raises `OSError` where the socket is closed."""
        await self._socket.ping(payload)

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()

    async def close_with(self, code: WSCloseCode, reason: str) -> None:
        """Close the socket, and wait for the client's own CLOSE, at most `CLOSE_TIMEOUT_S`.

        Whoever waits for a frame does it: under them aiohttp would drop the line at once, and a client that is just
        sending something would never read the code.
        """
        self._closing = code, reason
        if self._reading is None:
            await self._socket.close(code=code, message=reason.encode())
        else:
            self._reading.cancel()
            await asyncio.wait_for(self._closed.wait(), 2 * CLOSE_TIMEOUT_S)

    def abort(self) -> None:
        """Drop the line, whose other end does not read."""
        if self._line is not None:
            self._line.abort()

    async def _serve(self) -> None:
        """Let python-engineio drive it; it forgets to go on with the polls where the line is gone at the probe."""
        try:
            with suppress(ConnectionResetError):
                await self._handler(self)
        finally:
            self._session.upgrading = False

    async def _receive(self) -> WSMessage:
        """Return what comes next. Raises `OSError` where it is this server that closes."""
        self._reading = asyncio.current_task()
        try:
            return await self._socket.receive()
        except asyncio.CancelledError:
            if self._closing is None or self._reading is None:
                raise
            self._reading.uncancel()
            code, reason = self._closing
            try:
                await self._socket.close(code=code, message=reason.encode())
            finally:
                self._closed.set()
            raise OSError("the server closes the socket") from None
        finally:
            self._reading = None

    async def _end(self, *, said_goodbye: bool) -> None:
        """End the session with its only transport, at once and with its reason: python-engineio waits for its writer.

        Nothing ends while an upgrade is under way: polling goes on.
        """
        if self._session.upgraded:
            reason = self._session.server.reason
            await self._session.close(
                wait=False, abort=True, reason=reason.CLIENT_DISCONNECT if said_goodbye else reason.TRANSPORT_CLOSE
            )

    async def _probed(self) -> bool:
        """Wait for the first frame of an upgrade; tell whether the session can still be upgraded.

        python-engineio holds a session's packets back, and answers its polls with nothing, from the moment that it
        is told of the websocket: one that stays silent (a proxy that lets no frame pass) would stop the session.
        """
        try:
            self._probe = await self.wait()
        except OSError:
            return False
        return not (self._session.upgrading or self._session.upgraded or self._session.closed)
