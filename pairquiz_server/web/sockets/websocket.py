"""The handshake of a websocket, in place of python-engineio's driver; then its transport is a `Line`'s.

Theirs has deflate on (135 KB of memory a browser's connection), passes binary frames on, lets a broken frame end in a
traceback, answers PINGs where nobody sees them, and costs each connection some tasks. aiohttp looks at the request, and
says what the answer is; its way of writing one costs more than all the rest of a handshake. Then its request, its task
and its protocol are free.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

from aiohttp import web
from multidict import CIMultiDict

from pairquiz_server.logs import overhearing
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.headers import guard
from pairquiz_server.web.sockets.line import Line
from pairquiz_server.web.sockets.overheard import OverheardLine
from pairquiz_server.web.sockets.transport import Transports


class HttpProtocol(Protocol):
    """What is asked of the line that has carried the handshake (see `http_line.HttpLine`)."""

    def hand_over(self, successor: object) -> tuple[asyncio.Transport, bytes] | None:
        """Give the transport away, with what has come behind the handshake; None where it is gone."""


async def shake_hands(session: Any, transports: Transports, environ: dict[str, Any]) -> web.StreamResponse:
    """Answer the handshake of a session's websocket, and let a line of ours have it."""
    request: web.Request = environ["aiohttp.request"]
    answer = _Answered(compress=False)
    try:
        headers, *_ = answer._handshake(request)
    except ValueError:
        raise Refused(Code.INVALID_PAYLOAD, "The headers of a websocket's handshake are ASCII") from None
    line = (OverheardLine if overhearing() else Line)(session, transports)
    handed = cast(HttpProtocol, request.protocol).hand_over(line)
    if handed is not None:  # else the client is gone already
        line.begin(_head(headers))
        line.open(*handed)
    return answer


class _Answered(web.WebSocketResponse):
    """What aiohttp is told that the answer was, when all of it is written."""

    async def prepare(self, request: web.BaseRequest) -> None:  # type: ignore[override]
        """Begin nothing."""

    async def write_eof(self) -> None:  # type: ignore[override]
        """Leave the line as it is."""


def _head(headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"HTTP/1.1 101 Switching Protocols\r\n" + lines.encode() + _GUARDS


_guards: CIMultiDict[str] = CIMultiDict()
guard(_guards)
_GUARDS = "".join(f"{name}: {value}\r\n" for name, value in _guards.items()).encode() + b"\r\n"
"""The headers that all our answers have, and the end of a head."""
