"""`pairquiz-server players`: who plays, who may not, and what is stored about them."""

import asyncio
import datetime
import re
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec

from pairquiz_server.cli.options import json_option, output_option, write_output
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.engine.clock import Clock, starting_time
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.departures import leave_matches
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.rules.player import PLAYER_ID_MAX
from pairquiz_server.rules.question import printable
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.players import FoundPlayer, Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.server import BAN_SECRET, ServerState

REASON_MAX = 500
ERASED_WITHIN_S = 30.0
"""How long `erase` waits for the servers that run; they need some seven seconds."""
LOOK_EVERY_S = 0.25
_SPAN = re.compile(r"(\d{1,6})([hdw])", re.ASCII)
_SECONDS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


class _PlayerId(click.ParamType[str]):
    """An id as tokens prove it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not (1 <= len(value) <= PLAYER_ID_MAX and printable(value)):
            self.fail(f"an id is a text of 1 to {PLAYER_ID_MAX} characters", param, ctx)
        return str(value)


class _Sought(click.ParamType[str]):
    """A text that a player may be known by."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not (value.strip() and printable(value)):
            self.fail("an id, a name or a label has at least one character, and no control characters", param, ctx)
        return str(value)


class _Span(click.ParamType[int]):
    """A span such as 12h, 30d or 4w, in seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _SPAN.fullmatch(value)
        seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
        if not 0 < seconds <= 100 * 366 * 24 * 3600:
            self.fail(f"{value!r} is no span such as 12h, 30d or 4w", param, ctx)
        return seconds


_id = click.argument("player_id", metavar="ID", type=_PlayerId())


@click.group()
def players() -> None:
    """Find, ban, export and erase players, by the id that their tokens prove (`find` shows it)."""


@players.command()
@click.argument("text", type=_Sought())
@json_option
@with_settings
def find(settings: Settings, text: str, as_json: bool) -> None:
    """Find players by TEXT: their id, their name, or the `user_id` that a guest's frontend sent."""
    found = _run(settings, _find, text)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("there is no such player: an id, a whole name or a label is looked for")


@players.command()
@_id
@click.option("--for", "seconds", type=_Span(), help="For how long, such as 12h, 30d or 4w [default: for ever].")
@click.option("--reason", help="A note for yourself, which the player is not told (but finds in an export).")
@json_option
@with_settings
def ban(settings: Settings, player_id: str, seconds: int | None, reason: str | None, as_json: bool) -> None:
    """Ban the player ID: cut at every server within some seconds, out of running matches, and refused from then on."""
    if reason is not None and not (1 <= len(reason) <= REASON_MAX and printable(reason)):
        raise click.BadParameter(f"1 to {REASON_MAX} characters, and no control characters", param_hint="--reason")
    _run(settings, _ban, player_id, reason, seconds)
    _say({"banned": player_id, "seconds": seconds}, f"{player_id} is banned", as_json=as_json)


@players.command()
@_id
@json_option
@with_settings
def unban(settings: Settings, player_id: str, as_json: bool) -> None:
    """Let the player ID play again."""
    if not _run(settings, _unban, player_id):
        raise click.ClickException(f"{player_id} is not banned: see pairquiz-server players find")
    _say({"unbanned": player_id}, f"{player_id} may play again, within some seconds at every server", as_json=as_json)


@players.command()
@_id
@output_option
@with_settings
def export(settings: Settings, player_id: str, output: Path | None) -> None:
    """Export all that is stored about the player ID, as JSON."""
    write_output(_run(settings, _export, player_id), output)


@players.command()
@_id
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@with_settings
def erase(settings: Settings, player_id: str, yes: bool, as_json: bool) -> None:
    """Erase all that is stored about the player ID; opponents keep their results, without the name.

    A ban that there is stays. It cannot be undone.
    """
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise click.UsageError("Erasing cannot be undone: confirm it with --yes")
        click.confirm(f"Erase {player_id} for good?", abort=True)
    done = _run(settings, _erase, player_id)
    if done:
        said = f"{player_id} is erased"
    else:
        said = f"{player_id} is refused from now on, and erased as soon as a match that still goes on is over"
    _say({"erased": player_id, "done": done}, said, as_json=as_json)


def _run(settings: Settings, work: Any, *arguments: Any) -> Any:
    """Do the work with a database, its people's bans, and these arguments."""

    async def run(url: str) -> Any:
        async with prepared_database(settings, url) as database:
            bans = Bans(database, await ServerState(database).shared(BAN_SECRET))
            return await work(database, bans, *arguments)

    with database_url(settings) as url:
        return asyncio.run(run(url))


async def _find(database: Database, bans: Bans, text: str) -> list[FoundPlayer]:
    return await Players(database).find(text, bans.digest(text))


async def _ban(database: Database, bans: Bans, player_id: str, reason: str | None, seconds: int | None) -> None:
    await bans.ban(player_id, reason, seconds)


async def _unban(database: Database, bans: Bans, player_id: str) -> bool:
    return await bans.unban(player_id)


async def _export(database: Database, bans: Bans, player_id: str) -> bytes:
    return b"".join([piece async for piece in Players(database).export(player_id, bans.digest(player_id))])


async def _erase(database: Database, bans: Bans, player_id: str) -> bool:
    """Erase a player, or let the servers do it that run; tell whether it is done."""
    erasures, nodes = Erasures(database), Nodes(database)
    await erasures.wish(player_id)
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + ERASED_WITHIN_S
    while await nodes.alive():
        if player_id not in await erasures.pending():
            return True
        if loop.time() > give_up_at:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return await _erase_alone(database, bans, erasures, nodes, player_id)


async def _erase_alone(database: Database, bans: Bans, erasures: Erasures, nodes: Nodes, player_id: str) -> bool:
    """Do what a server does, where none runs: nobody is connected who had to be told."""
    matches = Matches(database)
    reading = await nodes.read_clock()
    clock = Clock(starting_time(reading.game_at, reading.beaten_at, reading.database_at))
    committer = Committer(matches, lambda decision, origin: None, pace_s=0, node=uuid4())
    committing = asyncio.create_task(committer.run())
    await leave_matches([player_id], PresenceRows(database), committer, clock)
    committer.stop()
    await committing
    return player_id not in await Eraser(erasures, bans, settle_s=0).work()


def _line(one: FoundPlayer) -> str:
    """Return a player as a line that begins with the id, to be copied."""
    told = [one.kind, one.display_name, f"label {one.label}" if one.label else None]
    told += [f"since {_date(one.created_at)}" if one.created_at else None]
    told += [f"last seen {_date(one.seen_at)}" if one.seen_at else None]
    if one.banned:
        until = f"until {_date(one.banned_until)}" if one.banned_until else "for ever"
        told.append(f"banned {until}" + (f" ({one.reason})" if one.reason else ""))
    elif one.id is None:
        told.append("a ban that is over")
    told.append("being erased" if one.erasing else None)
    return f"{one.id or '(erased)'}  " + ", ".join(part for part in told if part)


def _say(record: dict[str, Any], text: str, *, as_json: bool) -> None:
    click.echo(msgspec.json.encode(record) if as_json else text)


def _date(at: int) -> str:
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).date().isoformat()
