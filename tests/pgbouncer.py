"""A PgBouncer of a test's own, before the tests' PostgreSQL."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from pairquiz_server.store.binaries import Account
from tests.programs import program

PATIENCE_S = 30.0
PORT = 6432
"""Of a socket in a folder of its own: no process has to be asked for it."""


class PgBouncer:
    """A pooler in one mode, of every database of a server, on a Unix socket and, with `listen_addr`, on TCP.

    Settings are those of pgbouncer.ini.
    """

    def __init__(self, folder: Path, database_url: str, mode: str, **settings: object) -> None:
        self._folder = folder
        self._database_url = database_url
        self._port = settings.pop("listen_port", PORT)
        self._settings = {"pool_mode": mode, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database's address through the pooler."""
        parts = urlsplit(self._database_url)
        if address := self._settings.get("listen_addr"):
            return f"postgresql://{parts.username}@{address}:{self._port}{parts.path}"
        return f"postgresql://{parts.username}@{parts.path}?host={quote(str(self._folder))}&port={self._port}"

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self._folder / "pgbouncer.log").read_text()

    def start(self, **settings: object) -> None:
        """Start it, with other settings if there are any, and wait until it takes connections."""
        self._settings |= settings
        bouncer = program("pgbouncer", "pgbouncer")
        ini = self._folder / "pgbouncer.ini"
        ini.write_text(self._ini())
        # Like PostgreSQL it refuses to be root; it has to reach PostgreSQL's socket.
        account = Account.current()
        os.chown(self._folder, account.uid, account.gid)
        user = [] if account.is_this_process else ["-u", pwd.getpwuid(account.uid).pw_name]
        with (self._folder / "pgbouncer.log").open("ab") as log:
            self._process = subprocess.Popen([bouncer.path, *user, ini], env=bouncer.environ, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while not self._listens():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, and all sessions with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        (self._folder / f".s.PGSQL.{self._port}").unlink(missing_ok=True)

    def _listens(self) -> bool:
        """Tell whether it takes connections: its socket is a file before it does, and is the last that it opens."""
        with socket.socket(socket.AF_UNIX) as caller:
            return caller.connect_ex(str(self._folder / f".s.PGSQL.{self._port}")) == 0

    def _ini(self) -> str:
        parts = urlsplit(self._database_url)
        where = parse_qs(parts.query)
        given = {
            "listen_port": self._port,
            "unix_socket_dir": self._folder,
            "auth_type": "any",
            "server_tls_sslmode": "disable",
            **self._settings,
        }
        return "\n".join(
            [
                "[databases]",
                f"* = host={where['host'][0]} port={where.get('port', ['5432'])[0]} user={parts.username}",
                "[pgbouncer]",
                *(f"{name} = {value}" for name, value in given.items()),
                "",
            ]
        )


@contextmanager
def pgbouncer(folder: Path, database_url: str, mode: str = "transaction", **settings: object) -> Iterator[PgBouncer]:
    """Run a PgBouncer in a folder that PostgreSQL's account can enter."""
    pooler = PgBouncer(folder, database_url, mode, **settings)
    pooler.start()
    try:
        yield pooler
    finally:
        pooler.kill()
