"""What every request passes first: the origins, and on the Socket.IO paths a query and a body that can be read.

A server that stops or is full takes no new session there: 503 or 429, and a stock client tries again by itself.

A websocket's handshake that is to be answered by yes, which nearly all are, takes a short way (`Gate.take`): past
aiohttp's tasks, its router and its middlewares, and through the same checks. Whatever they refuse, and whatever is
unusual, goes the long way, where it is answered.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.typedefs import Handler
from msgspec import Struct
from multidict import CIMultiDictProxy, MultiMapping
from yarl import URL

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.origins import Origins
from pairquiz_server.web.http_lines import OpenLine
from pairquiz_server.web.sockets.posts import keep_body
from pairquiz_server.web.sockets.server import SocketServer
from pairquiz_server.web.sockets.transport import Transports
from pairquiz_server.web.sockets.websocket import Answered, HttpProtocol, answer

MAIN_PATH = "/socket.io/"
ALIAS_PATH = "/ws/"
SOCKET_PATHS = (MAIN_PATH, ALIAS_PATH)
_ONCE = ("sid", "transport", "EIO")
_EIO = "4"
"""The version of Engine.IO; to others python-engineio says what is wrong with them."""


class _Asker(Struct):
    """Whose request it is, where aiohttp has not made one of it."""

    remote: str | None
    headers: CIMultiDictProxy[str]


class Gate:
    """Refuses foreign origins and sessions, and makes requests ready for Engine.IO."""

    def __init__(
        self, transports: Transports, origins: Origins, arrivals: Arrivals, drain: Drain, sockets: SocketServer
    ) -> None:
        self._transports = transports
        self._origins = origins
        self._arrivals = arrivals
        self._drain = drain
        self._sockets = sockets

    def take(self, line: OpenLine, message: RawRequestMessage) -> bool:
        """Begin a session by a websocket's handshake, where nothing speaks against it; tell whether there is one.

        Until then nothing is taken or counted, so that it can still go the long way.
        """
        headers = message.headers
        try:
            if message.method != "GET" or "Expect" in headers or not _begins_websocket(message.url):
                return False
            self._check_origin(headers)
            self._check_handshake(headers, websocket=True)
            answered = answer(headers)
        except Refused:
            return False
        address = self._arrivals.address(_Asker(line.remote, headers))
        if not self._arrivals.would_take(address):
            return False
        place = self._arrivals.arrive(address)
        try:
            self._sockets.open_websocket(line, headers, answered, place)
        finally:
            if not place.kept:  # nothing came of it
                place.leave()
        return True

    @web.middleware
    async def pass_gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass, to the site or to Engine.IO."""
        self._check_origin(request.headers)
        if request.path in SOCKET_PATHS:
            _check_query(request.query)
            if request.path == ALIAS_PATH:
                request = _with_default_query(request)
            query = request.query
            if request.method == "GET" and "sid" not in query:
                websocket = query.get("transport") == "websocket"
                self._check_handshake(request.headers, websocket=websocket)
                with self._arrivals.handshake(request):
                    if websocket and query.get("EIO") == _EIO:
                        return self._open_websocket(request)
                    return await handler(request)
            if request.method == "GET":
                # A POST is no sign of life: who lives also reads.
                self._transports.heard(query.get("sid", ""))
            elif request.method == "POST":
                request = await keep_body(request, self._transports)
        return await handler(request)

    def _open_websocket(self, request: web.Request) -> web.StreamResponse:
        answered, place = answer(request.headers), self._arrivals.place_of(request)
        self._sockets.open_websocket(cast(HttpProtocol, request.protocol), request.headers, answered, place)
        return Answered()

    def _check_origin(self, headers: CIMultiDictProxy[str]) -> None:
        origin = headers.get("Origin")
        if not self._origins.allows(origin, headers.get("Host")):
            raise Refused(Code.FORBIDDEN, f"The origin {origin!r} is not allowed: add it to server.allowed_origins")

    def _check_handshake(self, headers: CIMultiDictProxy[str], *, websocket: bool) -> None:
        """Refuse a new session of a server that stops, and a websocket's that cannot be one."""
        if self._drain.begun:
            raise Refused(Code.DRAINING)
        if websocket and not _asks_to_upgrade(headers):
            raise Refused(Code.INVALID_PAYLOAD, "A websocket begins with Connection: Upgrade, Upgrade: websocket")


@lru_cache(maxsize=16)
def _begins_websocket(url: URL) -> bool:
    """Tell whether what asks for an upgrade here begins a session. Raises `Refused`, of a query that is none.

    Nearly all clients ask by the same few addresses, and to take one apart is dear.
    """
    if url.path not in SOCKET_PATHS:
        return False
    _check_query(url.query)
    query = {**(_default_query("websocket") if url.path == ALIAS_PATH else {}), **url.query}
    return "sid" not in query and (query.get("transport"), query.get("EIO")) == ("websocket", _EIO)


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


def _asks_to_upgrade(headers: CIMultiDictProxy[str]) -> bool:
    """Tell whether this can be a websocket; python-engineio takes one without `Connection` for a poll, and breaks."""
    names = [name.strip() for name in headers.get("Connection", "").lower().split(",")]
    return "upgrade" in names and headers.get("Upgrade", "").lower() == "websocket"


def _with_default_query(request: web.Request) -> web.Request:
    query = {**_default_query(request.headers.get("Upgrade", "")), **request.query}
    return request.clone(rel_url=request.rel_url.with_query(query))


def _default_query(upgrade: str) -> dict[str, str]:
    """A bare websocket client sends no query: a missing EIO means 4, a missing transport what the request is."""
    defaults = {"EIO": _EIO}
    if upgrade.lower() == "websocket":
        defaults["transport"] = "websocket"
    return defaults
