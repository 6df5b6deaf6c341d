"""The handshake of a websocket, in place of python-engineio's driver; then its transport is a `Line`'s.

Theirs has deflate on (135 KB of memory a browser's connection), passes binary frames on, lets a broken frame end in a
traceback, answers PINGs where nobody sees them, and costs each connection some tasks. aiohttp's way of writing an
answer costs more than all the rest of a handshake. Then its request, its task and its protocol are free.
"""

import asyncio
import hashlib
from base64 import b64decode, b64encode
from typing import Any, Protocol, cast

from aiohttp import web
from engineio.async_socket import AsyncSocket
from multidict import CIMultiDict, CIMultiDictProxy

from pairquiz_server.logs import overhearing
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.headers import guard
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.sockets.line import Line
from pairquiz_server.web.sockets.overheard import OverheardLine
from pairquiz_server.web.sockets.transport import Transports

Headers = CIMultiDictProxy[str]
_VERSIONS = {"13", "8", "7"}
_KEY_BYTES = 16
_PROTOCOL_ID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 puts behind a client's key: who answers with the digest of both has read the handshake."""


class HttpProtocol(Protocol):
    """What is asked of the line that has carried the handshake (see `http_line.HttpLine`)."""

    def hand_over(self, successor: object) -> tuple[asyncio.Transport, bytes] | None:
        """Give the transport away, with what has come behind the handshake; None where it is gone."""


class WebsocketSession(AsyncSocket):  # type: ignore[misc]  # python-engineio has no types
    """A session of python-engineio that begins with a websocket: it never has a queue, and no pings of the library."""

    def __init__(self, eio: Any, eio_sid: str, transports: Transports) -> None:
        # Not the library's: it makes a queue.
        self.server = eio
        self.sid = eio_sid
        self.last_ping = None
        self.connected = self.upgraded = True
        self.upgrading = self.closing = self.closed = False
        self.session: dict[str, Any] = {}
        self.queue = _line(self, transports, transports.new_pace())


def answer(headers: Headers) -> bytes:
    """Return the answer to a websocket's handshake: its whole head. Raises `Refused` (`invalid_payload`)."""
    if headers.get("Sec-WebSocket-Version") not in _VERSIONS:
        raise Refused(Code.INVALID_PAYLOAD, "The version of a websocket is 13")
    key = headers.get("Sec-WebSocket-Key", "")
    try:
        whole = len(b64decode(key)) == _KEY_BYTES
    except ValueError:
        whole = False
    if not whole:
        raise Refused(Code.INVALID_PAYLOAD, f"The key of a websocket's handshake is {_KEY_BYTES} bytes in base64")
    accepted = b64encode(hashlib.sha1(key.encode() + _PROTOCOL_ID, usedforsecurity=False).digest())
    return _HEAD + accepted + _GUARDS


async def upgrade(session: Any, transports: Transports, environ: dict[str, Any]) -> web.StreamResponse:
    """Let a session that is polled try a websocket, whose handshake this is."""
    request: web.Request = environ["aiohttp.request"]
    head = answer(request.headers)
    line = _line(session, transports, session.queue.pace)
    handed = cast(HttpProtocol, request.protocol).hand_over(line)
    if handed is not None:  # else the client is gone already
        line.begin(head)
        line.open(*handed)
    return Answered()


def _line(session: Any, transports: Transports, pace: Pace) -> Line:
    return (OverheardLine if overhearing() else Line)(session, transports, pace)


class Answered(web.StreamResponse):
    """What aiohttp is told that the answer was, when all of it is written."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Begin nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Leave the line as it is."""


_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: "
_guards: CIMultiDict[str] = CIMultiDict()
guard(_guards)
_GUARDS = b"\r\n" + "".join(f"{name}: {value}\r\n" for name, value in _guards.items()).encode() + b"\r\n"
"""The headers that all our answers have, and the end of a head."""
