"""What every request passes first: the origins, and on the Socket.IO paths a query and a body that can be read.

A server that stops takes no new session there: 503, and a stock client tries again by itself.
"""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.origins import Origins
from pairquiz_server.web.posts import keep_body
from pairquiz_server.web.transport import Transports

MAIN_PATH = "/socket.io/"
ALIAS_PATH = "/ws/"
SOCKET_PATHS = (MAIN_PATH, ALIAS_PATH)


def gate(transports: Transports, origins: Origins, drain: Drain) -> Middleware:
    """Return the middleware that refuses foreign origins and late sessions, and makes requests ready for Engine.IO."""

    @web.middleware
    async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not origins.allows(origin, request.headers.get("Host")):
            raise Refused(Code.FORBIDDEN, f"The origin {origin} is not allowed: add it to server.allowed_origins")
        if request.path == ALIAS_PATH:
            request = _with_default_query(request)
        if drain.begun and _opens_session(request):
            raise Refused(Code.DRAINING)
        if request.path in SOCKET_PATHS:
            transports.heard(request.query.get("sid", ""))
            if request.method == "POST":
                request = await keep_body(request, transports)
        return await handler(request)

    return pass_gate


def _opens_session(request: web.Request) -> bool:
    """Tell a handshake from the polls and the upgrade of a session that there is."""
    return request.path in SOCKET_PATHS and request.method == "GET" and not request.query.get("sid")


def _with_default_query(request: web.Request) -> web.Request:
    """A bare websocket client sends no query: a missing EIO means 4, a missing transport what the request is."""
    defaults = {"EIO": "4"}
    if request.headers.get("Upgrade", "").lower() == "websocket":
        defaults["transport"] = "websocket"
    query = {**defaults, **request.query}
    return request.clone(rel_url=request.rel_url.with_query(query))
