"""`pairquiz-server migrate`: bring the schema to the newest version, or tell where it stands."""

import asyncio

import click
import msgspec

from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, open_database
from pairquiz_server.store import migrations


@click.command()
@click.argument("action", type=click.Choice(["status"]), required=False)
@json_option
@with_settings
def migrate(settings: Settings, action: str | None, as_json: bool) -> None:
    """Bring the database's schema to the newest version.

    `migrate status` only lists every migration, and when it was applied.
    """
    with database_url(settings) as url:
        if action == "status":
            asyncio.run(_status(settings, url, as_json=as_json))
        else:
            asyncio.run(_migrate(settings, url, as_json=as_json))


async def _migrate(settings: Settings, url: str, *, as_json: bool) -> None:
    async with open_database(settings, url) as database:
        applied = await migrations.migrate(database)
    if as_json:
        click.echo(msgspec.json.encode([{"number": one.number, "name": one.name} for one in applied]))
        return
    for migration in applied:
        click.echo(f"applied {migration.number:04} {migration.name}")
    if not applied:
        click.echo("nothing to do: the schema is the newest")


async def _status(settings: Settings, url: str, *, as_json: bool) -> None:
    async with open_database(settings, url) as database:
        found = await migrations.status(database)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for migration in found:
        click.echo(f"{migration.number:04} {migration.name:<24} {migration.applied_at or 'pending'}")
