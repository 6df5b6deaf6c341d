"""Whether tokens can be proved, and by whom players are let in."""

from collections.abc import AsyncIterator

from aiohttp import ClientError

from pairquiz_server.config import Settings
from pairquiz_server.doctor.address import open_to_others
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.faults import tokens as faults
from pairquiz_server.doctor.finding import Finding, ok, skipped
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.identity.auth import Authenticator
from pairquiz_server.web.identity.guests import GUEST_ISSUER
from pairquiz_server.web.identity.jwk import read_key_set
from pairquiz_server.web.identity.jwks import IssuerKeys, NoKeys, download, without_query
from pairquiz_server.web.identity.tokens import read_token

GUESSED_CHARACTERS = 8
"""A secret of fewer different characters was typed, not drawn: 32 hexadecimal digits by chance have 14 or so."""
_WELL_KNOWN = "/.well-known/jwks.json"


async def look_at_tokens(settings: Settings) -> Findings:
    """Yield who may play, and whether the secret is one."""
    who = "anybody, as a guest" if settings.guests_allowed else "whoever has a token"
    if settings.guests_allowed and open_to_others(settings.server.host):
        yield faults.GUESTS_ON_OPEN_ADDRESS.found("players")
    else:
        yield ok("players", who)
    if settings.jwt_secret is None:
        yield skipped("secret", "JWT_SECRET is not set")
    elif (different := len(set(settings.jwt_secret))) < GUESSED_CHARACTERS:
        yield faults.SECRET_WEAK.found("secret", characters=different)
    else:
        yield ok("secret", "JWT_SECRET is set, and long enough")


async def look_at_keys(settings: Settings) -> Findings:
    """Fetch the issuer's keys as the server does, and yield what is there."""
    url = settings.auth.jwks_url
    if not url:
        yield skipped("keys", "auth.jwks_url is not set")
        return
    shown = without_query(url)
    try:
        document = await download(url)
    except NoKeys as answer:
        hint = ": it leads elsewhere, and no redirect is followed" if 300 <= answer.status < 400 else ""
        yield faults.KEYS_ANSWER.found("keys", url=shown, status=answer.status, hint=hint)
    except (ClientError, OSError, ValueError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        yield faults.KEYS_UNREACHABLE.found("keys", url=shown, reason=reason)
    else:
        async for finding in _document(document, shown):
            yield finding
    if not settings.auth.issuer:
        issuer = shown.removesuffix(_WELL_KNOWN)
        yield faults.ISSUER_UNSET.found("issuer", url=shown, issuer=issuer)
    else:
        yield ok("issuer", settings.auth.issuer)


async def look_at_token(settings: Settings, token: str | None) -> Findings:
    """Yield whether these settings take a token, and if not, why."""
    if token is None:
        yield skipped("token", "none was given: --token")
        return
    keys = IssuerKeys(settings.auth.jwks_url, Metrics()) if settings.auth.jwks_url else None
    try:
        guests = read_token(token).issuer == GUEST_ISSUER
        if guests and settings.guest_secret is None:
            yield skipped("token", "it is a guest's, whose secret is in the database: doctor --url tries it")
            return
        secret = (settings.guest_secret or "").encode()
        identity = await Authenticator(settings, secret, keys).identify(token)
    except Refused as refusal:
        if refusal.code is Code.KEYS_UNAVAILABLE:
            yield skipped("token", "the issuer's keys are not there")
        else:
            yield faults.TOKEN_NOT_TAKEN.found("token", reason=refusal.message)
    else:
        yield ok("token", f"it proves {identity.player.id}")


async def _document(document: bytes, shown: str) -> AsyncIterator[Finding]:
    try:
        keys = read_key_set(document)
    except ValueError as error:
        yield faults.KEYS_UNREADABLE.found("keys", url=shown, reason=error)
        return
    if keys.keys:
        algorithms = sorted({key.algorithm for key in keys.keys})
        yield ok("keys", f"{len(keys.keys)} at {shown} ({', '.join(algorithms)})")
    else:
        yield faults.KEYS_NONE.found("keys", url=shown, reason=f": {keys.left_out[0]}" if keys.left_out else "")
    for reason in keys.left_out if keys.keys else ():
        yield faults.KEY_LEFT_OUT.found("keys", url=shown, reason=reason)
