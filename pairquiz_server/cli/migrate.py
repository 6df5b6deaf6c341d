"""`pairquiz-server migrate`: bring the schema to the newest version, or tell where it stands and what would be done."""

import asyncio
import textwrap

import click
import msgspec

from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, open_database
from pairquiz_server.store import migrations

_WIDTH = 100
_HOLD_MAX_S = 600.0


@click.command()
@click.argument("action", type=click.Choice(["status", "plan"]), required=False)
@click.option(
    "--hold",
    "hold_s",
    type=click.FloatRange(0.1, _HOLD_MAX_S),
    default=migrations.HOLD_S,
    show_default=True,
    help="How many seconds a statement may hold up players; one that takes longer is taken back.",
)
@json_option
@with_settings
def migrate(settings: Settings, action: str | None, hold_s: float, as_json: bool) -> None:
    """Bring the database's schema to the newest version.

    `migrate status` only lists every migration, and when it was applied; `migrate plan` only tells what would be done,
    which tables it locks, and which servers can serve meanwhile.
    """
    with database_url(settings) as url:
        match action:
            case "status":
                asyncio.run(_status(settings, url, as_json=as_json))
            case "plan":
                asyncio.run(_plan(settings, url, as_json=as_json))
            case _:
                asyncio.run(_migrate(settings, url, hold_s, as_json=as_json))


async def _migrate(settings: Settings, url: str, hold_s: float, *, as_json: bool) -> None:
    async with open_database(settings, url) as database:
        applied = await migrations.migrate(database, hold_s=hold_s)
    if as_json:
        click.echo(msgspec.json.encode([{"number": one.number, "name": one.name} for one in applied]))
        return
    for migration in applied:
        click.echo(f"applied {migration.title}")
    if not applied:
        click.echo("nothing to do: the schema is the newest")


async def _status(settings: Settings, url: str, *, as_json: bool) -> None:
    async with open_database(settings, url) as database:
        found = await migrations.status(database)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        note = "  changed since" if one.changed else "" if one.known else "  of a newer version"
        click.echo(f"{one.number:04} {one.name:<24} {one.applied_at or 'pending'}{note}")


async def _plan(settings: Settings, url: str, *, as_json: bool) -> None:
    async with open_database(settings, url) as database:
        planned = await migrations.plan(database)
    if as_json:
        click.echo(msgspec.json.encode(planned))
        return
    for one in planned:
        click.echo(f"{one.number:04} {one.name}: {one.kind or 'before there were kinds'}")
        if one.purpose:
            click.echo(textwrap.fill(one.purpose, _WIDTH, initial_indent="  ", subsequent_indent="  "))
        for lock in one.locks:
            click.echo(f"  locks {lock.table} ({lock.mode}): some {lock.rows:,} rows, {_size(lock.bytes)}")
        click.echo(f"  servers that know {one.beside:04} serve on")
    if not planned:
        click.echo("nothing to do: the schema is the newest")


def _size(count: int) -> str:
    return f"{count / 1024**2:,.1f} MiB"
