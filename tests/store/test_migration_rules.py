"""New migrations are such that servers which do not know them serve on: read by Squawk, and tried."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.store.migration import Kind, Lock, Migration, parse
from pairquiz_server.store.migrations import migrate, read_migrations
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import sql_folder

SQUAWK = Path(sys.executable).with_name("squawk")
FIRST_WITH_A_KIND = 16
TAKES_AWAY = re.compile(r"ban-|renaming-|changing-column-type|adding-(required|not-nullable)-field")
"""Rules of Squawk that a contract alone may break: what they find is what servers of before may still use."""
WEAK = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
"""How reading and writing lock a table: they hold up nobody who reads or writes."""
STRONGER = ("ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
LOCKS = """
    SELECT c.relname::text AS name, l.mode
    FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND c.oid = ANY ($1::oid[])"""
TABLES = "SELECT oid FROM pg_class WHERE relnamespace = 'pairquiz'::regnamespace AND relkind IN ('r', 'p')"


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Database]:
    async with open_database(config.load(environ={}), empty_database_url) as database:
        yield database


def findings(migration: Migration, folder: Path) -> list[str]:
    """What Squawk finds in a migration that its kind does not allow; what it passes over by order are locks alone."""
    path = folder / f"{migration.number:04}_{migration.name}.sql"
    path.write_text(migration.sql)
    command = [SQUAWK, "--config", sql_folder().parent / ".squawk.toml", "--reporter", "json", path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    found: list[str] = [one["rule_name"] for one in json.loads(run.stdout)]
    found += filter(TAKES_AWAY.match, re.findall(r"squawk-ignore(?:-file)? +([\w-]+)", migration.sql))
    return [rule for rule in found if not (migration.kind is Kind.CONTRACT and TAKES_AWAY.match(rule))]


async def locks(database: Database, migration: Migration) -> tuple[Lock, ...]:
    """Carry a migration out, and return how it locks the tables that were there before; nothing of it stays."""
    async with database.connection() as connection:
        before = [row["oid"] for row in await connection.fetch(TABLES)]
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(migration.sql, timeout=60)
            return _strongest(await connection.fetch(LOCKS, before))
        finally:
            await transaction.rollback()


def _strongest(rows: Sequence[asyncpg.Record]) -> tuple[Lock, ...]:
    held: dict[str, str] = {}
    for row in rows:
        if row["mode"] not in WEAK:
            held[row["name"]] = max(held.get(row["name"], STRONGER[0]), row["mode"], key=STRONGER.index)
    return tuple(Lock(name, _spoken(mode)) for name, mode in sorted(held.items()))


def _spoken(mode: str) -> str:
    """Return a mode as PostgreSQL's documents write it: `AccessExclusiveLock` is access exclusive."""
    return " ".join(re.findall("[A-Z][a-z]+", mode.removesuffix("Lock"))).lower()


def test_servers_that_do_not_know_a_new_migration_can_live_with_it(tmp_path: Path) -> None:
    for migration in read_migrations()[FIRST_WITH_A_KIND - 1 :]:
        assert migration.kind is not None, f"{migration.title}: say its kind in its head (CONTRIBUTING.md)"
        assert migration.purpose, f"{migration.title}: say in its head what it is for"
        assert findings(migration, tmp_path) == [], migration.title


async def test_a_new_migration_names_the_tables_that_it_locks(empty: Database) -> None:
    known = read_migrations()
    await migrate(empty, known[: FIRST_WITH_A_KIND - 1])
    for migration in known[FIRST_WITH_A_KIND - 1 :]:
        named = tuple(sorted(migration.locks, key=lambda lock: lock.table))
        assert named == await locks(empty, migration), f"{migration.title}: its head names other locks"
        await migrate(empty, known[: migration.number])


BREAKING = {
    "ALTER TABLE pairquiz.players DROP COLUMN display_name": "ban-drop-column",
    "DROP TABLE pairquiz.reports": "ban-drop-table",
    "DROP VIEW pairquiz.silent_nodes": "ban-drop-view",
    "ALTER TABLE pairquiz.players RENAME COLUMN display_name TO name": "renaming-column",
    "ALTER TABLE pairquiz.players RENAME TO people": "renaming-table",
    "ALTER TYPE pairquiz.pace RENAME VALUE 'free' TO 'own'": "renaming-object",
    "ALTER TABLE pairquiz.players ALTER COLUMN created_at TYPE numeric": "changing-column-type",
    "ALTER TABLE pairquiz.players ALTER COLUMN display_name SET NOT NULL": "adding-not-nullable-field",
    "ALTER TABLE pairquiz.players ADD COLUMN mood text NOT NULL": "adding-required-field",
    "ALTER TABLE pairquiz.players ALTER COLUMN kind DROP DEFAULT": "ban-drop-default",
}
"""Statements that an older server does not live with, and Squawk's names for them."""
SLOW = {
    "CREATE INDEX matches_x ON pairquiz.matches (points)": "require-concurrent-index-creation",
    "ALTER TABLE pairquiz.matches ADD CHECK (points > 0)": "constraint-missing-not-valid",
}
"""Statements that lock a table for as long as it is large."""


@pytest.mark.parametrize("sql", BREAKING | SLOW)
def test_what_an_older_server_does_not_live_with_is_found(sql: str, tmp_path: Path) -> None:
    rule = (BREAKING | SLOW)[sql]
    assert rule in findings(parse(16, "expand", f"-- kind: expand\n\n{sql};\n"), tmp_path)


@pytest.mark.parametrize("sql", BREAKING)
def test_a_contract_may_take_away_and_nothing_else_by_being_told_to_pass_it_over(sql: str, tmp_path: Path) -> None:
    assert findings(parse(16, "contract", f"-- kind: contract from 0015\n\n{sql};\n"), tmp_path) == []
    ignored = f"-- kind: expand\n\n-- squawk-ignore {BREAKING[sql]}\n{sql};\n"
    assert findings(parse(16, "expand", ignored), tmp_path) == [BREAKING[sql]]


@pytest.mark.parametrize("sql", SLOW)
def test_a_lock_that_is_known_to_be_short_may_be_passed_over(sql: str, tmp_path: Path) -> None:
    assert findings(parse(16, "index", f"-- kind: expand\n\n-- squawk-ignore {SLOW[sql]}\n{sql};\n"), tmp_path) == []


def test_what_only_adds_is_let_pass(tmp_path: Path) -> None:
    adds = """-- What.
-- kind: expand

ALTER TABLE pairquiz.players ADD COLUMN mood text NOT NULL DEFAULT 'good';
CREATE TABLE pairquiz.moods (id integer PRIMARY KEY, name text NOT NULL);
CREATE UNIQUE INDEX moods_name ON pairquiz.moods (name);
"""
    assert findings(parse(16, "adds", adds), tmp_path) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("ALTER TABLE pairquiz.players ADD COLUMN mood text", (Lock("players", "access exclusive"),)),
        ("CREATE INDEX players_x ON pairquiz.players (display_name)", (Lock("players", "share"),)),
        (
            "CREATE TABLE pairquiz.moods (player_id text REFERENCES pairquiz.players); DROP VIEW pairquiz.silent_nodes",
            (Lock("players", "share row exclusive"),),
        ),
        ("UPDATE pairquiz.players SET seen_at = 1", ()),
    ],
)
async def test_the_locks_of_a_migration_are_found_by_carrying_it_out(
    database: Database, sql: str, expected: tuple[Lock, ...]
) -> None:
    assert await locks(database, parse(16, "locks", sql)) == expected
