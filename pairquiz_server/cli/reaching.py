"""What a command works with that speaks to a server which runs: the settings, and how the server is reached."""

import asyncio
import functools
import os
import pwd
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from pairquiz_server.cli.operator_line import NobodyHere, OperatorLine, Reach, operator_line
from pairquiz_server.cli.settings import with_settings
from pairquiz_server.cli.values import OperatorName
from pairquiz_server.client.address import address
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url, prepared_database
from pairquiz_server.engine.operating import Looking
from pairquiz_server.store.audit import Deed
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.server import BAN_SECRET, ServerState

Command = Callable[..., Any]
T = TypeVar("T")
Asking = Callable[[OperatorLine], Awaitable[T]]
Alone = Callable[[Looking], Awaitable[T]]


def with_reach(command: Command) -> Command:
    """Give a command `--url` and `--as` beside `--config` and `--data-dir`; call it with `settings` and `reach`."""

    @click.option("--url", help="The server, by PAIRQUIZ_ADMIN__TOKEN [default: one of this machine].")
    @click.option(
        "--as",
        "name",
        type=OperatorName(),
        metavar="NAME",
        help="With --url: who asks, as the audit notes it [default: you].",
    )
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


def ask(reach: Reach, asking: Asking[T]) -> T:
    """Return what a server says. Raises `NoServer` and `Refusal`."""

    async def run() -> T:
        async with operator_line(reach) as line:
            return await asking(line)

    return asyncio.run(run())


def ask_or_look(settings: Settings, reach: Reach, asking: Asking[T], alone: Alone[T]) -> T:
    """Return what a server says; where none runs on this machine, what is found in the database alone."""
    try:
        return ask(reach, asking)
    except NobodyHere:
        return look(settings, alone)


def look(settings: Settings, alone: Alone[T]) -> T:
    """Return what is found in the database."""

    async def run(url: str) -> T:
        async with prepared_database(settings, url) as database:
            return await alone(Looking(database, Bans(database, await ServerState(database).shared(BAN_SECRET))))

    with database_url(settings) as url:
        return asyncio.run(run(url))


def by_database() -> Deed:
    """Return who this is, as the audit notes what is done to the database itself."""
    return Deed(actor=own_name(), via="database")
