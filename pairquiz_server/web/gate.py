"""What every request passes first: the origins, and on the Socket.IO paths a query and a body that can be read.

A server that stops or is full takes no new session there: 503 or 429, and a stock client tries again by itself.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import MultiMapping

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.origins import Origins
from pairquiz_server.web.sockets.posts import keep_body
from pairquiz_server.web.sockets.transport import Transports

MAIN_PATH = "/socket.io/"
ALIAS_PATH = "/ws/"
SOCKET_PATHS = (MAIN_PATH, ALIAS_PATH)
_ONCE = ("sid", "transport", "EIO")
_EIO = "4"
"""The version of Engine.IO; to others python-engineio says what is wrong with them."""


OpenWebsocket = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers the handshake of a session whose only transport is a websocket."""


def gate(
    transports: Transports, origins: Origins, arrivals: Arrivals, drain: Drain, open_websocket: OpenWebsocket
) -> Middleware:
    """Return the middleware that refuses foreign origins and sessions, and makes requests ready for Engine.IO."""

    @web.middleware
    async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not origins.allows(origin, request.headers.get("Host")):
            raise Refused(Code.FORBIDDEN, f"The origin {origin!r} is not allowed: add it to server.allowed_origins")
        if request.path in SOCKET_PATHS:
            _check_query(request.query)
            if request.path == ALIAS_PATH:
                request = _with_default_query(request)
            query = request.query
            if request.method == "GET" and "sid" not in query:
                if drain.begun:
                    raise Refused(Code.DRAINING)
                websocket = query.get("transport") == "websocket"
                if websocket and not _asks_to_upgrade(request):
                    raise Refused(
                        Code.INVALID_PAYLOAD, "A websocket begins with Connection: Upgrade, Upgrade: websocket"
                    )
                with arrivals.handshake(request):
                    if websocket and query.get("EIO") == _EIO:
                        return await open_websocket(request)
                    return await handler(request)
            if request.method == "GET":
                # A POST is no sign of life: who lives also reads.
                transports.heard(query.get("sid", ""))
            elif request.method == "POST":
                request = await keep_body(request, transports)
        return await handler(request)

    return pass_gate


def _check_query(query: MultiMapping[str]) -> None:
    """Refuse a query that python-engineio and we could read in two ways, and JSONP, by which any page reads answers."""
    for key in _ONCE:
        values = query.getall(key, ())
        if len(values) > 1 or "" in values:
            raise Refused(Code.INVALID_PAYLOAD, f"The query must have {key} once at most, and not empty")
    if "j" in query:
        raise Refused(Code.INVALID_PAYLOAD, "JSONP is not taken here: leave j out of the query")


def with_our_query(translate: Callable[[web.Request], dict[str, Any]]) -> Callable[[web.Request], dict[str, Any]]:
    """Return python-engineio's reader of requests, which sees of the query what the gate has seen, and no more."""

    def translated(request: web.Request) -> dict[str, Any]:
        environ = translate(request)
        environ["QUERY_STRING"] = urlencode({key: request.query[key] for key in _ONCE if key in request.query})
        return environ

    return translated


def _asks_to_upgrade(request: web.Request) -> bool:
    """Tell whether this can be a websocket; python-engineio takes one without `Connection` for a poll, and breaks."""
    names = [name.strip() for name in request.headers.get("Connection", "").lower().split(",")]
    return "upgrade" in names and request.headers.get("Upgrade", "").lower() == "websocket"


def _with_default_query(request: web.Request) -> web.Request:
    """A bare websocket client sends no query: a missing EIO means 4, a missing transport what the request is."""
    defaults = {"EIO": _EIO}
    if request.headers.get("Upgrade", "").lower() == "websocket":
        defaults["transport"] = "websocket"
    query = {**defaults, **request.query}
    return request.clone(rel_url=request.rel_url.with_query(query))
