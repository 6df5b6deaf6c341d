"""Guest tokens: JSON Web Tokens that only this server's database signs, always in one spelling.

So one that is presented is proved by signing what it says: PyJWT would take ten times as long, and after a restart all
guests come back at once. What is in any other spelling is left to `tokens.prove`, which says what is wrong with it.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from msgspec import Struct

from pairquiz_server.rules.player import GUEST_TOKEN_DAYS
from pairquiz_server.web.identity.tokens import CLOCK_LEEWAY_S, TOKEN_MAX_LENGTH, Claims

GUEST_ISSUER = "pairquiz-server"
GUEST_AUDIENCE = "pairquiz-guest"
_LIFETIME_S = GUEST_TOKEN_DAYS * 24 * 3600


class _GuestClaims(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a guest token says, in this order; `iat` and `exp` are seconds."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_GuestClaims)


class GuestTokens:
    """Signs guest tokens by one secret, and knows them again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, player_id: str) -> tuple[str, int]:
        """Return a token, and until when it holds, in milliseconds."""
        now = int(time.time())
        expires_at = now + _LIFETIME_S
        return self._spelled(_GuestClaims(GUEST_ISSUER, GUEST_AUDIENCE, player_id, now, expires_at)), expires_at * 1000

    def prove(self, token: str) -> Claims | None:
        """Return what a token says if it is one of these and holds now; None proves nothing."""
        if len(token) > TOKEN_MAX_LENGTH:
            return None
        try:
            _, said, _ = token.split(".")
            claims = _decoder.decode(urlsafe_b64decode(said + "=" * (-len(said) % 4)))
        except (ValueError, msgspec.DecodeError, RecursionError):
            return None
        if not hmac.compare_digest(self._spelled(claims).encode(), token.encode(errors="replace")):
            return None
        ours = (claims.iss, claims.aud, claims.exp - claims.iat) == (GUEST_ISSUER, GUEST_AUDIENCE, _LIFETIME_S)
        if not ours or not claims.iat - CLOCK_LEEWAY_S <= time.time() < claims.exp:
            return None
        return Claims(claims.sub, claims.exp * 1000)

    def _spelled(self, claims: _GuestClaims) -> str:
        signed = _HEADER + b"." + _base64(_encoder.encode(claims))
        return (signed + b"." + _base64(hmac.digest(self._secret, signed, "sha256"))).decode()


def _base64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


_HEADER = _base64(b'{"alg":"HS256","typ":"JWT"}')
