"""Who may come in, by whatever door: the socket's CONNECT, a token that follows an older one, and REST."""

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.auth import Authenticator, Identity
from pairquiz_server.web.limits import Limits


class Admission:
    """Lets people in. Whoever is to stay outside although their token is good is refused in `admit`."""

    def __init__(self, authenticator: Authenticator, limits: Limits) -> None:
        self._authenticator = authenticator
        self._limits = limits

    async def admit(self, token: str | None, address: str) -> Identity:
        """Return who presents this token, from this address; without one, a new guest where guests may play.

        Raises `Refused`, whose `retry` tells whether coming again, unchanged, may help.
        """
        self._limits.before_token(address)
        try:
            return await self._authenticator.identify(token)
        except Refused as refusal:
            if refusal.code is Code.UNAUTHORIZED:
                self._limits.failed_token(address)
            raise

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
