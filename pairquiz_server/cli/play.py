"""`pairquiz-server play`: a duel in the terminal."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console

from pairquiz_server.cli.address import own_url
from pairquiz_server.cli.completing import topic_names
from pairquiz_server.cli.options import config_option, read_settings
from pairquiz_server.client.address import Address, address, invitation
from pairquiz_server.client.bot import Level
from pairquiz_server.client.clock import ServerClock
from pairquiz_server.client.errors import NoServer
from pairquiz_server.client.kept import seat_at, state_folder
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace
from pairquiz_server.terminal import evening, hands
from pairquiz_server.terminal.face import Face
from pairquiz_server.terminal.game import Order
from pairquiz_server.terminal.lines import Lines
from pairquiz_server.terminal.records import Records
from pairquiz_server.terminal.screen import Screen

_LEVELS, _PACES, _SCORINGS = (click.Choice([str(one) for one in kind]) for kind in (Level, Pace, ScoringProfile))


@click.command()
@click.argument("url", required=False)
@click.option("--topic", shell_complete=topic_names, help="What about [default: General].")
@click.option("--questions", "question_count", type=click.IntRange(1, 50), help="How many [default: the server's, 5].")
@click.option("--time-limit", type=click.IntRange(5, 300), help="Seconds for each [default: the server's, 30].")
@click.option("--pace", type=_PACES, help="free: each at their own; rounds: both get one at a time [default: free].")
@click.option("--scoring", type=_SCORINGS, help="What gives points [default: speed_bonus].")
@click.option("--join", metavar="CODE", help="Take the second seat of a match: by its code, its id, or its link.")
@click.option("--find", is_flag=True, help="Look for somebody who wants the same.")
@click.option("--ghost", is_flag=True, help="With --find: a recorded run will do, where nobody comes.")
@click.option("--bot", type=_LEVELS, help="Play against a bot of your own, in the second seat.")
@click.option("--fresh", is_flag=True, help="Leave a match that is not over, in place of going on with it.")
@click.option("--token", envvar="QUIZ_TOKEN", help="A user's token, where guests may not play [env: QUIZ_TOKEN].")
@click.option("--plain", is_flag=True, help="Say everything as lines, as into a pipe (for screen readers).")
@click.option("--json", "as_json", is_flag=True, help="Print each event as JSON, one object a line.")
@config_option
def play(
    url: str | None,
    join: str | None,
    find: bool,
    ghost: bool,
    bot: str | None,
    fresh: bool,
    token: str | None,
    plain: bool,
    as_json: bool,
    config_file: Path | None,
    **wishes: Any,
) -> None:
    """Play a duel at the server URL (the one of this machine, if none is named), or by a link to a match.

    Opens a match, and shows how somebody else comes in. Answers are the keys 1 to 4; where the input is no terminal,
    a line for each question. A match that is not over is gone on with.
    """
    wishes = {name: wish for name, wish in wishes.items() if wish is not None}
    where = address(url) if url is not None else _own_server(config_file)
    invited = where.invitation
    if join is not None:
        link = address(join) if "/" in join else None
        invited = link.invitation if link else invitation(join)
        where = link if link and url is None else where
    if invited and (wishes or find or bot):
        raise click.UsageError("What is played was chosen by whoever opened the match: say --join alone")
    if (find and bot) or (ghost and not find):
        raise click.UsageError("--bot is for a match that you open, --ghost goes with --find")
    if find:
        wishes["accept_ghost"] = ghost
    screen = not (plain or as_json) and _at_a_screen()
    order = Order(
        url=where.url,
        wishes=wishes,
        invitation=invited,
        find=find,
        bot=Level(bot) if bot else None,
        fresh=fresh,
        asks=_is_terminal(sys.stdin),
    )
    try:
        exit_code = asyncio.run(_play(order, token, screen=screen, as_json=as_json))
    except NoServer as error:
        hint = (
            "name another, or start one: pairquiz-server serve" if url is None else "is it up, and the address right?"
        )
        raise NoServer(f"{error}: {hint}") from None
    sys.exit(exit_code)


async def _play(order: Order, token: str | None, *, screen: bool, as_json: bool) -> int:
    with seat_at(order.url, state_folder(os.environ)) as kept, _hands(screen=screen) as typing:
        return await evening.play(order, token, kept, _face(order.url, screen=screen, as_json=as_json), typing)


def _own_server(config_file: Path | None) -> Address:
    server = read_settings(config_file).server
    if server.port == 0:
        raise click.UsageError("server.port is 0, any that is free: name the address that `serve` has shown")
    return Address(own_url(server.host, server.port))


def _at_a_screen() -> bool:
    return _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and os.environ.get("TERM", "dumb") != "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    """Tell whether somebody is there; a stream that is closed is None."""
    return stream is not None and stream.isatty()


@contextmanager
def _hands(*, screen: bool) -> Iterator[hands.Hands]:
    file = os.open(os.devnull, os.O_RDONLY) if sys.stdin is None else sys.stdin.fileno()
    with hands.keys(file) if screen else hands.lines(file) as typing:
        yield typing


def _face(url: str, *, screen: bool, as_json: bool) -> Callable[[ServerClock], Face]:
    def face(clock: ServerClock) -> Face:
        if as_json:
            return Records(click.echo)
        return Screen(Console(highlight=False), url, clock) if screen else Lines(click.echo, url, clock)

    return face
