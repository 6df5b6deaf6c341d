"""`pairquiz-server migrate`: bring the schema to the newest version, or tell where it stands."""

import asyncio

import click

from pairquiz_server.cli.options import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, open_database
from pairquiz_server.store import migrations


@click.command()
@click.argument("action", type=click.Choice(["status"]), required=False)
@with_settings
def migrate(settings: Settings, action: str | None) -> None:
    """Bring the database's schema to the newest version.

    `migrate status` only lists every migration, and when it was applied.
    """
    with database_url(settings) as url:
        asyncio.run(_status(settings, url) if action == "status" else _migrate(settings, url))


async def _migrate(settings: Settings, url: str) -> None:
    async with open_database(settings, url) as database:
        applied = await migrations.migrate(database)
    for migration in applied:
        click.echo(f"applied {migration.number:04} {migration.name}")
    if not applied:
        click.echo("nothing to do: the schema is the newest")


async def _status(settings: Settings, url: str) -> None:
    async with open_database(settings, url) as database:
        for migration in await migrations.status(database):
            click.echo(f"{migration.number:04} {migration.name:<24} {migration.applied_at or 'pending'}")
