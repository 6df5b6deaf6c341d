"""The handshake of a websocket, in place of python-engineio's driver; then its transport is a `Line`'s.

Theirs has deflate on (135 KB of memory a browser's connection), passes binary frames on, lets a broken frame end in a
traceback, answers PINGs where nobody sees them, and costs each connection some tasks. When the handshake is answered,
aiohttp's request, its task and its protocol are free.
"""

import asyncio
from typing import Any, Protocol, cast

from aiohttp import web
from aiohttp.http import WebSocketWriter

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.sockets.line import Line
from pairquiz_server.web.sockets.transport import Transports


class HttpProtocol(Protocol):
    """What is asked of the line that has carried the handshake (see `http_line.HttpLine`)."""

    def hand_over(self, successor: object) -> tuple[asyncio.Transport, bytes] | None:
        """Give the transport away, with what has come behind the handshake; None where it is gone."""


async def shake_hands(session: Any, transports: Transports, environ: dict[str, Any]) -> web.StreamResponse:
    """Answer the handshake of a session's websocket, and let a line of ours have it."""
    request: web.Request = environ["aiohttp.request"]
    answer = _Answer(compress=False)
    try:
        await answer.prepare(request)
    except ConnectionResetError:
        return web.Response()  # to a client that is gone already
    except ValueError:
        raise Refused(Code.INVALID_PAYLOAD, "The headers of a websocket's handshake are ASCII") from None
    line = Line(session, transports)
    handed = cast(HttpProtocol, request.protocol).hand_over(line)
    if handed is not None:
        line.open(*handed)
    return answer


class _Answer(web.WebSocketResponse):
    """A handshake's answer, and nothing behind it."""

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: WebSocketWriter) -> None:
        """Let aiohttp read no frames."""
        self._ws_protocol = protocol
        self._writer = writer

    async def write_eof(self) -> None:  # type: ignore[override]
        """Leave the line as it is."""
