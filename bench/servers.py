"""Who is measured: our server and its peers, each started anew for every run, on the core of servers."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg

from bench import machine, programs
from pairquiz_server.store.embedded import EmbeddedPostgres

OURS, NODE, NODE_PG, PYTHON, EPOLL = "ours", "node", "node-pg", "python-socketio", "epoll"
TITLES = {
    OURS: "pairquiz-server, durable",
    NODE: "Socket.IO on Node, in memory",
    NODE_PG: "Socket.IO on Node + pg",
    PYTHON: "python-socketio, defaults, in memory",
    EPOLL: "C on epoll, in memory",
}
DURABLE = {OURS, NODE_PG}
PATIENCE_S = 60.0
LOG_LINES = 20
_PRODUCTION = {"NODE_ENV": "production"}
_ADDRESS = re.compile(r"(?:ready for players:|listening on) +http://127\.0\.0\.1:(\d+)")
# The limits by address and by user, which one machine that plays for thousands would meet. All else is as it is.
LIFTED = {
    f"PAIRQUIZ_LIMITS__{name}": "0"
    for name in (
        "COMMANDS_PER_S",
        "CONNECTIONS_PER_ADDRESS",
        "ARRIVALS_PER_MINUTE_PER_ADDRESS",
        "CREATIONS_PER_MINUTE",
        "CREATIONS_PER_MINUTE_PER_ADDRESS",
        "LIVE_MATCHES_PER_USER",
    )
}


@dataclass
class Server:
    """A server that runs, and the PostgreSQL that it uses, if any."""

    name: str
    port: int
    pid: int
    postgres_pid: int | None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        os.kill(self.pid, signal.SIGKILL)


class Contest:
    """Starts servers, each with a database of its own on one PostgreSQL, which is on a real disk with fsync."""

    def __init__(self, cores: machine.Cores) -> None:
        self.cores = cores
        self._stack = ExitStack()
        self._number = 0
        self._filled: str | None = None

    def __enter__(self) -> "Contest":
        with ExitStack() as stack:
            self.folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="pairquiz-bench-", dir="/var/tmp"))
            )
            self.folder.chmod(0o755)  # as root, PostgreSQL runs as another user
            self._postgres = stack.enter_context(EmbeddedPostgres.join(self.folder / "data"))
            self._postgres_pid = asyncio.run(_postmaster(self._postgres.dsn))
            # Where we are killed, the pipe to this one ends, and it stops PostgreSQL, which is a child of nobody.
            guard = ["sh", "-c", f"read line; kill -INT {self._postgres_pid}"]
            watching = stack.enter_context(subprocess.Popen(guard, stdin=subprocess.PIPE))
            stack.enter_context(machine.ended(watching))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, and drop it afterwards."""
        self._number += 1
        name = f"bench_{self._number}"
        asyncio.run(_execute(self._postgres.dsn, f"CREATE DATABASE {name}"))
        head, separator, query = self._postgres.dsn.partition("?")
        try:
            yield f"{head.rpartition('/')[0]}/{quote(name)}{separator}{query}"
        finally:
            asyncio.run(_execute(self._postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)"))

    def filled(self, fill: Callable[[Server], None]) -> str:
        """Return where a database is that one of our servers has filled, once for all rounds."""
        if self._filled is None:
            url = self._stack.enter_context(self.database())
            with self.serving(OURS, url) as server:
                fill(server)
            self._filled = url
        return self._filled

    @contextmanager
    def server(self, name: str) -> Iterator[Server]:
        """Run a server on a database of its own."""
        with ExitStack() as stack:
            url = stack.enter_context(self.database()) if name in DURABLE else None
            yield stack.enter_context(self.serving(name, url))

    @contextmanager
    def serving(
        self, name: str, database_url: str | None, *before: str, node: int = 0, **more: str
    ) -> Iterator[Server]:
        """Run a server until the block ends, with `more` in its environment.

        `before` is what its command is given to, as a profiler; several of one name are `node` 0, 1 …
        """
        command, environ = _command(name, database_url)
        log_file = self.folder / f"{name}{node or ''}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                machine.on_core(self.cores.server, *before, *command),
                env={**os.environ, **environ, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        with machine.ended(process):
            port = 0

            def listens() -> bool:
                nonlocal port
                if process.poll() is not None:
                    raise RuntimeError(f"{name} does not start")
                found = _ADDRESS.search(log_file.read_text())
                port = int(found[1]) if found else 0
                return found is not None

            try:
                machine.wait_until(listens, PATIENCE_S, f"{name} does not listen")
                yield Server(name, port, process.pid, self._postgres_pid if name in DURABLE else None)
            except Exception as error:
                ended = "still runs" if process.poll() is None else f"has ended ({process.returncode})"
                error.add_note(f"{TITLES[name]} {ended}; the last of its log:\n{_tail(log_file)}")
                raise


def _tail(log_file: Path) -> str:
    """The last lines of a log, which may be long."""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-LOG_LINES:]) or "(it is empty)"


def _command(name: str, database_url: str | None) -> tuple[list[str], dict[str, str]]:
    """Return how a server is started, and what its environment has beside ours."""
    peers = programs.HERE / "peers"
    if name == OURS:
        assert database_url is not None
        command = [str(Path(sys.executable).with_name("pairquiz-server")), "serve", "--port", "0"]
        return command, {"DATABASE_URL": database_url, **LIFTED}
    if name == NODE:
        return [programs.node(), str(peers / "memory.mjs")], _PRODUCTION
    if name == NODE_PG:
        assert database_url is not None
        parts = urlsplit(database_url)
        host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
        environ = {"PGHOST": host, "PGUSER": parts.username or "", "PGDATABASE": parts.path.lstrip("/"), **_PRODUCTION}
        return [programs.node(), str(peers / "postgres.mjs")], environ
    if name == PYTHON:
        return [sys.executable, str(peers / "python_socketio.py")], {}
    return [str(programs.compiled("epoll"))], {}


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _postmaster(dsn: str) -> int:
    """The process that all of PostgreSQL's processes are children of."""
    connection = await asyncpg.connect(dsn)
    try:
        return machine.parent_of(await connection.fetchval("SELECT pg_backend_pid()"))
    finally:
        await connection.close()
