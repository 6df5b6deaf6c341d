"""What a command works with that speaks to a server which runs: the settings, and how the server is reached."""

import functools
import os
import pwd
from collections.abc import Callable
from typing import Any

import click

from pairquiz_server.cli.operator_line import Reach
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.client.address import address
from pairquiz_server.config import Settings

Command = Callable[..., Any]


def with_reach(command: Command) -> Command:
    """Give a command `--url` and `--as` beside `--config` and `--data-dir`; call it with `settings` and `reach`."""

    @click.option("--url", help="The server, by PAIRQUIZ_ADMIN__TOKEN [default: one of this machine].")
    @click.option("--as", "name", metavar="NAME", help="With --url: who asks, as the audit notes it [default: you].")
    @with_settings
    @functools.wraps(command)
    def with_a_reach(*arguments: Any, settings: Settings, url: str | None, name: str | None, **options: Any) -> Any:
        return command(*arguments, settings=settings, reach=_reach(settings, url, name), **options)

    return with_a_reach


def _reach(settings: Settings, url: str | None, name: str | None) -> Reach:
    if url is None:
        if name is not None:
            raise click.UsageError("--as goes with --url: on this machine the system says who asks")
        places = settings.admin_sockets
        return Reach(sockets=places.found(settings.server.port) if places else ())
    return Reach(url=address(url).url, token=settings.admin_token, name=own_name() if name is None else name)


def own_name() -> str:
    """Return what this process's user is called."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"
