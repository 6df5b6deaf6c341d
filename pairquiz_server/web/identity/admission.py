"""Who may come in, by whatever door: the socket's CONNECT, a token that follows an older one, and REST."""

from msgspec.structs import replace

from pairquiz_server.engine.people import People
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import NOBODYS_IDS
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.identity.auth import Authenticator, Identity


class Admission:
    """Lets people in. Whoever is to stay outside although their token is good is refused by `let_in`."""

    def __init__(self, authenticator: Authenticator, people: People, limits: Limits) -> None:
        self._authenticator = authenticator
        self._people = people
        self._limits = limits

    def admit_stranger(self, address: str) -> Identity:
        """Return a new guest for who presents no token, where guests may play. Raises `Refused`."""
        self._limits.before_token(address)
        try:
            return self._authenticator.new_guest()
        except Refused:
            self._limits.failed_token(address)
            raise

    async def admit(self, token: str | None, address: str) -> Identity:
        """Return who presents this token, from this address; without one, a new guest where guests may play.

        Raises `Refused`, whose `retry` tells whether coming again, unchanged, may help.
        """
        return await self.let_in(await self.prove(token, address))

    async def prove(self, token: str | None, address: str) -> Identity:
        """Return who presents this token, whether or not they may play: what is stored about them is theirs.

        Raises `Refused`.
        """
        self._limits.before_token(address)
        try:
            identity = await self._authenticator.identify(token)
            if identity.player.id in NOBODYS_IDS:
                raise Refused(Code.UNAUTHORIZED, f"A user's `sub` must not be {identity.player.id!r}")
        except Refused as refusal:
            if refusal.code is Code.UNAUTHORIZED:
                self._limits.failed_token(address)
            raise
        return identity

    async def let_in(self, identity: Identity) -> Identity:
        """Return the same person by the name that they have chosen. Raises `Refused` (`forbidden`)."""
        if identity.fresh:
            return identity
        self.check(identity)
        profile = await self._people.profile(identity.player)
        return replace(identity, player=replace(identity.player, display_name=profile.display_name))

    def check(self, identity: Identity) -> None:
        """Refuse who must not play, by what this node has heard until now. Raises `Refused` (`forbidden`)."""
        self._people.check(identity.player.id)

    async def readmit(self, token: str, address: str, known: Identity) -> Identity:
        """Return the same person by a newer token. Raises `Refused`, `forbidden` where it is somebody else's."""
        identity = await self.admit(token, address)
        if identity.player.id != known.player.id:
            raise Refused(Code.FORBIDDEN, "The token is somebody else's: connect anew to play as them")
        return identity


def bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer TOKEN` header, None where there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
