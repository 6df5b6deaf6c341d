"""`pairquiz-server players`: who plays, who may not, and what is stored about them."""

import asyncio
import datetime
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec

from pairquiz_server.cli.operator_line import OperatorLine, Reach
from pairquiz_server.cli.options import json_option, output_option, write_output
from pairquiz_server.cli.reaching import ask_or_look, by_database, with_reach
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.cli.values import Note, PlayerId, Sought, Span
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.engine.clock import Clock, starting_time
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.departures import leave_matches
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.engine.operating import Looking
from pairquiz_server.protocol.admin import FoundPlayer, FoundPlayers
from pairquiz_server.protocol.admin.rows import found_player
from pairquiz_server.store.audit import Audit
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.server import BAN_SECRET, ServerState

ERASED_WITHIN_S = 30.0
"""How long `erase` waits for the servers that run; they need some seven seconds."""
LOOK_EVERY_S = 0.25


_id = click.argument("player_id", metavar="ID", type=PlayerId())


@click.group()
def players() -> None:
    """Find, ban, export and erase players, by the id that their tokens prove (`find` shows it)."""


@players.command()
@click.argument("text", type=Sought())
@json_option
@with_reach
def find(settings: Settings, reach: Reach, text: str, as_json: bool) -> None:
    """Find players by TEXT: their id, their name, or the `user_id` that a guest's frontend sent.

    It shows where each is connected and in which matches that go on, too.
    """

    async def asking(line: OperatorLine) -> list[FoundPlayer]:
        return (await line.ask("find_players", FoundPlayers, query={"text": text})).players

    async def alone(looking: Looking) -> list[FoundPlayer]:
        return [found_player(one) for one in await looking.find(text)]

    found = ask_or_look(settings, reach, asking, alone)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("there is no such player: an id, a whole name or a label is looked for")


@players.command()
@_id
@click.option("--for", "seconds", type=Span(), help="For how long, such as 12h, 30d or 4w [default: for ever].")
@click.option("--reason", type=Note(), help="A note for yourself; the player finds it in an export alone.")
@json_option
@with_settings
def ban(settings: Settings, player_id: str, seconds: int | None, reason: str | None, as_json: bool) -> None:
    """Ban the player ID: cut at every server within some seconds, out of running matches, and refused from then on."""
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


async def _ban(database: Database, bans: Bans, player_id: str, reason: str | None, seconds: int | None) -> None:
    await Audit(database).note(by_database(), "player.ban", player_id, seconds=seconds)
    await bans.ban(player_id, reason, seconds)


async def _unban(database: Database, bans: Bans, player_id: str) -> bool:
    await Audit(database).note(by_database(), "player.unban", player_id)
    return await bans.unban(player_id)


async def _export(database: Database, bans: Bans, player_id: str) -> bytes:
    return b"".join([piece async for piece in Players(database).export(player_id, bans.digest(player_id))])


async def _erase(database: Database, bans: Bans, player_id: str) -> bool:
    """Erase a player, or let the servers do it that run; tell whether it is done."""
    erasures, nodes = Erasures(database), Nodes(database)
    await Audit(database).note(by_database(), "player.erase", player_id)
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
    told.append(f"rating {one.rating}" if one.rating is not None else None)
    told.append(f"connected to {', '.join(one.nodes)}" if one.nodes else None)
    told.append(f"plays {', '.join(one.live_matches)}" if one.live_matches else None)
    return f"{one.id or '(erased)'}  " + ", ".join(part for part in told if part)


def _say(record: dict[str, Any], text: str, *, as_json: bool) -> None:
    click.echo(msgspec.json.encode(record) if as_json else text)


def _date(at: int) -> str:
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).date().isoformat()
