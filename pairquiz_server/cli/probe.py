"""`pairquiz-server probe`: a real duel from outside, for a monitor."""

import asyncio
import datetime
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import msgspec

from pairquiz_server.cli.options import config_option, json_option, read_settings
from pairquiz_server.cli.spans import Span
from pairquiz_server.client.address import address
from pairquiz_server.client.beside import first_of
from pairquiz_server.client.kept import seat_at, state_folder
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.probe.duel import Guests, Health, Probed, Users
from pairquiz_server.probe.duel import probe as play_one
from pairquiz_server.probe.exposition import Exposition
from pairquiz_server.web.identity.auth import sign_user_token

TOKEN_S = 3600
_EXIT_CODES = {Health.GOOD: 0, Health.DEGRADED: 1, Health.FAILED: 2}
_SHOWN = ("handshake", "acknowledgement_p50", "acknowledgement_max", "event_p50", "return")


class _HostAndPort(click.ParamType[tuple[str, int]]):
    """Where to listen, such as 127.0.0.1:9800 or [::1]:9800."""

    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Read it."""
        host, _, port = str(value).rpartition(":")
        if not (host and port.isdecimal() and 0 < int(port) < 65_536):
            self.fail(f"{value!r} is no address such as 127.0.0.1:9800", param, ctx)
        return host.strip("[]"), int(port)


@click.command()
@click.argument("url")
@click.option("--once", is_flag=True, help="Play one duel, and exit: 0 good, 1 degraded, 2 failed.")
@click.option("--every", type=Span(5, 24 * 3600), default="60s", show_default=True, help="How often a duel is played.")
@click.option("--slow", type=Span(0.001, 60), default="1s", show_default=True, help="Above: degraded.")
@click.option("--listen", type=_HostAndPort(), help="Serve metrics for Prometheus here, at /metrics.")
@click.option("--textfile", type=click.Path(path_type=Path, dir_okay=False), help="Write metrics here (node exporter).")
@json_option
@config_option
def probe(
    url: str,
    once: bool,
    every: float,
    slow: float,
    listen: tuple[str, int] | None,
    textfile: Path | None,
    as_json: bool,
    config_file: Path | None,
) -> None:
    """Play one real duel at the server URL, now and then, and tell a monitor how it went.

    Two guests of its own play, always the same ones; with JWT_SECRET in the environment, the users probe-1 and probe-2.
    Nobody else meets them, and their matches count for no rating.
    """
    if once and listen:
        raise click.UsageError("--listen is for a probe that goes on: take --textfile with --once")
    where = address(url).url
    settings = read_settings(config_file)
    exposition = Exposition()

    def users() -> Users | None:
        if settings.jwt_secret is None:
            return None
        one, other = (sign_user_token(settings, f"probe-{seat}", lifetime_s=TOKEN_S) for seat in (1, 2))
        return Users(one, other)

    async def duel(scale: Scale) -> Probed:
        with seat_at(where, state_folder(os.environ) / "probe") as kept:
            playing = users() or Guests(kept.tokens.player, kept.tokens.bot)
            probed = await play_one(where, playing, scale, slow_s=slow)
            if settings.jwt_secret is None:
                kept.keep(player=playing.one, bot=playing.other)
        exposition.take(probed)
        click.echo(msgspec.json.encode(probed) if as_json else _line(probed))
        if textfile is not None:
            _write(exposition, textfile)
        return probed

    if once:
        sys.exit(_EXIT_CODES[asyncio.run(duel(Scale())).health])
    with ExitStack() as stack:
        if listen is not None:
            try:
                stack.enter_context(exposition.served(*listen))
            except OSError as error:
                raise click.ClickException(
                    f"{listen[0]}:{listen[1]}: {error.strerror}: name another --listen"
                ) from None
        asyncio.run(_now_and_then(duel, every))


async def _now_and_then(duel: Callable[[Scale], Awaitable[Probed]], every_s: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    scale, due = Scale(), time.monotonic()
    while not stop.is_set():
        await first_of(duel(scale), stop.wait())
        due = max(due + every_s, time.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(due - time.monotonic()):
                await stop.wait()


def _line(probed: Probed) -> str:
    at = datetime.datetime.fromtimestamp(probed.at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = ", ".join(
        f"{name.replace('_', ' ')} {probed.phases[name] * 1000:.0f} ms" for name in _SHOWN if name in probed.phases
    )
    return f"{at} {probed.health!s}: {probed.why}" + (f" ({told})" if told else "")


def _write(exposition: Exposition, textfile: Path) -> None:
    try:
        exposition.write(textfile)
    except OSError as error:
        name = click.format_filename(textfile)
        raise click.FileError(name, f"{error.strerror}: name another --textfile") from None
