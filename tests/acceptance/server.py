"""The real server in a process of its own."""

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

from tests.ports import OwnPort

PATIENCE_S = 30.0
COMMAND = Path(sys.executable).with_name("pairquiz-server")


class Server:
    """`pairquiz-server serve` on a database; its log is in `log_file`."""

    def __init__(self, database_url: str, log_file: Path, environ: dict[str, str]) -> None:
        self.url = ""
        self.command: Sequence[str | Path] = (COMMAND,)
        """What is started next: another version is another command."""
        self._port = OwnPort()
        self._environ = {"DATABASE_URL": database_url, **environ}
        self._log_file = log_file
        self._process: Process | None = None

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self._log_file.read_text()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, on the same port each time, and wait until it is ready for players."""
        port = str(self._port.number)
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, "serve", "--port", port, env=self._environ, stdout=PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._process.stdout:
                if found := re.search(r"ready for players: +(http://\S+)", line.decode()):
                    self.url = found[1]
                    return
        raise AssertionError(f"the server did not start: {self.log}")

    async def until_ready(self) -> None:
        """Wait until all that it stands on is there: its line to Redis too, by which it hears of other nodes."""
        async with asyncio.timeout(PATIENCE_S), ClientSession(self.url) as session:
            while True:
                async with session.get("/readyz") as response:
                    if response.status == 200:
                        return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()

    def close(self) -> None:
        """Give back its port."""
        self._port.close()

    def freeze(self) -> None:
        """Let it stand still, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it as an operator does."""
        assert self._process is not None
        self._process.terminate()
        await self._process.communicate()
        assert self._process.returncode == 0, self.log


@asynccontextmanager
async def serving(database_url: str, log_file: Path, **environ: str) -> AsyncIterator[Server]:
    """Start a server, and end it afterwards; no traceback is in its log then."""
    server = Server(database_url, log_file, environ)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
        server.close()
    assert "Traceback" not in server.log, server.log
