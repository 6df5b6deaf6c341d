"""`pairquiz-server loadtest`: many pairs that play, and what they find."""

import asyncio
import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec
from rich.console import Console
from rich.live import Live

from pairquiz_server.cli.options import config_option, json_option, read_settings
from pairquiz_server.cli.spans import Span
from pairquiz_server.client.address import address
from pairquiz_server.config import Settings
from pairquiz_server.loadtest import words
from pairquiz_server.loadtest.course import Course
from pairquiz_server.loadtest.outcome import Outcome, Verdict
from pairquiz_server.loadtest.page import page
from pairquiz_server.loadtest.plans import Order
from pairquiz_server.loadtest.schedule import Arrivals
from pairquiz_server.loadtest.wire import Transport
from pairquiz_server.web.identity.auth import sign_user_token

PAIRS_MAX = 20_000
RATE_MAX = 100_000
TOKEN_S = 24 * 3600
RAMP_P99_MS = 250.0
LINE_EVERY_S = 5
"""In a pipe there is a line so often."""
METRICS_TOKEN = "PAIRQUIZ_METRICS__TOKEN"  # noqa: S105 - the name of a variable

_TRANSPORTS, _ARRIVALS = (click.Choice([str(one) for one in kind]) for kind in (Transport, Arrivals))


@click.command()
@click.argument("url")
@click.option("--pairs", type=click.IntRange(1, PAIRS_MAX), default=50, show_default=True, help="How many pairs play.")
@click.option(
    "--rate", type=click.FloatRange(0.1, RATE_MAX), default=100, show_default=True, help="Answers a second, of all."
)
@click.option("--for", "seconds", type=Span(1, 24 * 3600), default="30s", show_default=True, help="How long a step is.")
@click.option("--ramp", is_flag=True, help="Raise the rate, step by step, and find the largest one that holds.")
@click.option(
    "--p99", type=Span(0.001, 60), help="What the p99 of a rate that holds may be [default: any, with --ramp 250ms]."
)
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="How many play.")
@click.option("--transport", type=_TRANSPORTS, default="websocket", show_default=True, help="How players connect.")
@click.option("--arrivals", type=_ARRIVALS, default="poisson", show_default=True, help="How answers follow each other.")
@click.option("--topic", help="What about [default: the one with the most questions].")
@click.option("--questions", type=click.IntRange(1, 50), help="How many a match has [default: 50, or what there is].")
@click.option("--patience", type=Span(0.5, 600), default="10s", show_default=True, help="When an answer is given up.")
@click.option("--seed", type=int, default=1, show_default=True, help="What chance begins with.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with plots here (HTML).")
@click.option("--i-run-this-server", is_flag=True, help="Needed for a server that is not on this machine.")
@json_option
@config_option
def loadtest(
    url: str,
    pairs: int,
    rate: float,
    seconds: float,
    ramp: bool,
    p99: float | None,
    processes: int,
    transport: str,
    arrivals: str,
    topic: str | None,
    questions: int | None,
    patience: float,
    seed: int,
    report: Path | None,
    i_run_this_server: bool,
    as_json: bool,
    config_file: Path | None,
) -> None:
    """Let pairs play at the server URL at a rate, and hold it to what it promises.

    Each answer has a time at which it is due, and its latency is counted from then; each score, acknowledgement and
    event is checked. Guests play; with JWT_SECRET in the environment, users whose tokens it signs.
    """
    where = address(url).url
    if not i_run_this_server and not _on_this_machine(where):
        raise click.UsageError(f"{where} is not on this machine: say --i-run-this-server if you may load it")
    if processes > pairs:
        raise click.UsageError("Each of --processes needs a pair at least")
    order = Order(
        url=where,
        pairs=pairs,
        rate=rate,
        seconds=seconds,
        ramp=ramp,
        p99_ms=p99 * 1000 if p99 is not None else RAMP_P99_MS if ramp else None,
        processes=processes,
        transport=Transport(transport),
        arrivals=Arrivals(arrivals),
        topic=topic,
        question_count=questions,
        patience_s=patience,
        seed=seed,
        tokens=_tokens(read_settings(config_file), pairs),
        metrics_token=os.environ.get(METRICS_TOKEN),
    )
    if report is not None:
        _write(report, "")  # what cannot be written is told before the test, not after it
    course, outcome = asyncio.run(_run(order, quiet=as_json))
    if report is not None:
        _write(report, page(outcome, course.seconds, course.looks))
    if as_json:
        click.echo(msgspec.json.encode(outcome))
    else:
        for line in words.of_outcome(outcome):
            click.echo(line)
        if report is not None:
            click.echo(f"report      {report}")
    sys.exit(_exit_code(outcome))


async def _run(order: Order, *, quiet: bool) -> tuple[Course, Outcome]:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        course = Course(order, _nothing if quiet else _lines)
        return course, await course.run(stop)
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def show(course: Course) -> None:
            steps = [words.of_step(step) for step in course.steps]
            live.update("\n".join([*steps, words.under_way(course)]), refresh=True)

        course = Course(order, show)
        return course, await course.run(stop)


def _nothing(course: Course) -> None:
    """Show nothing: the only line is the outcome's."""


def _lines(course: Course) -> None:
    window = course.newest()
    if window is None and course.steps:
        click.echo(words.of_step(course.steps[-1]), err=True)
    elif window is None or window.second % LINE_EVERY_S == 0:
        click.echo(words.under_way(course), err=True)


def _exit_code(outcome: Outcome) -> int:
    if outcome.verdict is Verdict.INTERRUPTED:
        return 128 + signal.SIGINT
    return 0 if outcome.verdict is Verdict.HELD else 1


def _tokens(settings: Settings, pairs: int) -> tuple[str, ...]:
    if settings.jwt_secret is None:
        return ()
    return tuple(
        sign_user_token(settings, f"loadtest-{number}", lifetime_s=TOKEN_S) for number in range(1, 2 * pairs + 1)
    )


def _on_this_machine(url: str) -> bool:
    """Tell whether a name means this machine, and nothing else."""
    host = urlsplit(url).hostname or ""
    try:
        found = {str(info[4][0]).partition("%")[0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(one).is_loopback for one in found)


def _write(report: Path, text: str) -> None:
    try:
        report.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(click.format_filename(report), f"{error.strerror}: name another --report") from None
