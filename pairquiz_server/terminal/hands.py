"""What the player types: single keys at a terminal, lines from anywhere else."""

import asyncio
import os
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

END = None
"""Nothing more will be typed."""
ENTER = ""


class Hands(Protocol):
    """What the player types next: a key or a line without its end, `ENTER` for an empty one, `END` after the last."""

    async def typed(self) -> str | None:
        """Return what is typed next."""

    def forget(self) -> None:
        """Let what was pressed before answer nothing; what was written before is meant all the same."""


class Keys:
    """Single keys of a terminal."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._pressed: asyncio.Queue[str | None] = asyncio.Queue()

    async def typed(self) -> str | None:
        """Return the next key that is pressed."""
        key = await self._pressed.get()
        if key is END:
            self._pressed.put_nowait(END)
        return key

    def forget(self) -> None:
        """Let a key that was meant for the question before answer nothing."""
        over = False
        while not self._pressed.empty():
            over |= self._pressed.get_nowait() is END
        if over:
            self._pressed.put_nowait(END)

    def read(self) -> None:
        """Take what the terminal has."""
        try:
            data = os.read(self._file, 64)
        except OSError:
            data = b""
        if not data or data == b"\x04":  # the terminal is gone, or Ctrl+D
            asyncio.get_running_loop().remove_reader(self._file)
            self._pressed.put_nowait(END)
            return
        if data.startswith(b"\x1b"):  # an arrow or another key whose code has digits in it
            return
        for character in data.decode("ascii", "ignore"):
            self._pressed.put_nowait(ENTER if character in "\r\n" else character)


class TypedLines:
    """Lines of a pipe or a file, each read when it is asked for."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._over = False

    async def typed(self) -> str | None:
        """Return the next line."""
        if self._over:
            return END
        line = await self._lines.get()
        self._over = line is END
        return line

    def forget(self) -> None:
        """Forget nothing: each line is for a question."""

    def read(self, file: int, loop: asyncio.AbstractEventLoop) -> None:
        """Read until the end, in a thread of its own: no loop can wait for a file on a disk."""
        rest = b""
        try:
            while data := os.read(file, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    loop.call_soon_threadsafe(self._lines.put_nowait, line.decode("utf-8", "replace").strip())
            if rest:
                loop.call_soon_threadsafe(self._lines.put_nowait, rest.decode("utf-8", "replace").strip())
            loop.call_soon_threadsafe(self._lines.put_nowait, END)
        except (OSError, RuntimeError):
            pass  # there is nobody any more to read for


@contextmanager
def keys(file: int) -> Iterator[Keys]:
    """Read single keys, unseen, and put the terminal back afterwards. Ctrl+C stays a signal."""
    before = termios.tcgetattr(file)
    loop = asyncio.get_running_loop()
    pressed = Keys(file)
    tty.setcbreak(file, termios.TCSANOW)
    loop.add_reader(file, pressed.read)
    try:
        yield pressed
    finally:
        loop.remove_reader(file)
        with suppress(termios.error):  # it may be gone
            termios.tcsetattr(file, termios.TCSADRAIN, before)


@contextmanager
def lines(file: int) -> Iterator[TypedLines]:
    """Read lines."""
    typed = TypedLines()
    threading.Thread(target=typed.read, args=(file, asyncio.get_running_loop()), daemon=True).start()
    yield typed
