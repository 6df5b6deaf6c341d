"""The seats of this machine's own guests: tokens in files that only their user can read.

Each program that plays holds one of them, so that two beside each other are two players; the next one takes the first
that is free, and so the player, and the match, of one that was killed.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

SEATS_MAX = 64


class Tokens(Struct, omit_defaults=True):
    """By what a guest is the same one again, and the bot beside it; `bot_match` is where that plays, at `bot_level`."""

    player: str | None = None
    bot: str | None = None
    bot_match: str | None = None
    bot_level: str | None = None


class KeptSeat:
    """A seat that this program holds. Where nothing can be kept, it is as new."""

    def __init__(self, file: int | None) -> None:
        self._file = file
        self.tokens = Tokens() if file is None else _read(file)

    def keep(self, **tokens: str | None) -> None:
        """Keep what is new of the tokens."""
        for name, value in tokens.items():
            setattr(self.tokens, name, value)
        if self._file is None:
            return
        data = msgspec.json.encode(self.tokens)
        os.pwrite(self._file, data, 0)
        os.ftruncate(self._file, len(data))


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return where programs of this user keep what is not worth a backup."""
    named = environ.get("XDG_STATE_HOME")
    base = Path(named) if named else Path(environ.get("HOME") or "~").expanduser() / ".local" / "state"
    return base / "pairquiz-server"


@contextmanager
def seat_at(url: str, folder: Path) -> Iterator[KeptSeat]:
    """Hold the first free seat at a server. Where the folder cannot be written, nothing is kept."""
    file = _hold(url, folder)
    try:
        yield KeptSeat(file)
    finally:
        if file is not None:
            os.close(file)  # and the lock with it


def _hold(url: str, folder: Path) -> int | None:
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", url.partition("://")[2])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, SEATS_MAX + 1):
            file = os.open(folder / f"{name}.{number}.json", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
            else:
                return file
    except OSError:
        pass  # a home that is not there, or not ours
    return None


def _read(file: int) -> Tokens:
    try:
        return msgspec.json.decode(os.pread(file, 64 * 1024, 0), type=Tokens)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Tokens()
