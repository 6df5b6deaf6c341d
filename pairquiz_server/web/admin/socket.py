"""The Unix socket of one process's operator: nobody else may open it, and it outlives nobody.

Who has the socket has a lock beside it, which the kernel drops with the process. So what a killed process has left is
known for what it is, and taken over; and of two that name the same path, the second has none.
"""

import asyncio
import fcntl
import io
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from pairquiz_server.failure import Failure

BACKLOG = 16
CLOSE_REQUESTS_S = 0.5
_OURS_ALONE = 0o177
"""What is taken from the mode of a file that is made: all but reading and writing by its owner."""


class NoSocket(Failure):
    """The operator's socket cannot be had; the message says why."""


@contextmanager
def claimed(path: Path) -> Iterator[socket.socket]:
    """Yield a socket that is bound to `path`, and nobody else's until the end. Raises `NoSocket`."""
    with ExitStack() as claim:
        try:
            claim.enter_context(_lock(path))
            claim.callback(_leave_nothing, path)
            bound = claim.enter_context(_bound(path))
        except OSError as error:  # where the path is too long for a socket, too
            raise NoSocket(f"cannot listen on {path}: {error.strerror or error}") from None
        yield bound


@asynccontextmanager
async def listening(site: web.Application, bound: socket.socket) -> AsyncIterator[None]:
    """Let the operator in by a socket that was claimed, until the end."""
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=CLOSE_REQUESTS_S)
    await runner.setup()
    try:
        await _Site(runner, bound).start()
        yield
    finally:
        await runner.cleanup()


class _Site(web.BaseSite):
    """Listens on a Unix socket that is bound: aiohttp's own binds by itself, with everybody's mode."""

    def __init__(self, runner: web.AppRunner, bound: socket.socket) -> None:
        super().__init__(runner, backlog=BACKLOG)
        self._bound = bound

    @property
    def name(self) -> str:
        """Where it listens."""
        return f"unix:{self._bound.getsockname()}"

    async def start(self) -> None:
        """Listen."""
        await super().start()
        server = self._runner.server
        assert server is not None
        self._server = await asyncio.get_running_loop().create_unix_server(server, sock=self._bound, backlog=BACKLOG)


def _lock(path: Path) -> io.FileIO:
    """Take the lock beside a socket, and remove what a process has left that had it before.

    Raises `OSError` and `NoSocket`.
    """
    _make_folder(path.parent)
    beside = _beside(path)
    while True:
        lock = io.FileIO(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if beside.exists() and os.path.samestat(beside.stat(), os.fstat(lock.fileno())):
                path.unlink(missing_ok=True)
                return lock
            lock.close()  # whoever had it has just removed it: the next one is another file
        except BlockingIOError:
            lock.close()
            raise NoSocket(f"cannot listen on {path}: another server does") from None
        except BaseException:
            lock.close()
            raise


def _leave_nothing(path: Path) -> None:
    path.unlink(missing_ok=True)
    _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _make_folder(folder: Path) -> None:
    """Make a folder of ours alone, where there is none; refuse one that others might have laid out for us.

    Raises `OSError` and `NoSocket`.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid not in (os.geteuid(), 0) or (stat.S_IMODE(found.st_mode) & 0o022 and not _sticky(found)):
        raise NoSocket(f"cannot listen in {folder}: others may write there. Name a path with PAIRQUIZ_ADMIN__SOCKET")


def _sticky(found: os.stat_result) -> bool:
    return bool(found.st_mode & stat.S_ISVTX)


def _bound(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_OURS_ALONE)
    try:
        bound.bind(str(path))
    except BaseException:
        bound.close()
        raise
    finally:
        os.umask(before)
    bound.setblocking(False)
    return bound
