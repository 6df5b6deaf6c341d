"""Brings the schema to the newest version: numbered files, forward only, one node at a time."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from pairquiz_server.failure import Failure
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load, sql_folder
from pairquiz_server.store.reasons import UNAVAILABLE

_FILE = re.compile(r"^(\d{4})_(\w+)\.sql$")
_QUERIES = load("migrations")
_TIMEOUT_S = 600.0  # another node may be migrating a large table


class MigrationError(Failure):
    """The schema cannot be brought to the newest version; the message says why and what to do."""


class Migration(Struct, frozen=True):
    """One file of sql/migrations."""

    number: int
    name: str
    sql: str
    checksum: str


class MigrationStatus(Struct, frozen=True):
    """A migration and when the database applied it (text of a time), None where it is pending."""

    number: int
    name: str
    applied_at: str | None


def read_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """Read all migrations in their order. Raises `MigrationError` for a wrong name or a gap in the numbers."""
    migrations: list[Migration] = []
    for path in sorted((folder or sql_folder() / "migrations").glob("*.sql")):
        match = _FILE.match(path.name)
        if match is None or int(match[1]) != len(migrations) + 1:
            raise MigrationError(f"{path.name}: migrations are named NNNN_name.sql and numbered without a gap")
        sql = path.read_text(encoding="utf-8")
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        migrations.append(Migration(int(match[1]), match[2], sql, checksum))
    return tuple(migrations)


async def migrate(database: Database, migrations: Sequence[Migration] | None = None) -> tuple[Migration, ...]:
    """Apply what is pending, all of it or nothing, and return it.

    Whoever comes second waits for the lock, and then finds nothing to do. A migration that was applied must not
    have changed since; one that we do not know (a newer server's) is left alone. Raises `MigrationError` and
    `StorageUnavailable`.
    """
    known = read_migrations() if migrations is None else migrations
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_QUERIES["lock"], timeout=_TIMEOUT_S)
        if not await connection.fetchval(_QUERIES["prepared"]):  # a role that may not make it needs not to
            await _run(connection, _QUERIES["prepare"], "the schema pairquiz cannot be made")
        applied = {row["number"]: row["checksum"] for row in await connection.fetch(_QUERIES["applied"])}
        pending = tuple(migration for migration in known if migration.number not in applied)
        for migration in known:
            if applied.get(migration.number, migration.checksum) != migration.checksum:
                raise MigrationError(
                    f"migration {migration.number:04} {migration.name} was changed after this database applied "
                    "it: restore the file, and put the change into a new migration"
                )
        for migration in pending:
            await _run(connection, migration.sql, f"migration {migration.number:04} {migration.name} failed")
            await connection.execute(_QUERIES["record"], migration.number, migration.name, migration.checksum)
    return pending


async def _run(connection: asyncpg.Connection, sql: str, failure: str) -> None:
    try:
        await connection.execute(sql, timeout=_TIMEOUT_S)
    except asyncpg.InsufficientPrivilegeError as error:
        reason = str(error).splitlines()[0]
        raise MigrationError(f"{failure}: {reason}: name a role that owns the database in DATABASE_URL") from error
    except UNAVAILABLE:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{failure}: {str(error).splitlines()[0]}") from error


async def status(database: Database) -> tuple[MigrationStatus, ...]:
    """Return every known migration with when it was applied; changes nothing. Raises `StorageUnavailable`."""
    applied: dict[int, str] = {}
    if await database.fetchval(_QUERIES["prepared"]):
        applied = {row["number"]: row["applied_at"] for row in await database.fetch(_QUERIES["applied"])}
    return tuple(
        MigrationStatus(migration.number, migration.name, applied.get(migration.number))
        for migration in read_migrations()
    )
