"""`pairquiz-server doctor`: what is wrong, and the command that mends it."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from pairquiz_server import logs
from pairquiz_server.cli.address import own_url
from pairquiz_server.cli.options import config_option, data_dir_option, json_option, read_settings
from pairquiz_server.client.address import address
from pairquiz_server.config import ConfigError
from pairquiz_server.doctor.address import as_browsers_write
from pairquiz_server.doctor.finding import Finding, Outcome
from pairquiz_server.doctor.here import Asked, database_at_hand, look_here, unreadable
from pairquiz_server.doctor.outside.look import look_outside
from pairquiz_server.doctor.outside.target import Target
from pairquiz_server.web.identity.auth import sign_user_token

_PLAYERS = ("doctor-1", "doctor-2")
"""Who plays a duel by tokens that JWT_SECRET signs."""
_TOKEN_S = 600
_STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "dim",
}


@click.command()
@click.option("--url", help="Look at the server at this address, as its clients come to it.")
@click.option("--origin", help="A page's origin, such as https://quiz.example: may it talk to the server?")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    envvar="QUIZ_TOKEN",
    help="A player's token, to be tried; with --url twice, for a duel of two [env: QUIZ_TOKEN, by spaces].",
)
@click.option("--session", help="With --url: the id of a session that somebody cannot find.")
@json_option
@config_option
@data_dir_option
def doctor(
    url: str | None,
    origin: str | None,
    tokens: tuple[str, ...],
    session: str | None,
    as_json: bool,
    config_file: Path | None,
    data_dir: str | None,
) -> None:
    """Say what is wrong with a server, and the command that mends it.

    Without --url it looks from beside the server, by the settings in force: at them, the machine, the address, tokens,
    the database, and Redis. With --url it comes as clients do, and plays a duel as two guests, or by JWT_SECRET or two
    tokens; both and their match, which is not rated, stay as any others. The exit code is 0 where nothing has failed.
    """
    logs.configure(level="error", style="console")
    if session is not None and url is None:
        raise click.UsageError("--session is looked for at a server: say which one with --url")
    if len(tokens) > 2:
        raise click.UsageError("A duel has two players: give --token twice at most")
    if url is not None:
        page = None if origin is None else as_browsers_write(origin)
        target = Target(address(url).url, page, _two(tokens, config_file), session, lent=bool(tokens))
        found = asyncio.run(look_outside(target))
    else:
        found = _here(config_file, data_dir, origin, tokens[0] if tokens else None)
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        _show(found)
    sys.exit(any(finding.outcome is Outcome.FAILED for finding in found))


def _here(config_file: Path | None, data_dir: str | None, origin: str | None, token: str | None) -> list[Finding]:
    try:
        settings = read_settings(config_file, data_dir=data_dir)
    except ConfigError as error:
        return unreadable(error)
    asked = Asked(own_url(settings.server.host, settings.server.port), origin, token)
    with database_at_hand(settings) as database:
        return asyncio.run(look_here(settings, database, asked))


def _two(tokens: tuple[str, ...], config_file: Path | None) -> tuple[str | None, str | None]:
    """Return the tokens of two players: those that were given, else by JWT_SECRET, else none, for guests."""
    if tokens:
        return tokens[0], tokens[-1]
    if not os.environ.get("JWT_SECRET"):
        return None, None
    settings = read_settings(config_file)
    first, second = (sign_user_token(settings, name, lifetime_s=_TOKEN_S) for name in _PLAYERS)
    return first, second


def _show(found: Sequence[Finding]) -> None:
    """Print each finding as a line, and below it the command that mends it."""
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.check) for finding in found)
    for finding in found:
        line = Text(f"{finding.outcome:<8} ", _STYLES[finding.outcome]).append(
            f"{finding.check:<{width}}  ", "not bold"
        )
        line.append(_harmless(finding.what), "default not bold")
        if finding.fault:
            line.append(f"  [{finding.fault}]", "dim")
        console.print(line)
        if finding.mend:
            console.print(Text(f"{'':8} {'':{width}}  mend: ").append(_harmless(finding.mend), "bold"))
    console.print(_summary(finding.outcome for finding in found))


def _summary(outcomes: Iterable[Outcome]) -> str:
    counted = Counter(outcomes)
    said = {Outcome.FAILED: "failed", Outcome.WARNING: "warnings", Outcome.OK: "ok", Outcome.SKIPPED: "skipped"}
    return ", ".join(f"{counted[outcome]} {word}" for outcome, word in said.items())


def _harmless(text: str) -> str:
    """Return what comes from elsewhere as nothing that a terminal would obey."""
    return "".join(one if one.isprintable() else " " for one in text)
