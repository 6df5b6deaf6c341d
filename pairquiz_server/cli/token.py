"""`pairquiz-server token`: a token to try the server with."""

import asyncio
import secrets

import click
import msgspec

from pairquiz_server import node
from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.player import GUEST_PREFIX
from pairquiz_server.web.identity.auth import Authenticator, sign_user_token

_HOURS_MAX = 10 * 365 * 24


@click.command()
@click.argument("player_id", required=False)
@click.option("--hours", type=click.IntRange(1, _HOURS_MAX), default=24, show_default=True, help="How long it holds.")
@json_option
@with_settings
def token(settings: Settings, player_id: str | None, hours: int, as_json: bool) -> None:
    """Print a token: for the user PLAYER_ID by JWT_SECRET, or for a guest where no secret is set.

    A guest's holds for 90 days.
    """
    if settings.jwt_secret is not None:
        if player_id is None:
            raise click.UsageError("Say for which user: pairquiz-server token PLAYER_ID")
        _say(_user_token(settings, player_id, lifetime_s=hours * 3600), as_json=as_json)
        return
    if player_id is not None:
        raise click.UsageError("A user's token needs JWT_SECRET; without PLAYER_ID you get a guest's")
    if not settings.guests_allowed:
        raise click.UsageError("Only your issuer can sign with the keys of auth.jwks_url; JWT_SECRET would do here")
    with database_url(settings) as url:
        _say(asyncio.run(_guest_token(settings, url)), as_json=as_json)


def _say(signed: str, *, as_json: bool) -> None:
    click.echo(msgspec.json.encode({"token": signed}) if as_json else signed)


def _user_token(settings: Settings, player_id: str, *, lifetime_s: int) -> str:
    """Sign a token that the server takes; who could not play with it gets none."""
    signed = sign_user_token(settings, player_id, lifetime_s=lifetime_s)
    try:
        asyncio.run(Authenticator(settings, guest_secret=b"").identify(signed))
    except Refused as refusal:
        raise click.BadParameter(refusal.message, param_hint="PLAYER_ID") from None
    return signed


async def _guest_token(settings: Settings, url: str) -> str:
    async with prepared_database(settings, url) as database:
        authenticator = await node.authenticator(settings, database)
        return authenticator.guest_token(GUEST_PREFIX + secrets.token_urlsafe(15))
