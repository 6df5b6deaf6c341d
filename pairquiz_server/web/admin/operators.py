"""Who an operator is: the user at the other end of the socket, or whoever has the token."""

import hmac
import pwd
import socket
import struct
from collections.abc import Callable
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct

from pairquiz_server.protocol.admin import OPERATOR_HEADER, OPERATOR_MAX
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.identity.admission import bearer_token

_PEER = struct.Struct("3i")
"""What SO_PEERCRED tells: the process, the user and the group, as they were when it connected."""


class Via(StrEnum):
    """By which way a deed was asked for."""

    SOCKET = "socket"
    TOKEN = "token"  # noqa: S105 - a word of the audit


class Operator(Struct, frozen=True):
    """Who asks. By the socket `actor` is the system's word, by the token the operator's own."""

    actor: str
    via: Via


_OPERATOR = web.RequestKey("operator", Operator)


def operator_of(request: web.Request) -> Operator:
    """Return who asks, as the door has found."""
    return request[_OPERATOR]


def by_socket() -> Middleware:
    """Return the door of the Unix socket: whoever may open it is the operator, and the kernel says who."""
    return _door(lambda request: Operator(_peer(request), Via.SOCKET))


def by_token(token: str | None, limits: Limits, arrivals: Arrivals) -> Middleware:
    """Return the door that the network leads to. Without a token there is nothing behind it, as at any unknown path.

    No page has business here, not even one of this server's: `Origin` alone ends it.
    """

    def enter(request: web.Request) -> Operator:
        if token is None:
            raise Refused(Code.NOT_FOUND, "There is nothing at this path")
        if "Origin" in request.headers:
            raise Refused(Code.FORBIDDEN, "No page may ask for what is the operator's")
        address = arrivals.address(request)
        limits.before_token(address)
        presented = bearer_token(request.headers.get("Authorization"))
        # Header values come with what is no UTF-8 as surrogates.
        given = (presented or "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, token.encode()):
            limits.failed_token(address)
            raise Refused(Code.UNAUTHORIZED, "The operator's token is required: PAIRQUIZ_ADMIN__TOKEN of this server")
        return Operator(_named(request), Via.TOKEN)

    return _door(enter)


def _door(enter: Callable[[web.Request], Operator]) -> Middleware:
    @web.middleware
    async def pass_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[_OPERATOR] = enter(request)
        return await handler(request)

    return pass_door


def _named(request: web.Request) -> str:
    name = request.headers.get(OPERATOR_HEADER, "").strip()
    if not (name.isprintable() and len(name) <= OPERATOR_MAX):
        raise Refused(Code.INVALID_PAYLOAD, f"{OPERATOR_HEADER}: expected a name of at most {OPERATOR_MAX} characters")
    return name or "somebody"


def _peer(request: web.Request) -> str:
    """Return the name of the user at the other end, or the number where it has none; some systems do not say it."""
    line: socket.socket | None = request.get_extra_info("socket")
    if line is None or not hasattr(socket, "SO_PEERCRED"):
        return "somebody"
    _, user, _ = _PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
