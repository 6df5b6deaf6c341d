"""A JSON Web Token: what it says of itself, and whether a key proves it."""

import re
import time
from typing import Any

import jwt
from msgspec import Struct

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.identity.jwk import PublicKey

TOKEN_MAX_LENGTH = 8192
CLOCK_LEEWAY_S = 10
"""How far an issuer's clock may be from ours: a token that was signed just now must not be one of the future.

None is given to `exp`: there it would only be a longer life.
"""
SECRETS_ALGORITHM = "HS256"
_LAST_SECOND = 253_402_300_799  # of the year 9999; what is later is no date, and mostly counted in milliseconds
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_NO_CHECKS: Any = {"verify_signature": False}
_UNREADABLE = (jwt.PyJWTError, ValueError, OverflowError, RecursionError)
"""What PyJWT raises on a token; the last three are of the text and the JSON in it, and pass through unnamed."""


class Unproved(Struct, frozen=True):
    """What a token says, before anybody believes it."""

    algorithm: str
    kid: str | None
    issuer: object


class Claims(Struct, frozen=True):
    """What a proved token says: for whom it is, and until when it holds."""

    subject: object
    expires_at: int


def read_token(token: str) -> Unproved:
    """Read how a token wants to be checked. Raises `Refused` (`unauthorized`)."""
    if len(token) > TOKEN_MAX_LENGTH:
        raise Refused(Code.UNAUTHORIZED, f"The token is longer than {TOKEN_MAX_LENGTH} characters")
    if not _SHAPE.fullmatch(token):
        raise Refused(Code.UNAUTHORIZED, "The token is not a JSON Web Token")
    try:
        whole = jwt.decode_complete(token, options=_NO_CHECKS)
    except _UNREADABLE:
        raise Refused(Code.UNAUTHORIZED, "The token is not a JSON Web Token") from None
    header: dict[str, Any] = whole["header"]
    if "crit" in header or "b64" in header:
        raise Refused(Code.UNAUTHORIZED, "The token asks for an extension (`crit`, `b64`), and none is known here")
    algorithm = header.get("alg")
    return Unproved(algorithm if isinstance(algorithm, str) else "", header.get("kid"), whole["payload"].get("iss"))


def prove(token: str, key: bytes | PublicKey, *, algorithm: str, audience: str, issuer: str | None) -> Claims:
    """Check a token by the key and the algorithm that we choose for it. Raises `Refused` (`unauthorized`)."""
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=CLOCK_LEEWAY_S,
            options={"require": ["exp", "aud", "sub"], "verify_exp": False, "verify_sub": False},
        )
    except _UNREADABLE as error:
        raise _invalid(_reason(error)) from None
    for name in ("nbf", "iat"):
        if name in claims:
            _seconds(claims, name)
    expires = _seconds(claims, "exp")
    if expires <= time.time():
        raise Refused(Code.UNAUTHORIZED, "The token has expired: get a new one")
    return Claims(claims["sub"], int(expires * 1000))


def _seconds(claims: dict[str, Any], name: str) -> float:
    """Return a time of the claims. PyJWT takes texts, too, and any number."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise _invalid(f"its `{name}` is no time in seconds since the epoch")
    return value


def _invalid(reason: str) -> Refused:
    return Refused(Code.UNAUTHORIZED, f"The token is not valid: {reason}")


def _reason(error: BaseException) -> str:
    """Say what is wrong. PyJWT's own words may quote the token, which is anybody's text."""
    match error:
        case jwt.InvalidSignatureError():
            return "its signature is not the one of its issuer"
        case jwt.MissingRequiredClaimError():
            return f"it has no `{error.claim}`"
        case jwt.InvalidAudienceError():
            return "its `aud` is not the one of this server"
        case jwt.InvalidIssuerError():
            return "its `iss` is not the issuer of this server's tokens"
        case jwt.ImmatureSignatureError():
            return "its time has not come (`nbf`, `iat`)"
        case jwt.InvalidAlgorithmError():
            return "its `alg` is not the one of its key"
        case _:
            return "its header or its claims are not as they must be"
