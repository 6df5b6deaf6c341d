"""Who may come in, by whatever door: the socket's CONNECT, and REST."""

from msgspec.structs import replace

from pairquiz_server.engine.people import People
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import ERASED_ID
from pairquiz_server.web.auth import Authenticator, Identity


class Admission:
    """Lets people in. Whoever is to stay outside although their token is good is refused in `admit`."""

    def __init__(self, authenticator: Authenticator, people: People) -> None:
        self._authenticator = authenticator
        self._people = people

    async def admit(self, token: str | None, address: str) -> Identity:
        """Return who presents this token, from this address; without one, a new guest where guests may play.

        Raises `Refused`, whose `retry` tells whether coming again, unchanged, may help.
        """
        identity = await self.prove(token, address)
        if identity.fresh:
            return identity
        self._people.check(identity.player.id)
        profile = await self._people.profile(identity.player)
        return replace(identity, player=replace(identity.player, display_name=profile.display_name))

    async def prove(self, token: str | None, address: str) -> Identity:
        """Return who presents this token, whether or not they may play: what is stored about them is theirs.

        Raises `Refused`.
        """
        identity = self._authenticator.identify(token)
        if identity.player.id == ERASED_ID:
            raise Refused(Code.UNAUTHORIZED, f"A user's `sub` must not be {ERASED_ID!r}")
        return identity


def bearer_token(header: str | None) -> str | None:
    """Return the token of an `Authorization: Bearer TOKEN` header, None where there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
