"""The seams to python-engineio 4 and aiohttp: what of them is replaced, and why.

- `eio._async["websocket"]`: their driver has deflate on, passes binary frames on, and lets a broken frame end in a
  traceback. Ours is also how all sockets are closed with 1012.
- `eio._async["translate_request"]`: a POST body that arrives in two segments would be cut after the first.
- `engineio.payload.Payload.max_decode_packets`: 16 packets a POST are fewer than a client may have kept offline.

An Engine.IO frame is a digit and its data: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop
(https://socket.io/docs/v4/engine-io-protocol/). All that a client may send is 1, 3, 4 and a Socket.IO packet, and on a
websocket the two frames of an upgrade: `2probe` and 5. All else is a bad frame.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from engineio.payload import Payload

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.bodies import read_body
from pairquiz_server.web.refusals import Refusals

BAD_FRAMES_MAX = 5
PACKETS_A_POST = 1000
CLOSE_TIMEOUT_S = 1.0
SILENCE_CHECK_S = 0.5
PROBE_TIMEOUT_S = 10.0
# A message begins with a digit, and so python-engineio does not read it as JSON (which would raise where it is deep).
_WEBSOCKET_FRAME = re.compile(r"4[0-9]|(?:1|3|5|2probe)\Z")
_POSTED_FRAME = re.compile(r"4[0-9]|[13]\Z")
_SEPARATOR = "\x1e"
_BODY = web.RequestKey("body", bytes)


class Transports:
    """The websockets of this process, and how many bad frames each Engine.IO session has sent."""

    def __init__(self, refusals: Refusals, message_bytes: int) -> None:
        self.message_bytes = message_bytes
        self._refusals = refusals
        self._bad_frames: Counter[str] = Counter()
        self._heard_at: dict[str, float] = {}
        self._websockets: dict[str, set[WebSocketDriver]] = {}
        self._eio: Any = None

    def install(self, eio: Any) -> None:
        """Put our driver and our request reader where python-engineio looks for them."""
        self._eio = eio
        eio._async = {
            **eio._async,
            "websocket": lambda handler, server: WebSocketDriver(handler, self),
            "translate_request": _with_whole_body(eio._async["translate_request"]),
        }
        Payload.max_decode_packets = PACKETS_A_POST

    def opened(self, eio_sid: str, websocket: "WebSocketDriver") -> None:
        """Note an open websocket; while a session upgrades it may have more than one."""
        self._websockets.setdefault(eio_sid, set()).add(websocket)
        self.heard(eio_sid)

    def ended(self, eio_sid: str, websocket: "WebSocketDriver") -> None:
        """Drop a websocket that is closed."""
        rest = self._websockets.pop(eio_sid) - {websocket}
        if rest:
            self._websockets[eio_sid] = rest

    def forget(self, eio_sid: str) -> None:
        """Drop the bad frames of a session that is over."""
        self._bad_frames.pop(eio_sid, None)
        self._heard_at.pop(eio_sid, None)

    def heard(self, eio_sid: str) -> None:
        """Note a sign of life of a session, if there is such a one."""
        if self.is_open(eio_sid):
            self._heard_at[eio_sid] = time.monotonic()

    async def cut_silent(self, silence_s: float) -> None:
        """End sessions that were silent for so long, until cancelled.

        python-engineio looks at each session only so often, and ends it when its writer is done; by then an opponent
        would have waited for twice as long.
        """
        while True:
            await asyncio.sleep(SILENCE_CHECK_S)
            now = time.monotonic()
            for eio_sid, heard_at in list(self._heard_at.items()):
                if now - heard_at > silence_s and self.is_open(eio_sid):
                    await self._end(self._eio.sockets[eio_sid], self._eio.reason.PING_TIMEOUT)
                    for websocket in self._websockets.get(eio_sid, ()):
                        websocket.abort()

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
        polling = [session for session in self._eio.sockets.values() if not session.upgraded]
        await asyncio.gather(
            self._close(websockets, WSCloseCode.SERVICE_RESTART, "the server is restarting"),
            *(self._end(session, self._eio.reason.SERVER_DISCONNECT) for session in polling),
        )

    async def _close(self, websockets: Iterable["WebSocketDriver"], code: WSCloseCode, reason: str) -> None:
        closing = [websocket.close_with(code, reason) for websocket in websockets]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _end(self, session: Any, reason: str) -> None:
        """End a session; a poll that waits is answered with a CLOSE packet."""
        await session.close(wait=False, abort=False, reason=reason)


class WebSocketDriver:
    """One websocket, as python-engineio drives it: awaited with the environ, then `wait`, `send` and `close`."""

    def __init__(self, handler: Callable[["WebSocketDriver"], Awaitable[None]], transports: Transports) -> None:
        self._handler = handler
        self._transports = transports
        self._session: Any = handler.__self__  # type: ignore[attr-defined]  # the bound AsyncSocket
        self._probe: str | None = None
        self._line: asyncio.Transport | None = None
        self._reading: asyncio.Task[Any] | None = None
        self._closing: tuple[WSCloseCode, str] | None = None
        self._closed = asyncio.Event()
        # aiohttp closes (1009) at its limit, and not only beyond.
        self._socket = web.WebSocketResponse(
            max_msg_size=transports.message_bytes + 1, compress=False, timeout=CLOSE_TIMEOUT_S
        )

    async def __call__(self, environ: dict[str, Any]) -> web.StreamResponse:
        """Shake hands, and serve the socket until it is closed."""
        request: web.Request = environ["aiohttp.request"]
        try:
            await self._socket.prepare(request)
        except ConnectionResetError:
            return web.Response()  # to a client that is gone already
        self._line = request.transport
        self._transports.opened(self._session.sid, self)
        try:
            with suppress(ConnectionResetError):  # gone before its probe is answered
                if not self._session.connected or await self._probed():
                    await self._handler(self)
        finally:
            self._transports.ended(self._session.sid, self)
        return self._socket

    async def wait(self) -> str:
        """Return the next frame that can be one of Engine.IO. Raises `OSError` at the end."""
        if self._probe is not None:
            probe, self._probe = self._probe, None
            return probe
        while True:
            message = await self._receive()
            self._transports.heard(self._session.sid)
            if message.type is WSMsgType.TEXT and _WEBSOCKET_FRAME.match(message.data):
                return str(message.data)
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._end(said_goodbye=message.type is WSMsgType.CLOSE)
                raise OSError("the socket is closed")
            if await self._transports.bad_frame(self._session.sid, "no Engine.IO frame"):
                raise OSError("too many bad frames")

    async def send(self, frame: str) -> None:
        """Send a frame."""
        await self._socket.send_str(frame)

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
            self._probe = await asyncio.wait_for(self.wait(), PROBE_TIMEOUT_S)
        except (OSError, TimeoutError):
            return False
        return not (self._session.upgrading or self._session.upgraded or self._session.closed)


async def keep_body(request: web.Request, transports: Transports) -> web.Request:
    """Read a POST whole, and return the request with what of its body can be a frame.

    Raises `Refused` (`payload_too_large`, and `invalid_payload` where the session's bad frames are too many).
    """
    eio_sid = request.query.get("sid", "")
    request = request.clone(client_max_size=transports.message_bytes)
    try:
        body = await read_body(request)
    except web.HTTPRequestEntityTooLarge:
        await transports.cut(eio_sid, WSCloseCode.MESSAGE_TOO_BIG, "too large")
        raise Refused(Code.PAYLOAD_TOO_LARGE, f"A POST has at most {transports.message_bytes} bytes") from None
    if not transports.is_open(eio_sid):
        request[_BODY] = b""  # python-engineio has its own answer to a session that it does not know
        return request
    frames = body.decode(errors="replace").split(_SEPARATOR)
    readable = [frame for frame in frames[:PACKETS_A_POST] if _POSTED_FRAME.match(frame)]
    for _ in range(len(frames) - len(readable)):
        if await transports.bad_frame(eio_sid, "no Engine.IO frame"):
            raise Refused(Code.INVALID_PAYLOAD, "Too many bad frames")
    request[_BODY] = _SEPARATOR.join(readable).encode()
    return request


def _with_whole_body(translate: Callable[[web.Request], dict[str, Any]]) -> Any:
    def translated(request: web.Request) -> dict[str, Any]:
        environ = translate(request)
        if _BODY in request:
            environ["wsgi.input"] = _Body(request[_BODY])
            environ["CONTENT_LENGTH"] = str(len(request[_BODY]))
        return environ

    return translated


class _Body:
    """A body that was read, as python-engineio reads it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, length: int) -> bytes:
        return self._data[:length]
