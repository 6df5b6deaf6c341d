"""A file of sql/migrations, and what its head says: what it is for, its kind, and the tables that it locks."""

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from pairquiz_server.failure import Failure
from pairquiz_server.store.queries import sql_folder

_FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")
_COMMENT = re.compile(r"^--(?: (.*))?$")
_MARK = re.compile(r"^(kind|locks): (.+)$")
_KIND = re.compile(r"^(?:(expand|data)|(contract) from (\d{4}))$")
_LOCK = re.compile(r"^(\w+) \(([a-z ]+)\)$")


class MigrationError(Failure):
    """The schema cannot be brought to the newest version; the message says why and what to do."""


class Kind(StrEnum):
    """What a migration means for servers that do not know it yet."""

    EXPAND = "expand"
    """It only adds: they serve on."""
    DATA = "data"
    """It changes rows, by one statement that is run until it changes none, each time in a transaction of its own."""
    CONTRACT = "contract"
    """It takes away what they may still use: they must know the migration that it names."""


class Lock(Struct, frozen=True):
    """A table that is there already, and how it is locked while a migration runs."""

    table: str
    mode: str


class Migration(Struct, frozen=True):
    """One file. Those from before there were kinds have none, and `from_number` is for a contract alone."""

    number: int
    name: str
    sql: str
    checksum: str
    purpose: str = ""
    kind: Kind | None = None
    from_number: int = 0
    locks: tuple[Lock, ...] = ()

    @property
    def title(self) -> str:
        """How it is called in messages."""
        return f"{self.number:04} {self.name}"


def read_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """Read all migrations in their order. Raises `MigrationError` for a wrong name, a gap or a head that is wrong."""
    migrations: list[Migration] = []
    for path in sorted((folder or sql_folder() / "migrations").glob("*.sql")):
        match = _FILE.match(path.name)
        if match is None or int(match[1]) != len(migrations) + 1:
            raise MigrationError(f"{path.name}: migrations are named NNNN_name.sql and numbered without a gap")
        migrations.append(parse(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    return tuple(migrations)


def parse(number: int, name: str, sql: str) -> Migration:
    """Return a migration by its text. Raises `MigrationError` for a head that is wrong."""
    head = _head(sql)
    marks = {mark[1]: mark[2] for line in head if (mark := _MARK.match(line))}
    purpose = " ".join(" ".join(line for line in head if not _MARK.match(line)).split())
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    if "kind" not in marks:
        if marks:
            raise MigrationError(f"{number:04}_{name}.sql: its head names locks and no kind")
        return Migration(number, name, sql, checksum, purpose)
    kind = _KIND.match(marks["kind"])
    if kind is None:
        raise MigrationError(f"{number:04}_{name}.sql: kind is expand, data, or contract from NNNN")
    locks = tuple(_lock(one, f"{number:04}_{name}.sql") for one in marks.get("locks", "").split(", ") if one)
    return Migration(number, name, sql, checksum, purpose, Kind(kind[1] or kind[2]), int(kind[3] or 0), locks)


def _head(sql: str) -> list[str]:
    """Return the lines of the comment that the file begins with."""
    lines: list[str] = []
    for line in sql.splitlines():
        comment = _COMMENT.match(line)
        if comment is None:
            break
        lines.append((comment[1] or "").strip())
    return lines


def _lock(said: str, file: str) -> Lock:
    match = _LOCK.match(said)
    if match is None:
        raise MigrationError(f"{file}: locks are named as  table (mode), table (mode)")
    return Lock(match[1], match[2])
