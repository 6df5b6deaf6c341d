"""`pairquiz-server serve`: the server itself."""

import gc
import os
import sys
from pathlib import Path

import click
import uvloop

from pairquiz_server import app, logs, signals
from pairquiz_server.cli.address import own_url
from pairquiz_server.cli.options import config_option, data_dir_option, read_settings
from pairquiz_server.config import Settings
from pairquiz_server.database import database_url

_SCREEN = """
  pairquiz-server is ready for players:  {url}

    play        {page}
    Socket.IO   {url}   (path /socket.io/; a bare websocket may use /ws/)
    try         curl {url}/api/topics/
    a duel      emit create_pair_quiz {{topic: "General"}} from one client,
                join_pair_quiz {{session_id}} from another, then start_quiz
    players     {players}
    database    {database}

  Stop with Ctrl+C.
"""


COLLECT_AFTER = (10_000, 2, 50)
"""When Python looks for cycles of garbage: ten times as rarely as it would by itself, and at the middle-aged by pieces
of a size that holds nobody up for more than some milliseconds. What connections and matches leave behind when they end
is no garbage of this kind."""


@click.command()
@config_option
@data_dir_option
@click.option("--host", help="The address to listen on [default: 127.0.0.1].")
@click.option("--port", type=int, help="The port to listen on, 0 for any that is free [default: 8000, or PORT].")
@click.option("--reload", is_flag=True, help="Start anew whenever a source file changes (for development).")
def serve(config_file: Path | None, data_dir: str | None, host: str | None, port: int | None, reload: bool) -> None:
    """Serve players until Ctrl+C or SIGTERM.

    Without DATABASE_URL (or SUPABASE_URL) an embedded PostgreSQL is started in the data folder.
    """
    if reload:
        _serve_with_reload()
        return
    settings = read_settings(config_file, data_dir=data_dir, host=host, port=port)
    logs.configure(
        level=settings.log.level,
        style=settings.log.format,
        socketio=settings.log.socketio,
        engineio=settings.log.engineio,
    )
    with (
        app.bind(settings.server.host, settings.server.port) as listener,
        signals.signals_kept(),
        database_url(settings) as url,
    ):
        address = own_url(settings.server.host, listener.getsockname()[1])
        gc.set_threshold(*COLLECT_AFTER)
        gc.freeze()  # what the imports have made is never garbage: a third of what 5,000 pairs would have looked at
        uvloop.run(app.serve(settings, url, listener, lambda: click.echo(screen_of(settings, address))))


def screen_of(settings: Settings, url: str) -> str:
    """Return what is shown when players can come: where they find the server, and what it stands on."""
    guests = "anybody, as a guest" if settings.guests_allowed else "whoever has a token of your issuer"
    database = "yours" if settings.database_url else f"embedded PostgreSQL in {settings.data_dir}"
    return _SCREEN.format(url=url, page=_page(settings, url), players=guests, database=database)


def _page(settings: Settings, url: str) -> str:
    if settings.page:
        return f"open {url} in two windows"
    return "no page is built: run scripts/page, and start again" if settings.page_missing else "no page is shown"


def _serve_with_reload() -> None:
    """Run this same command as a child without `--reload`, and anew after each change of a source file."""
    try:
        from watchfiles import run_process
    except ImportError:
        raise app.StartError("--reload needs the extra: pip install 'pairquiz-server[reload]'") from None
    package = Path(__file__).resolve().parents[1]
    watched = [package, *(path for path in (package.parent / "sql", package.parent / "config.toml") if path.exists())]
    command = [sys.executable, *(word for word in sys.orig_argv[1:] if word != "--reload")]
    run_process(*watched, target=_become, args=(command,))


def _become(command: list[str]) -> None:
    os.execv(command[0], command)  # noqa: S606  (our own interpreter and arguments)
