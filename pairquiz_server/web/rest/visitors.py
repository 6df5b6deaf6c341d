"""Who asks by REST: the token's owner, let in like one who comes by the socket, and what asking costs."""

from aiohttp import web
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import Player
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.identity.admission import Admission, bearer_token

_STRANGER_AT = "\0stranger at "
"""Before an address, no player's id: none has this character."""


class Visitor(Struct, frozen=True):
    """Who asks by REST, from where, and since when."""

    player: Player
    address: str
    arrived_at: int


class Visitors:
    """Knows who sends a request. Both ways in raise `Refused`."""

    def __init__(self, clock: Clock, admission: Admission, limits: Limits, arrivals: Arrivals) -> None:
        self._clock = clock
        self._admission = admission
        self._limits = limits
        self._arrivals = arrivals

    async def player(self, request: web.Request, command: str) -> Visitor:
        """Return who may play and asks for a command, and take what a command costs."""
        arrived_at, token, address = self._presented(request)
        identity = await self._admission.prove(token, address)
        self._limits.command(command, identity.player.id)  # before the database is asked about the player
        identity = await self._admission.let_in(identity)
        return Visitor(identity.player, address, arrived_at)

    async def owner(self, request: web.Request, command: str) -> Visitor:
        """The same of somebody who need not be allowed to play: what is stored about people is theirs."""
        arrived_at, token, address = self._presented(request)
        identity = await self._admission.prove(token, address)
        self._limits.command(command, identity.player.id)
        return Visitor(identity.player, address, arrived_at)

    async def anybody(self, request: web.Request, command: str) -> Visitor | None:
        """Return who asks, None for somebody without a token: then the address pays what a command costs."""
        if "Authorization" in request.headers:
            return await self.player(request, command)
        self._limits.command(command, _STRANGER_AT + self._arrivals.address(request))
        return None

    def _presented(self, request: web.Request) -> tuple[int, str, str]:
        token = bearer_token(request.headers.get("Authorization"))
        if token is None:
            raise Refused(Code.UNAUTHORIZED, "A token is required: send it as Authorization: Bearer TOKEN")
        return self._clock.now(), token, self._arrivals.address(request)
