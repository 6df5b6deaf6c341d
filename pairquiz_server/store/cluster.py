"""One PostgreSQL cluster on disk and its server: make it, start it, stop it.

Nothing here is safe against a second caller: `embedded` lets in one at a time.
"""

import hashlib
import os
import shlex
import shutil
import signal
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

from pairquiz_server.store.binaries import MAJOR_VERSION, Account, Binaries, EmbeddedPostgresError

ROLE = "pairquiz"
DATABASE = "pairquiz"

_SOCKET_FILE = ".s.PGSQL.5432"
# The kernel's limit for the path of a Unix socket (108 bytes with the closing zero).
_SOCKET_PATH_BYTES = 107
# Recovery after a power loss replays at most about 1 GB of log: minutes on a slow disk, not hours.
_START_SECONDS = 300
_STOP_SECONDS = 60
_POLL_SECONDS = 0.05
# What PostgreSQL answers in the locale C that it runs in; more errors follow from it.
_DISK_FULL = "No space left on device"

_SETTINGS = {
    # Reachable through the Unix socket alone, and the socket through its owner alone.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Given here so that no edit of postgresql.conf can weaken them.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    # One file for each day of the week, overwritten a week later.
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class Cluster:
    """The cluster in `data_dir` (an absolute path), whose files belong to the account of `binaries`."""

    data_dir: Path
    binaries: Binaries

    @property
    def folder(self) -> Path:
        """PostgreSQL's own data."""
        return self.data_dir / "postgres"

    @property
    def log_folder(self) -> Path:
        """What PostgreSQL says: `start.log` for the last start, `postgres-<day>.log` for the rest."""
        return self.data_dir / "log"

    @property
    def socket_folder(self) -> Path:
        """Where the Unix socket lies: `run` beside the data, or a folder below /tmp if that cannot be."""
        inside = self.data_dir / "run"
        path = os.fsencode(inside / _SOCKET_FILE)
        # Clients read a comma as the border between two hosts.
        if len(path) <= _SOCKET_PATH_BYTES and b"," not in path:
            return inside
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()
        return Path(f"/tmp/pairquiz-{digest[:12]}")  # noqa: S108 - `_make_private` takes nobody else's

    @property
    def dsn(self) -> str:
        """The address for asyncpg."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.socket_folder))}&port=5432"

    def start(self) -> None:
        """Make the cluster if there is none, and return when its server accepts connections.

        Raises EmbeddedPostgresError, and OSError where the folder cannot be used.
        """
        if self.folder.exists():
            self._check_version()
        else:
            self._create()
        _make_private(self.log_folder, self.binaries.account)
        _make_private(self.socket_folder, self.binaries.account)
        deadline = time.monotonic() + _START_SECONDS
        while not self._accepts_connections():
            if time.monotonic() > deadline:
                raise self._failure("PostgreSQL did not get ready in time", self._last_words())
            # A postmaster that runs is on its way up or down: a process that was killed while starting
            # or stopping it may have left it so.
            if self._postmaster_runs() or not self._start_postmaster():
                time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server if it runs; open connections are cut, committed work is safe.

        Raises EmbeddedPostgresError when it does not stop in time.
        """
        if self._postmaster_runs():
            stop = self._pg_ctl("stop", "-m", "fast", "-t", str(_STOP_SECONDS))
            if stop.returncode != 0 and self._postmaster_runs():
                raise self._failure("PostgreSQL did not stop", _telling_line(stop.stderr))
        if self.socket_folder.parent != self.data_dir:
            with suppress(OSError):
                self.socket_folder.rmdir()

    def tell_to_stop(self) -> None:
        """Have the server stop as `stop` does, and do not wait for it. Raises OSError."""
        if (pid := self._postmaster()) is not None:
            os.kill(pid, signal.SIGINT)

    def _check_version(self) -> None:
        try:
            found = (self.folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedPostgresError(
                f"{self.folder} holds no PostgreSQL data: move it away, or choose another --data-dir"
            ) from None
        if found != MAJOR_VERSION:
            raise EmbeddedPostgresError(
                f"the data in {self.folder} was made by PostgreSQL {found} and this is {MAJOR_VERSION}: "
                "dump it with the old version and load it into a new --data-dir"
            )

    def _create(self) -> None:
        """Make the cluster under another name first, so that the final name means a complete one."""
        for unfinished in self.data_dir.glob("postgres.new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        # A new name each time: an initdb whose starter was killed may still write into the old one.
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data_dir))
        try:
            os.chown(new, self.binaries.account.uid, self.binaries.account.gid)
            # `trust` lets in everybody who can open the socket, and its folder's mode is 0700.
            initdb = self.binaries.run(
                "initdb",
                *("-D", new.name, "-U", ROLE, "--auth=trust", "--encoding=UTF8", "--no-locale"),
                folder=self.data_dir,
            )
            if initdb.returncode != 0:
                raise self._failure("PostgreSQL's data cannot be made", _telling_line(initdb.stderr))
            single = self.binaries.run(
                "postgres",
                *("--single", "-D", new.name, "-c", "exit_on_error=on", "postgres"),
                folder=self.data_dir,
                stdin=f"CREATE DATABASE {DATABASE}\n",
            )
            if single.returncode != 0:
                raise self._failure("PostgreSQL's data cannot be made", _telling_line(single.stderr))
            new.rename(self.folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _flush_names(self.data_dir)

    def _accepts_connections(self) -> bool:
        arguments = ("-h", str(self.socket_folder), "-p", "5432", "-U", ROLE, "-d", DATABASE)
        return self.binaries.run("pg_isready", *arguments, folder=self.data_dir).returncode == 0

    def _postmaster_runs(self) -> bool:
        return self._postmaster() is not None

    def _postmaster(self) -> int | None:
        """Return the process named by postmaster.pid if it is our server; the trace of a stranger is removed.

        After a power loss (above all in a container) the number may belong to another program, and
        PostgreSQL would then refuse to start, or we would stop that program.
        """
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().partition("\n")[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return None
        except ValueError:
            pid, command = 0, []
        if os.fsencode(self._socket_setting) in command:
            return pid
        for trace in (pid_file, self.socket_folder / f"{_SOCKET_FILE}.lock"):
            trace.unlink(missing_ok=True)
        return None

    def _start_postmaster(self) -> bool:
        """Start the server and wait until it is ready; False where it is worth another try."""
        start_log = self.log_folder / "start.log"
        start_log.unlink(missing_ok=True)
        settings = [self._socket_setting, f"log_directory={self.log_folder}"]
        settings += [f"{name}={value}" for name, value in _SETTINGS.items()]
        options = shlex.join(argument for setting in settings for argument in ("-c", setting))
        log = str(start_log.relative_to(self.data_dir))
        start = self._pg_ctl("start", "-l", log, "-o", options, "-t", str(_START_SECONDS))
        if start.returncode == 0:
            return True
        words = self._last_words() or _telling_line(start.stderr)
        # The first: one that a killed process had started was quicker.  The second: the children of a
        # killed postmaster are about to notice.
        if 'postmaster.pid" already exists' in words or "still in use" in words:
            return False
        raise self._failure("PostgreSQL cannot be started", words)

    def _pg_ctl(self, act: str, *arguments: str) -> CompletedProcess[str]:
        # Relative paths, because pg_ctl hands them to a shell and quotes them badly.
        return self.binaries.run("pg_ctl", act, "-w", "-D", self.folder.name, *arguments, folder=self.data_dir)

    @property
    def _socket_setting(self) -> str:
        folder = str(self.socket_folder).replace('"', '""')
        return f'unix_socket_directories="{folder}"'

    def _last_words(self) -> str:
        logs = sorted(self.log_folder.glob("*.log"), key=lambda log: log.stat().st_mtime)
        return _telling_line(logs[-1].read_text(errors="replace")) if logs else ""

    def _failure(self, what: str, words: str) -> EmbeddedPostgresError:
        mend = "mend that and start again, or set DATABASE_URL"
        if _DISK_FULL in words:
            mend = "make room on the disk and start again"
        elif self.log_folder.exists():
            mend = f"see {self.log_folder}, or set DATABASE_URL"
        return EmbeddedPostgresError(f"{what} in {self.data_dir} ({words}): {mend}")


def _telling_line(text: str) -> str:
    """Choose the line of a log that names the cause: a full disk, the last error, or else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
    full = [line for line in lines if _DISK_FULL in line]
    return (full or errors or lines or [""])[-1]


def _make_private(folder: Path, account: Account) -> None:
    """Make `folder` with mode 0700 for `account`; refuse one that is there and is anything else."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        found = folder.lstat()
    if (found.st_mode, found.st_uid) != (stat.S_IFDIR | 0o700, account.uid):
        raise EmbeddedPostgresError(
            f"{folder} must be a folder of mode 0700 that belongs to user id {account.uid}, and is not: "
            "remove it and start again"
        )


def _flush_names(folder: Path) -> None:
    """Bring the names in `folder` to the disk, so that a rename outlives a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
