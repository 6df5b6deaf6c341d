"""The seams to python-engineio 4 and aiohttp: what of them is replaced, and why.

- `eio._async["websocket"]`: their driver has deflate on, passes binary frames on, and lets a broken frame end in a
  traceback. Ours is also how all sockets are closed with 1012.
- `eio._async["translate_request"]`: a POST body that arrives in two segments would be cut after the first.
- `engineio.payload.Payload.max_decode_packets`: 16 packets a POST are fewer than a client may have kept offline.

An Engine.IO frame is a digit and its data: 0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop
(https://socket.io/docs/v4/engine-io-protocol/). Clients send 1 to 5; all else is a bad frame.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler, Middleware
from engineio.payload import Payload

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.origins import Origins
from pairquiz_server.web.refusals import Refusals

MAIN_PATH = "/socket.io/"
ALIAS_PATH = "/ws/"
PATHS = (MAIN_PATH, ALIAS_PATH)
BAD_FRAMES_MAX = 5
PACKETS_A_POST = 1000
CLOSE_TIMEOUT_S = 1.0
_SEPARATOR = "\x1e"
_BODY = "pairquiz.body"


class Transports:
    """The websockets of this process, and how many bad frames each Engine.IO session has sent."""

    def __init__(self, refusals: Refusals, message_bytes: int) -> None:
        self.message_bytes = message_bytes
        self._refusals = refusals
        self._bad_frames: Counter[str] = Counter()
        self._websockets: dict[str, web.WebSocketResponse] = {}

    def install(self, eio: Any) -> None:
        """Put our driver and our request reader where python-engineio looks for them."""
        eio._async = {
            **eio._async,
            "websocket": lambda handler, server: WebSocketDriver(handler, self),
            "translate_request": _reading_the_whole_body(eio._async["translate_request"]),
        }
        Payload.max_decode_packets = PACKETS_A_POST

    def opened(self, eio_sid: str, websocket: web.WebSocketResponse) -> None:
        """Note an open websocket."""
        self._websockets[eio_sid] = websocket

    def forget(self, eio_sid: str) -> None:
        """Drop what is known of a session that is over."""
        self._bad_frames.pop(eio_sid, None)
        self._websockets.pop(eio_sid, None)

    def note_bad_frame(self, eio_sid: str, reason: str) -> bool:
        """Count a bad frame of a session; tell whether it was one too many."""
        self._bad_frames[eio_sid] += 1
        self._refusals.note("bad_frame", reason=reason)
        return self._bad_frames[eio_sid] >= BAD_FRAMES_MAX

    async def cut(self, eio_sid: str) -> None:
        """Close the websocket of a session that broke the rules."""
        if websocket := self._websockets.get(eio_sid):
            await websocket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many bad frames")

    async def close_all(self) -> None:
        """Close every websocket with 1012 (service restart): stock clients come back by themselves."""
        await asyncio.gather(
            *(
                websocket.close(code=WSCloseCode.SERVICE_RESTART, message=b"the server is restarting")
                for websocket in list(self._websockets.values())
            ),
            return_exceptions=True,
        )


class WebSocketDriver:
    """One websocket, as python-engineio drives it: awaited with the environ, then `wait`, `send` and `close`."""

    def __init__(self, handler: Callable[["WebSocketDriver"], Awaitable[None]], transports: Transports) -> None:
        self._handler = handler
        self._transports = transports
        self._eio_sid: str = handler.__self__.sid  # type: ignore[attr-defined]  # the bound AsyncSocket
        self._socket = web.WebSocketResponse(
            max_msg_size=transports.message_bytes, compress=False, timeout=CLOSE_TIMEOUT_S
        )

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Shake hands, and serve the socket until it is closed."""
        await self._socket.prepare(environ["aiohttp.request"])
        self._transports.opened(self._eio_sid, self._socket)
        try:
            await self._handler(self)
        finally:
            self._transports.forget(self._eio_sid)
        return self._socket

    async def wait(self) -> str:
        """Return the next frame that can be one of Engine.IO. Raises `OSError` at the end."""
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT and is_frame(message.data):
                return str(message.data)
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                raise OSError("the socket is closed")
            if self._transports.note_bad_frame(self._eio_sid, "no Engine.IO frame"):
                await self._transports.cut(self._eio_sid)
                raise OSError("too many bad frames")

    async def send(self, frame: str) -> None:
        """Send a frame."""
        await self._socket.send_str(frame)

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()


def is_frame(text: str) -> bool:
    """Tell whether a text can be an Engine.IO frame of a client."""
    return text[:1] in ("1", "2", "3", "4", "5")


def gate(transports: Transports, origins: Origins) -> Middleware:
    """Return the middleware before Engine.IO: origins, the alias' missing query, and whole, readable bodies."""

    @web.middleware
    async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PATHS:
            return await handler(request)
        origin = request.headers.get("Origin")
        if not origins.allows(origin, request.host):
            raise Refused(Code.FORBIDDEN, f"The origin {origin} is not allowed: add it to server.allowed_origins")
        if request.path == ALIAS_PATH:
            request = _with_default_query(request)
        if request.method == "POST":
            request[_BODY] = await _readable_body(request, transports)
        return await handler(request)

    return pass_gate


def _with_default_query(request: web.Request) -> web.Request:
    """A bare websocket client sends no query: a missing EIO means 4, a missing transport what the request is."""
    defaults = {"EIO": "4"}
    if request.headers.get("Upgrade", "").lower() == "websocket":
        defaults["transport"] = "websocket"
    query = {**defaults, **request.query}
    return request.clone(rel_url=request.rel_url.with_query(query))


async def _readable_body(request: web.Request, transports: Transports) -> bytes:
    """Read a POST whole, and keep what can be a frame."""
    if (request.content_length or 0) > transports.message_bytes:
        raise Refused(Code.PAYLOAD_TOO_LARGE, f"A POST has at most {transports.message_bytes} bytes")
    body = await request.read()
    session = request.query.get("sid", "")
    frames = body.decode(errors="replace").split(_SEPARATOR)
    readable = [frame for frame in frames[:PACKETS_A_POST] if is_frame(frame)]
    for _ in range(len(frames) - len(readable)):
        if transports.note_bad_frame(session, "no Engine.IO frame"):
            raise Refused(Code.INVALID_PAYLOAD, "Too many bad frames")
    return _SEPARATOR.join(readable).encode()


def _reading_the_whole_body(translate: Callable[[web.Request], dict[str, Any]]) -> Any:
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
