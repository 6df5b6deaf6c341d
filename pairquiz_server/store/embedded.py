"""The embedded PostgreSQL: a real server on a data folder, shared by the processes that use the folder.

The server is a child of nobody: a process that is killed leaves it running, and the next one joins it.
The last process to leave stops it.  Who is last is told by locks that the kernel drops with the process:

    start.lock      held while joining or leaving, by one process at a time
    in_use.lock     held by every process for as long as it uses the server
    postgres/       PostgreSQL's data (`postgres.new-*` while it is being made)
    run/            the Unix socket; below /tmp when its path here would be too long
    log/            what PostgreSQL says
    binaries/       a copy of PostgreSQL's programs, where its account cannot reach the installed ones

Linux only: it reads /proc.
"""

import fcntl
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

from pairquiz_server.store.binaries import ACCOUNT_NAME, Account, Binaries, EmbeddedPostgresError, installed
from pairquiz_server.store.cluster import Cluster

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "abandon_all"]


class EmbeddedPostgres:
    """One process's share of the PostgreSQL in `data_dir`; every method blocks.

    `dsn` is an asyncpg address over the Unix socket: database `pairquiz`, superuser role `pairquiz`.
    """

    dsn: str
    data_dir: Path

    def __init__(self, cluster: Cluster, share: io.FileIO) -> None:
        self.dsn = cluster.dsn
        self.data_dir = cluster.data_dir
        self._cluster = cluster
        self._share = share
        _shares.add(self)

    @classmethod
    def join(cls, data_dir: Path) -> Self:
        """Start the server in `data_dir` if nobody has, and take a share of it.

        Raises EmbeddedPostgresError.
        """
        if sys.platform != "linux":
            raise EmbeddedPostgresError("the embedded PostgreSQL runs on Linux only: set DATABASE_URL")
        with _one_line_errors(data_dir):
            installed()  # or nothing is made for it, neither a folder nor an account
            data_dir = data_dir.resolve()
            account = Account.current()
            missing = [folder for folder in (data_dir, *data_dir.parents) if not folder.is_dir()]
            _check_reach(account, missing[-1].parent if missing else data_dir)
            _make_folders(missing)
            with _locked(data_dir / "start.lock", fcntl.LOCK_EX):
                cluster = Cluster(data_dir, Binaries.find(account, copies=data_dir / "binaries"))
                share = _locked(data_dir / "in_use.lock", fcntl.LOCK_SH)
                try:
                    cluster.start()
                except BaseException:
                    _give_back(share, cluster)
                    raise
                return cls(cluster, share)

    def leave(self) -> None:
        """Give the share back, and stop the server if it was the last one; a second call does nothing.

        Raises EmbeddedPostgresError when the server does not stop.
        """
        if self._share.closed:
            return
        with (
            _one_line_errors(self.data_dir),
            _locked(self.data_dir / "start.lock", fcntl.LOCK_EX),
        ):
            _give_back(self._share, self._cluster)

    def abandon(self) -> None:
        """Give the share back without waiting, before this process ends at once.

        The server is told to stop if this was the last share. Where somebody joins or leaves just now, they see to it.
        """
        if self._share.closed:
            return
        at_once = fcntl.LOCK_EX | fcntl.LOCK_NB
        with suppress(OSError), _locked(self.data_dir / "start.lock", at_once):
            self._share.close()
            with _locked(self.data_dir / "in_use.lock", at_once):
                self._cluster.tell_to_stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()


_shares: WeakSet[EmbeddedPostgres] = WeakSet()


def abandon_all() -> None:
    """Give all shares of this process back without waiting, before it ends at once."""
    for share in list(_shares):
        share.abandon()


def _give_back(share: io.FileIO, cluster: Cluster) -> None:
    # Unlocked by word, because closing unlocks only when no fresh fork has it open any more.
    fcntl.flock(share, fcntl.LOCK_UN)
    share.close()
    try:
        with _locked(cluster.data_dir / "in_use.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            cluster.stop()
    except BlockingIOError:
        return  # somebody else still uses the server


_locks: WeakSet[io.FileIO] = WeakSet()


def _locked(path: Path, operation: int) -> io.FileIO:
    """Open and lock a file; closing it gives the lock back.

    Raises BlockingIOError when `operation` says not to wait and another has it.
    """
    # Python opens files close-on-exec: PostgreSQL never inherits a lock.
    lock = io.FileIO(path, "a")
    _locks.add(lock)
    try:
        fcntl.flock(lock, operation)
    except BaseException:
        lock.close()
        raise
    return lock


def _close_locks() -> None:
    for lock in list(_locks):
        lock.close()


# A fork would hold the locks of its parent until it ends, long after the parent.
os.register_at_fork(after_in_child=_close_locks)


def _make_folders(missing: list[Path]) -> None:
    """Make the folders, the innermost of which comes first."""
    # Root's must let PostgreSQL's account pass, whatever the umask.
    mode = 0o755 if os.geteuid() == 0 else 0o700
    for folder in reversed(missing):
        try:
            folder.mkdir()
        except FileExistsError:
            continue  # another process was quicker, or it is no folder: the first lock file will tell
        folder.chmod(mode)


def _check_reach(account: Account, folder: Path) -> None:
    if account.can_enter(folder):
        return
    folders = [*reversed(folder.parents), folder]
    closed = next(each for each in folders if not account.can_enter(each))
    raise EmbeddedPostgresError(
        f"PostgreSQL refuses to run as root, and the system user {ACCOUNT_NAME!r} cannot enter {closed}: "
        f"choose a --data-dir below /var/lib, or chmod o+x {closed}"
    )


@contextmanager
def _one_line_errors(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise EmbeddedPostgresError(
            f"the data folder {data_dir} cannot be used ({error.strerror}{where}): "
            "choose one that you can write with --data-dir"
        ) from error
