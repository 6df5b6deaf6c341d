"""`pairquiz-server serve`: the server itself."""

import os
import sys
from pathlib import Path

import click
import uvloop

from pairquiz_server import app, logs
from pairquiz_server.cli.options import read_settings
from pairquiz_server.config import Settings

_DUEL = """
  pairquiz-server is ready for players:  {url}

    Socket.IO   {url}   (path /socket.io/; a bare websocket may use /ws/)
    try         curl {url}/api/topics/
    a duel      emit create_pair_quiz {{topic: "General"}} from one client,
                join_pair_quiz {{session_id}} from another, then start_quiz
    players     {players}
    database    {database}

  Stop with Ctrl+C.
"""


@click.command()
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Read this file in place of config.toml."
)
@click.option("--data-dir", help="Where the embedded PostgreSQL keeps its data.")
@click.option("--host", help="The address to listen on [default: 127.0.0.1].")
@click.option("--port", type=int, help="The port to listen on [default: 8000, or PORT].")
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
    listener = app.bind(settings.server.host, settings.server.port)
    with app.database_url(settings) as url:
        address = _url(settings, listener.getsockname()[1])
        uvloop.run(app.serve(settings, url, listener, lambda: click.echo(_screen(settings, address))))


def _screen(settings: Settings, url: str) -> str:
    guests = "anybody, as a guest" if settings.guests_allowed else "whoever has a token signed by JWT_SECRET"
    database = "yours" if settings.database_url else f"embedded PostgreSQL in {settings.data_dir}"
    return _DUEL.format(url=url, players=guests, database=database)


def _url(settings: Settings, port: int) -> str:
    host = settings.server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _serve_with_reload() -> None:
    """Run this same command as a child without `--reload`, and anew after each change of a source file."""
    try:
        from watchfiles import run_process
    except ImportError:
        raise app.StartError("--reload needs the extra: pip install 'pairquiz-server[reload]'") from None
    here = Path(__file__).resolve().parent.parent
    watched = [here, *(folder for folder in (here.parent / "sql", here.parent / "config.toml") if folder.exists())]
    arguments = [argument for argument in sys.argv[1:] if argument != "--reload"]
    run_process(*watched, target=_child, args=([sys.executable, "-m", "pairquiz_server.cli.main", *arguments],))


def _child(command: list[str]) -> None:
    os.execv(command[0], command)  # noqa: S606  (our own interpreter and arguments)
