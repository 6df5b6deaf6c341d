"""`pairquiz-server matches`: what is played at a server that runs, and a match's end by its operator."""

import asyncio
from typing import Any

import click
import msgspec

from pairquiz_server.cli.completing import topic_names
from pairquiz_server.cli.operator_line import OperatorLine, Reach, operator_line
from pairquiz_server.cli.options import json_option
from pairquiz_server.cli.reaching import ask, with_reach
from pairquiz_server.cli.telling import change_line, match_lines, moment
from pairquiz_server.cli.values import MatchId, Note, PlayerId
from pairquiz_server.config import Settings
from pairquiz_server.protocol.admin import EndedMatch, EndMatch, ListedMatch, MatchChange, MatchPage, ShownMatch
from pairquiz_server.protocol.admin.questions import LIST_MAX
from pairquiz_server.rules.match import Status
from pairquiz_server.terminal.words import shown

_STATES = click.Choice([str(status) for status in Status])
_id = click.argument("match_id", metavar="ID", type=MatchId())


@click.group()
def matches() -> None:
    """List, show, watch and end matches of a server that runs."""


@matches.command(name="list")
@click.option("--state", type=_STATES, help="Only those in this state [default: all that are live].")
@click.option("--player", type=PlayerId(), help="Only those of this player, by the id; also those that are over.")
@click.option("--topic", shell_complete=topic_names, help="Only those of this topic.")
@click.option("--limit", type=click.IntRange(1, LIST_MAX), default=20, show_default=True, help="How many at most.")
@click.option("--cursor", help="Go on where the page before has ended: its last line says how.")
@json_option
@with_reach
def list_(settings: Settings, reach: Reach, limit: int, as_json: bool, **wanted: str | None) -> None:
    """List matches, the newest first: since when they are there, or when they ended (UTC)."""
    query = {key: value for key, value in wanted.items() if value is not None} | {"limit": str(limit)}
    page = ask(reach, lambda line: line.ask("list_matches", MatchPage, query=query))
    if as_json:
        click.echo(msgspec.json.encode(page))
        return
    if not page.matches:
        click.echo("there are no such matches")
        return
    for one in page.matches:
        click.echo(_line(one))
    if page.next_cursor:
        click.echo(f"more: --cursor {page.next_cursor}")


@matches.command()
@_id
@click.option("--answers", is_flag=True, help="Also the right options of a match that goes on: the audit notes it.")
@json_option
@with_reach
def show(settings: Settings, reach: Reach, match_id: str, answers: bool, as_json: bool) -> None:
    """Show the match ID: its players, its questions, and how each answer was judged."""
    query = {"answers": "true"} if answers else None
    match = ask(reach, lambda line: line.ask("show_match", ShownMatch, parts={"session_id": match_id}, query=query))
    if as_json:
        click.echo(msgspec.json.encode(match))
        return
    for line in match_lines(match):
        click.echo(line)


@matches.command()
@_id
@json_option
@with_reach
def watch(settings: Settings, reach: Reach, match_id: str, as_json: bool) -> None:
    """Watch the match ID: each change as a line, until it is over or Ctrl+C."""

    async def follow(line: OperatorLine) -> None:
        async for change in line.follow("watch_match", MatchChange, parts={"session_id": match_id}):
            click.echo(msgspec.json.encode(change) if as_json else change_line(change))

    async def run() -> None:
        async with operator_line(reach) as line:
            await follow(line)

    asyncio.run(run())


@matches.command()
@_id
@click.option("--reason", type=Note(), required=True, help="Why; the audit keeps it, and players are not told.")
@click.option("--winner", type=click.IntRange(1, 2), help="Player 1 or 2 has won [default: nobody has won or lost].")
@json_option
@with_reach
def end(settings: Settings, reach: Reach, match_id: str, reason: str, winner: int | None, as_json: bool) -> None:
    """End the match ID, at whichever server it is played; both players are told at once.

    Nobody has won or lost by it, and nothing is rated, unless a winner is named of a match that runs.
    """
    payload = EndMatch(reason=reason, winner=winner)
    ended = ask(reach, lambda line: line.ask("end_match", EndedMatch, parts={"session_id": match_id}, payload=payload))
    already = " already, by the operator" if ended.already else ""
    _say(ended, f"{ended.session_id} is over{already} ({ended.status})", as_json=as_json)


def _line(one: ListedMatch) -> str:
    """Return a match as a line that begins with the id, to be copied."""
    state = one.status if one.end_reason is None else f"{one.status} ({one.end_reason})"
    duel = _side(one.player1_name, away=one.player1_away)
    if one.player2_name is not None:
        duel += f" {one.player1_score} : {one.player2_score} {_side(one.player2_name, away=one.player2_away)}"
    return f"{one.session_id}  {moment(one.ended_at or one.created_at)}  {state}, {shown(one.topic)}: {duel}"


def _side(name: str, *, away: bool) -> str:
    return shown(name) + (" (away)" if away else "")


def _say(record: Any, text: str, *, as_json: bool) -> None:
    click.echo(msgspec.json.encode(record) if as_json else text)
