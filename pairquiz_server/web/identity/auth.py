"""Who is speaking: a token → a player. Identity belongs to the connection, never to a payload."""

import secrets
import time

import jwt
from msgspec import Struct

from pairquiz_server.config import Settings
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import (
    GUEST_PREFIX,
    PLAYER_ID_MAX,
    Player,
    PlayerKind,
    default_display_name,
)
from pairquiz_server.rules.question import printable
from pairquiz_server.web.identity.guests import GUEST_AUDIENCE, GUEST_ISSUER, GuestTokens
from pairquiz_server.web.identity.jwk import ALGORITHMS
from pairquiz_server.web.identity.jwks import IssuerKeys
from pairquiz_server.web.identity.tokens import SECRETS_ALGORITHM, Claims, Unproved, prove, read_token


class Identity(Struct, frozen=True, gc=False):
    """A proved identity, until `expires_at`.

    `guest_token` is what a guest presents next time, and the token whose end that is; `fresh` is a guest just made.
    """

    player: Player
    expires_at: int
    guest_token: str | None = None
    fresh: bool = False


class Authenticator:
    """Proves tokens: the issuer's by JWT_SECRET and by its public keys, guests' by `guest_secret`.

    Which key may prove a token is decided by what the token says it is, and every key has one algorithm.
    """

    def __init__(self, settings: Settings, guest_secret: bytes, issuer_keys: IssuerKeys | None = None) -> None:
        self._settings = settings
        self._guest_secret = guest_secret
        self._guest_tokens = GuestTokens(guest_secret)
        self._issuer_keys = issuer_keys

    async def identify(self, token: str | None) -> Identity:
        """Return who presents this token; without one, a new guest where guests may play.

        Waits only where the issuer's keys have to be fetched first. Raises `Refused` (`unauthorized`,
        `keys_unavailable`).
        """
        if not token:
            return self.new_guest()
        if (claims := self._guest_tokens.prove(token)) is not None:
            return self._known_guest(claims)
        unproved = read_token(token)
        if unproved.issuer == GUEST_ISSUER:
            return self._identify_guest(token)
        return _user(await self._prove_user(token, unproved))

    def new_guest(self) -> Identity:
        """Return a guest whom nobody has seen before. Raises `Refused` (`unauthorized`) where guests may not play."""
        if not self._settings.guests_allowed:
            raise Refused(Code.UNAUTHORIZED, "A token is required: send it as auth.token, or as a Bearer token")
        return self._guest(GUEST_PREFIX + secrets.token_urlsafe(15), fresh=True)

    def guest_token(self, player_id: str) -> str:
        """Sign the token by which a guest is known again, for 90 days, on every server of the database."""
        return self._guest_tokens.sign(player_id)[0]

    def _known_guest(self, claims: Claims) -> Identity:
        if not self._settings.guests_allowed:
            raise Refused(Code.UNAUTHORIZED, "Guests may not play here: a token of a user is required")
        return self._guest(_subject(claims), fresh=False)

    def _identify_guest(self, token: str) -> Identity:
        return self._known_guest(
            prove(token, self._guest_secret, algorithm=SECRETS_ALGORITHM, audience=GUEST_AUDIENCE, issuer=GUEST_ISSUER)
        )

    async def _prove_user(self, token: str, unproved: Unproved) -> Claims:
        auth, secret = self._settings.auth, self._settings.jwt_secret
        audience, issuer = auth.audience, auth.issuer or None
        if unproved.algorithm == SECRETS_ALGORITHM and secret is not None:
            return prove(token, secret.encode(), algorithm=SECRETS_ALGORITHM, audience=audience, issuer=issuer)
        if unproved.algorithm in ALGORITHMS and self._issuer_keys is not None:
            key = await self._issuer_keys.find(unproved.kid, unproved.algorithm)
            return prove(token, key.key, algorithm=key.algorithm, audience=audience, issuer=issuer)
        if not self._settings.users_known:
            raise Refused(Code.UNAUTHORIZED, "The token is not one of this server's guests, and it knows no others")
        raise Refused(Code.UNAUTHORIZED, "The token's `alg` is not one that is taken here")

    def _guest(self, player_id: str, *, fresh: bool) -> Identity:
        player = Player(player_id, PlayerKind.GUEST, default_display_name(player_id, PlayerKind.GUEST))
        token, expires_at = self._guest_tokens.sign(player_id)
        return Identity(player, expires_at, token, fresh)


def sign_user_token(settings: Settings, player_id: str, *, lifetime_s: int) -> str:
    """Sign a user's token by JWT_SECRET, for development and tests."""
    assert settings.jwt_secret is not None
    now = int(time.time())
    claims = {"sub": player_id, "aud": settings.auth.audience, "iat": now, "exp": now + lifetime_s}
    if settings.auth.issuer:
        claims["iss"] = settings.auth.issuer
    return jwt.encode(claims, settings.jwt_secret, algorithm=SECRETS_ALGORITHM)


def _user(claims: Claims) -> Identity:
    player_id = _subject(claims)
    if player_id.startswith(GUEST_PREFIX):
        raise Refused(Code.UNAUTHORIZED, f"A user's `sub` must not begin with {GUEST_PREFIX!r}")
    player = Player(player_id, PlayerKind.USER, default_display_name(player_id, PlayerKind.USER))
    return Identity(player, claims.expires_at)


def _subject(claims: Claims) -> str:
    subject = claims.subject
    if not (isinstance(subject, str) and 1 <= len(subject) <= PLAYER_ID_MAX and printable(subject)):
        raise Refused(Code.UNAUTHORIZED, f"The token's `sub` must be a text of 1 to {PLAYER_ID_MAX} characters")
    return subject
