"""`pairquiz-server token`: a token to try the server with."""

import asyncio
import secrets

import click

from pairquiz_server import app
from pairquiz_server.cli.options import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.rules.player import GUEST_PREFIX
from pairquiz_server.web.auth import sign_user_token


@click.command()
@click.argument("player_id", required=False)
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), default=24.0, show_default=True)
@with_settings
def token(settings: Settings, player_id: str | None, hours: float) -> None:
    """Print a token: for the user PLAYER_ID by JWT_SECRET, or for a guest where no secret is set.

    A guest's holds for 90 days.
    """
    if settings.jwt_secret is not None:
        if player_id is None:
            raise click.UsageError("say for which user: pairquiz-server token PLAYER_ID")
        click.echo(sign_user_token(settings, player_id, lifetime_s=int(hours * 3600)))
        return
    if player_id is not None:
        raise click.UsageError("a user's token needs JWT_SECRET; without PLAYER_ID you get a guest's")
    with app.database_url(settings) as url:
        click.echo(asyncio.run(_guest_token(settings, url)))


async def _guest_token(settings: Settings, url: str) -> str:
    async with app.prepared_database(settings, url) as database:
        authenticator = await app.authenticator(settings, database)
        return authenticator.guest_token(GUEST_PREFIX + secrets.token_urlsafe(15))
