"""`play` in processes of their own, in pipes and in a terminal of 80 columns."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rich.cells import cell_len

from tests.cli.conftest import COMMAND, clean_environment

COLUMNS, ROWS = 80, 24
PATIENCE_S = 90
"""A program takes long to start beside seven others."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Piped:
    """A player whose input and output are pipes."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def line(self, part: str) -> str:
        """Return the next line with a part in it."""
        assert self.process.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while data := await self.process.stdout.readline():
                    self.said.append(data.decode().rstrip("\n"))
                    if part in self.said[-1]:
                        return self.said[-1]
                raise AssertionError(f"ended before {part!r}: {self.said} {await self.errors()}")
        raise AssertionError(f"nothing with {part!r} has come: {self.said}")

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())

    def type_no_more(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def end(self) -> int:
        """Read what is left, and return the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for data in self.process.stdout:
                self.said.append(data.decode().rstrip("\n"))
            return await self.process.wait()


class AtScreen:
    """A player at a terminal."""

    def __init__(self, process: Process, terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._data = b""
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(terminal, self._read)

    @property
    def written(self) -> str:
        """All that was written, without what moves and colours it."""
        return _CONTROL.sub("", self._data.decode("utf-8", "ignore"))

    @property
    def raw(self) -> str:
        return self._data.decode("utf-8", "ignore")

    async def until(self, holds: Callable[[str], bool]) -> None:
        """Wait until something holds of all that was written."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds(self.written):
                self._more.clear()
                await self._more.wait()

    def press(self, key: str) -> None:
        os.write(self._terminal, key.encode())

    def too_wide(self) -> list[str]:
        """Return the lines that the terminal would have broken, as some do with one that is just full."""
        return [line for line in re.split(r"[\r\n]+", self.written) if cell_len(line) >= COLUMNS]

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    def modes(self) -> list[object]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._terminal)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)

    def _read(self) -> None:
        try:
            self._data += os.read(self._terminal, 1 << 16)
        except OSError:  # the program has ended
            asyncio.get_running_loop().remove_reader(self._terminal)
        self._more.set()


class Table:
    """Starts players who keep their seats in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[Process] = []
        self._screens: list[AtScreen] = []

    async def piped(self, *words: str, **environ: str) -> Piped:
        ours = self._environment() | environ
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "play", *words, env=ours, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        self._processes.append(process)
        return Piped(process)

    async def deaf(self, *words: str) -> Piped:
        """Start one whose input is closed, as some that start programs leave it."""
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "play", *words),
            env=self._environment(),
            stdout=PIPE,
            stderr=PIPE,
        )
        self._processes.append(process)
        return Piped(process)

    async def at_screen(self, *words: str) -> AtScreen:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                "play",
                *words,
                env=self._environment(),
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        self._processes.append(process)
        self._screens.append(AtScreen(process, ours))
        return self._screens[-1]

    async def clear(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()
        for screen in self._screens:
            screen.close()

    def _environment(self) -> dict[str, str]:
        ours = clean_environment(XDG_STATE_HOME=str(self._folder), TERM="xterm-256color", PYTHONUNBUFFERED="1")
        return {
            name: value for name, value in ours.items() if name not in ("COLUMNS", "LINES", "NO_COLOR", "QUIZ_TOKEN")
        }


@asynccontextmanager
async def table(folder: Path) -> AsyncIterator[Table]:
    """Start players inside, and end those that are left."""
    laid = Table(folder)
    try:
        yield laid
    finally:
        await laid.clear()
