"""Who is speaking: a token → a player. Identity belongs to the connection, never to a payload."""

import secrets
import time
from typing import Any

import jwt
from msgspec import Struct

from pairquiz_server.config import Settings
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import (
    GUEST_PREFIX,
    GUEST_TOKEN_DAYS,
    PLAYER_ID_MAX,
    Player,
    PlayerKind,
    default_display_name,
)
from pairquiz_server.rules.question import printable

GUEST_ISSUER = "pairquiz-server"
GUEST_AUDIENCE = "pairquiz-guest"
TOKEN_MAX_LENGTH = 8192
CLOCK_LEEWAY_S = 10
"""How far an issuer's clock may be from ours: a token that was signed just now must not be one of the future."""
_ALGORITHM = "HS256"
_UNREADABLE = (jwt.PyJWTError, ValueError, OverflowError, RecursionError)
"""What PyJWT raises on a token; the last three are of the text and the JSON in it, and pass through unnamed."""


class Identity(Struct, frozen=True):
    """A proved identity. `guest_token` is what a guest presents next time; `fresh` is a guest just made."""

    player: Player
    guest_token: str | None = None
    fresh: bool = False


class Authenticator:
    """Proves tokens: those of the operator's issuer by JWT_SECRET, and guests' by `guest_secret`."""

    def __init__(self, settings: Settings, guest_secret: bytes) -> None:
        self._settings = settings
        self._guest_secret = guest_secret

    def identify(self, token: str | None) -> Identity:
        """Return who presents this token; without one, a new guest where guests may play.

        Raises `Refused` (`unauthorized`).
        """
        if not token:
            if not self._settings.guests_allowed:
                raise Refused(Code.UNAUTHORIZED, "A token is required: send it as auth.token, or as a Bearer token")
            return self._guest(GUEST_PREFIX + secrets.token_urlsafe(15), fresh=True)
        if len(token) > TOKEN_MAX_LENGTH:
            raise Refused(Code.UNAUTHORIZED, f"The token is longer than {TOKEN_MAX_LENGTH} characters")
        if _claims_to_be_guest(token):
            return self._identify_guest(token)
        return self._identify_user(token)

    def guest_token(self, player_id: str) -> str:
        """Sign the token by which a guest is known again, for 90 days, on every server of the database."""
        now = int(time.time())
        claims = {
            "iss": GUEST_ISSUER,
            "aud": GUEST_AUDIENCE,
            "sub": player_id,
            "iat": now,
            "exp": now + GUEST_TOKEN_DAYS * 24 * 3600,
        }
        return jwt.encode(claims, self._guest_secret, algorithm=_ALGORITHM)

    def _identify_guest(self, token: str) -> Identity:
        if not self._settings.guests_allowed:
            raise Refused(Code.UNAUTHORIZED, "Guests may not play here: a token of a user is required")
        claims = _decode(token, self._guest_secret, audience=GUEST_AUDIENCE, issuer=GUEST_ISSUER)
        return self._guest(_subject(claims), fresh=False)

    def _identify_user(self, token: str) -> Identity:
        if self._settings.jwt_secret is None:
            raise Refused(Code.UNAUTHORIZED, "The token is not one of this server's guests, and it knows no others")
        auth = self._settings.auth
        claims = _decode(token, self._settings.jwt_secret.encode(), audience=auth.audience, issuer=auth.issuer or None)
        player_id = _subject(claims)
        if player_id.startswith(GUEST_PREFIX):
            raise Refused(Code.UNAUTHORIZED, f"A user's `sub` must not begin with {GUEST_PREFIX!r}")
        return Identity(Player(player_id, PlayerKind.USER, default_display_name(player_id, PlayerKind.USER)))

    def _guest(self, player_id: str, *, fresh: bool) -> Identity:
        player = Player(player_id, PlayerKind.GUEST, default_display_name(player_id, PlayerKind.GUEST))
        return Identity(player, self.guest_token(player_id), fresh)


def sign_user_token(settings: Settings, player_id: str, *, lifetime_s: int) -> str:
    """Sign a user's token by JWT_SECRET, for development and tests."""
    assert settings.jwt_secret is not None
    now = int(time.time())
    claims = {"sub": player_id, "aud": settings.auth.audience, "iat": now, "exp": now + lifetime_s}
    if settings.auth.issuer:
        claims["iss"] = settings.auth.issuer
    return jwt.encode(claims, settings.jwt_secret, algorithm=_ALGORITHM)


def _claims_to_be_guest(token: str) -> bool:
    """Read, without believing it, which key a token wants to be checked by."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_aud": False})
    except _UNREADABLE:
        raise Refused(Code.UNAUTHORIZED, "The token is not a JSON Web Token") from None
    return bool(claims.get("iss") == GUEST_ISSUER)


def _decode(token: str, secret: bytes, *, audience: str, issuer: str | None) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=audience,
            issuer=issuer,
            leeway=CLOCK_LEEWAY_S,
            options={"require": ["exp", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise Refused(Code.UNAUTHORIZED, "The token has expired: get a new one") from None
    except _UNREADABLE as error:
        raise Refused(Code.UNAUTHORIZED, f"The token is not valid: {error}") from None


def _subject(claims: dict[str, Any]) -> str:
    subject = claims["sub"]
    if not (isinstance(subject, str) and 1 <= len(subject) <= PLAYER_ID_MAX and printable(subject)):
        raise Refused(Code.UNAUTHORIZED, f"The token's `sub` must be a text of 1 to {PLAYER_ID_MAX} characters")
    return subject
