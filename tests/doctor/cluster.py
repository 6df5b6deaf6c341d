"""A PostgreSQL on TCP that asks for passwords."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pairquiz_server.store.binaries import Account, Binaries
from tests.ports import OwnPort

PASSWORD = "a-password"
ROLE = "someone"


class Cluster:
    """A server of its own, where `someone` may do everything with the right password, and nobody else comes in."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._binaries = Binaries.find(Account.current(), copies=folder.with_name("binaries"))
        account = self._binaries.account
        shutil.chown(folder, account.uid, account.gid)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", "data", "-U", ROLE, "--pwfile", "password", "--auth=scram-sha-256", "--no-sync")
        with (folder / "data" / "pg_hba.conf").open("w") as rules:
            rules.write(f"host all {ROLE} 127.0.0.1/32 scram-sha-256\nlocal all {ROLE} trust\n")

    def url(self, *, user: str = ROLE, password: str = PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self, *, again: bool = False) -> None:
        """Start it; `again` where it is on its way down."""
        if again:
            self._binaries.run("pg_ctl", "stop", "-w", "-D", "data", "-m", "fast", folder=self._folder)
        options = f"-p {self.port} -k . -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options)

    def stop(self, mode: str = "immediate", *, wait: bool = True) -> None:
        self._run("pg_ctl", "stop", "-w" if wait else "-W", "-D", "data", "-m", mode)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._binaries.run(program, *arguments, folder=self._folder)
        assert done.returncode == 0, done.stderr


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    with closing(OwnPort()) as port:
        made = Cluster(folder, port.number)
        made.start()
        try:
            yield made
        finally:
            made.stop()
