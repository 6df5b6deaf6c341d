"""What comes by POST to a polling session: read whole, and only what can be a frame.

python-engineio reads a body as far as its first TCP segment, and answers 200.
"""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, web

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.bodies import read_body
from pairquiz_server.web.sockets.transport import Transports

PACKETS_A_POST = 1000
"""python-engineio's own 16 are fewer than a client may have kept while it was offline."""
# As on a websocket, but for an upgrade's frames.
_FRAME = re.compile(r"4[0-9]|[13]\Z")
_SEPARATOR = "\x1e"
_BODY = web.RequestKey("body", bytes)


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
    frames = body.decode(errors="replace").split(_SEPARATOR)
    readable = [frame for frame in frames[:PACKETS_A_POST] if _FRAME.match(frame)]
    await transports.turn_of(eio_sid, len(readable))
    if not transports.is_open(eio_sid):
        request[_BODY] = b""  # python-engineio has its own answer to a session that it does not know
        return request
    for _ in range(len(frames) - len(readable)):
        if await transports.bad_frame(eio_sid, "no Engine.IO frame"):
            raise Refused(Code.INVALID_PAYLOAD, "Too many bad frames")
    request[_BODY] = _SEPARATOR.join(readable).encode()
    return request


def with_whole_body(translate: Callable[[web.Request], dict[str, Any]]) -> Callable[[web.Request], dict[str, Any]]:
    """Return python-engineio's reader of requests, with the body that `keep_body` has kept."""

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
