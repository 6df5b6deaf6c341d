"""`pairquiz-server usage`: who used what, by day."""

import asyncio
import time

import click
import msgspec
from rich.console import Console
from rich.table import Table

from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.store.usage import FeatureDay, Usage

_DAY_MS = 24 * 3600 * 1000
_DAYS_MAX = 10 * 365


@click.command()
@click.option("--days", type=click.IntRange(1, _DAYS_MAX), default=7, show_default=True, help="How many days back.")
@json_option
@with_settings
def usage(settings: Settings, days: int, as_json: bool) -> None:
    """Show how often each feature was used, and by how many players, by day (UTC)."""
    with database_url(settings) as url:
        found = asyncio.run(_by_day(settings, url, days))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    table = Table("day", "feature", "uses", "players")
    for row in found:
        table.add_row(str(row.day), row.feature, str(row.uses), str(row.players))
    Console().print(table if found else "nobody has played in this time")


async def _by_day(settings: Settings, url: str, days: int) -> list[FeatureDay]:
    now = int(time.time() * 1000)
    async with prepared_database(settings, url) as database:
        return await Usage(database).by_day(now - days * _DAY_MS, now + _DAY_MS)
