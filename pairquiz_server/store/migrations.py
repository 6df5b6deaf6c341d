"""Brings the schema to the newest version: forward only, one node at a time, while others serve."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import asyncpg
import structlog
from msgspec import Struct

from pairquiz_server.store.migration import Kind, Migration, MigrationError, read_migrations
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.reasons import UNAVAILABLE

log = structlog.get_logger("pairquiz.migrations")

_QUERIES = load("migrations")
_TIMEOUT_S = 600.0  # another node may be migrating a large table

HOLD_S = 10.0
"""A statement of a migration may hold the tables that it locks for so long; then all of it is taken back."""
LOCK_WAIT_S = 0.3
"""Whoever comes behind a migration that waits for a lock waits too: so it waits for less than players would notice."""
PATIENCE_S = 60.0
"""So long a lock is tried for again and again, with pauses in which everybody else goes on."""
OLDEST_BESIDE = 6
"""Servers that do not know this migration can serve beside no newer schema: it was written before there were kinds."""
PAUSE_S = 1.0
PAUSE_MAX_S = 5.0


class MigrationStatus(Struct, frozen=True):
    """A migration of this version or of the database, and when it was applied (text of a time), None where it is not.

    `known` is false for one of a newer version, and `changed` true for one that is another in the database.
    """

    number: int
    name: str
    applied_at: str | None
    known: bool = True
    changed: bool = False


class LockedTable(Struct, frozen=True):
    """A table that a migration locks, and how large it is (as PostgreSQL last counted)."""

    table: str
    mode: str
    rows: int
    bytes: int


class Planned(Struct, frozen=True):
    """A migration that would be applied. `beside` is the migration that a server has to know to serve beside it."""

    number: int
    name: str
    purpose: str
    kind: Kind | None
    locks: tuple[LockedTable, ...]
    beside: int


class _LockedOut(Exception):
    """Somebody held a table for too long; nothing was changed."""


async def migrate(
    database: Database,
    migrations: Sequence[Migration] | None = None,
    *,
    hold_s: float = HOLD_S,
    patience_s: float = PATIENCE_S,
) -> tuple[Migration, ...]:
    """Apply what is pending, and return it.

    Each migration is a transaction, all of it or nothing, so that no lock outlasts it; those that have no kind are one
    together. Whoever comes at the same time waits for the lock, and goes on with what is left. A migration that was
    applied must not have changed since; one that we do not know (a newer server's) is left alone. Raises
    `MigrationError` and `StorageUnavailable`; what was applied before then stays.
    """
    known = read_migrations() if migrations is None else migrations
    applied: list[Migration] = []
    while (step := await _patient_step(database, known, hold_s, patience_s)) is not None:
        applied += step
    return tuple(applied)


async def _patient_step(
    database: Database, known: Sequence[Migration], hold_s: float, patience_s: float
) -> Sequence[Migration] | None:
    """Take a step, again and again while others hold what it needs."""
    until, pause_s = time.monotonic() + patience_s, PAUSE_S
    while True:
        try:
            return await _step(database, known, hold_s)
        except _LockedOut as locked_out:
            holder = await _holder(database)
            if time.monotonic() + pause_s > until:
                raise MigrationError(
                    f"{locked_out} because others hold what it changes, and nothing of it was done: {holder}"
                ) from locked_out
            log.warning("migration_waits", what=str(locked_out), holder=holder, again_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, PAUSE_MAX_S)


async def _step(database: Database, known: Sequence[Migration], hold_s: float) -> Sequence[Migration] | None:
    """Apply what comes next in one transaction, and return it: nothing of data that has more rows, None at the end."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_QUERIES["bound"], "0", "0")  # whatever the role has: another node may take long
        await connection.execute(_QUERIES["lock"], timeout=_TIMEOUT_S)
        if not await connection.fetchval(_QUERIES["prepared"]):  # a role that may not make it needs not to
            await _run(connection, _QUERIES["prepare"], "the schema pairquiz cannot be made")
        applied = {row["number"]: row["checksum"] for row in await connection.fetch(_QUERIES["applied"])}
        _hold_unchanged(known, applied)
        step = _next(known, applied)
        if not step:
            return None
        if step[0].kind is not None:
            await connection.execute(_QUERIES["bound"], f"{LOCK_WAIT_S * 1000:.0f}ms", f"{hold_s * 1000:.0f}ms")
        for migration in step:
            done = await _run(connection, migration.sql, f"migration {migration.title} failed")
            if migration.kind is Kind.DATA and not done.endswith(" 0"):
                return ()
            await connection.execute(_QUERIES["record"], migration.number, migration.name, migration.checksum)
    return step


def _hold_unchanged(known: Sequence[Migration], applied: Mapping[int, str]) -> None:
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise MigrationError(
                f"migration {migration.title} was changed after this database applied "
                "it: restore the file, and put the change into a new migration"
            )


def _next(known: Sequence[Migration], applied: Mapping[int, str]) -> Sequence[Migration]:
    """Return what is applied together: all that have no kind up to one that has, or that one alone."""
    pending = [migration for migration in known if migration.number not in applied]
    kinds = [number for number, migration in enumerate(pending) if migration.kind is not None]
    return pending[: max(1, kinds[0])] if kinds else pending


async def _run(connection: asyncpg.Connection, sql: str, failure: str) -> str:
    try:
        return await connection.execute(sql, timeout=_TIMEOUT_S)
    except asyncpg.InsufficientPrivilegeError as error:
        reason = str(error).splitlines()[0]
        raise MigrationError(f"{failure}: {reason}: name a role that owns the database in DATABASE_URL") from error
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        raise _LockedOut(failure) from error
    except asyncpg.QueryCanceledError as error:
        raise MigrationError(
            f"{failure} because it would have held up players for too long, and nothing of it was done: get the table "
            "ready beforehand (docs/upgrades.md), or give it longer:  pairquiz-server migrate --hold SECONDS"
        ) from error
    except UNAVAILABLE:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{failure}: {str(error).splitlines()[0]}") from error


async def _holder(database: Database) -> str:
    """Say who has held a table of ours for the longest, and how that is ended."""
    rows = await database.fetch(_QUERIES["holder"])
    if not rows:
        return "nobody does any more, try again"
    pid, who, seconds, state = rows[0]
    return (
        f"session {pid} ({who}, {state}) has for {seconds} s. Wait for it, or end it "
        f"(SELECT pg_terminate_backend({pid})), and try again"
    )


async def status(database: Database) -> tuple[MigrationStatus, ...]:
    """Return every migration that this version or the database knows; changes nothing. Raises `StorageUnavailable`."""
    known = {migration.number: migration for migration in read_migrations()}
    applied = {row["number"]: row for row in await _applied(database)}
    return tuple(_stands(known.get(number), applied.get(number)) for number in sorted({*known, *applied}))


async def plan(database: Database, migrations: Sequence[Migration] | None = None) -> tuple[Planned, ...]:
    """Return what `migrate` would apply, in its order; changes nothing.

    Raises `MigrationError` and `StorageUnavailable`.
    """
    known = read_migrations() if migrations is None else migrations
    applied = {row["number"]: row["checksum"] for row in await _applied(database)}
    _hold_unchanged(known, applied)
    tables = sorted({lock.table for migration in known for lock in migration.locks})
    sizes = {row["name"]: row for row in await database.fetch(_QUERIES["tables"], tables)}
    beside = OLDEST_BESIDE
    planned = []
    for migration in known:
        beside = max(beside, migration.from_number)
        if migration.number in applied:
            continue
        locks = tuple(
            LockedTable(lock.table, lock.mode, sizes[lock.table]["rows"], sizes[lock.table]["bytes"])
            for lock in migration.locks
            if lock.table in sizes  # else one of those before makes it
        )
        planned.append(Planned(migration.number, migration.name, migration.purpose, migration.kind, locks, beside))
    return tuple(planned)


async def _applied(database: Database) -> Sequence[asyncpg.Record]:
    return await database.fetch(_QUERIES["applied"]) if await database.fetchval(_QUERIES["prepared"]) else ()


def _stands(ours: Migration | None, theirs: asyncpg.Record | None) -> MigrationStatus:
    if ours is None:
        assert theirs is not None
        return MigrationStatus(theirs["number"], theirs["name"], theirs["applied_at"], known=False)
    if theirs is None:
        return MigrationStatus(ours.number, ours.name, None)
    changed = ours.checksum != theirs["checksum"]
    return MigrationStatus(ours.number, ours.name, theirs["applied_at"], changed=changed)
