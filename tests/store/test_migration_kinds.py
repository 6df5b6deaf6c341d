"""Migrations while others serve: what their heads say, how they are bound, and what is told of them beforehand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.store import migrations
from pairquiz_server.store.migration import Kind, Lock, Migration, MigrationError, parse
from pairquiz_server.store.migrations import LockedTable, MigrationStatus, migrate, plan, status
from pairquiz_server.store.pool import Database

OLD = parse(1, "old", "CREATE TABLE pairquiz.first (id integer); INSERT INTO pairquiz.first VALUES (1), (2), (3)")
EXPAND = parse(
    2,
    "expand",
    "-- Names, because players\n-- want them.\n--\n-- kind: expand\n-- locks: first (access exclusive)\n\n"
    "ALTER TABLE pairquiz.first ADD COLUMN name text",
)
DATA = parse(
    3,
    "data",
    "-- Names for those who have none.\n-- kind: data\n"
    "UPDATE pairquiz.first SET name = 'nobody' WHERE id = (SELECT min(id) FROM pairquiz.first WHERE name IS NULL)",
)
CONTRACT = parse(4, "contract", "-- kind: contract from 0002\nALTER TABLE pairquiz.first DROP COLUMN name")
NAMES = "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = 'pairquiz.first'::regclass AND attnum > 0"


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Database]:
    async with open_database(config.load(environ={}), empty_database_url) as database:
        yield database


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that has read a table, and does not end its transaction."""
    connection = await asyncpg.connect(url, server_settings={"application_name": "somebody"})
    try:
        async with connection.transaction():
            await connection.fetch("SELECT FROM pairquiz.first")
            yield connection
    finally:
        await connection.close()


def test_a_head_says_what_a_migration_is_for_its_kind_and_its_locks() -> None:
    assert (EXPAND.purpose, EXPAND.kind) == ("Names, because players want them.", Kind.EXPAND)
    assert EXPAND.locks == (Lock("first", "access exclusive"),)
    assert (CONTRACT.kind, CONTRACT.from_number) == (Kind.CONTRACT, 2)
    assert (OLD.kind, OLD.purpose, OLD.locks) == (None, "", ())


def test_only_the_comment_at_the_beginning_is_a_head() -> None:
    assert parse(1, "one", "-- What.\n\nSELECT 1;\n-- kind: contract\n").kind is None


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("-- kind: contract", "kind is expand, data, or contract from NNNN"),
        ("-- kind: expand from 0002", "kind is expand, data, or contract from NNNN"),
        ("-- kind: expand\n-- locks: first", r"locks are named as  table \(mode\), table \(mode\)"),
        ("-- locks: first (share)", "its head names locks and no kind"),
    ],
)
def test_a_wrong_head_is_refused_and_named(head: str, reason: str) -> None:
    with pytest.raises(MigrationError, match=rf"^0007_wrong\.sql: {reason}$"):
        parse(7, "wrong", head)


async def test_each_migration_with_a_kind_is_a_transaction_of_its_own(empty: Database) -> None:
    """What it has locked is free before the next one begins; a later failure takes nothing of it back."""
    fails = parse(3, "fails", "-- kind: expand\nCREATE TABLE pairquiz.second (id integer); SELECT 1 / 0")
    with pytest.raises(MigrationError, match=r"^migration 0003 fails failed: division by zero$"):
        await migrate(empty, [OLD, EXPAND, fails])
    assert await empty.fetchval(NAMES) == ["id", "name"]
    assert await empty.fetchval("SELECT to_regclass('pairquiz.second')") is None
    assert [one.number for one in await migrate(empty, [OLD, EXPAND, DATA])] == [3]


async def test_data_is_changed_step_by_step_each_in_a_transaction_of_its_own(empty: Database) -> None:
    assert await migrate(empty, [OLD, EXPAND, DATA]) == (OLD, EXPAND, DATA)
    assert await empty.fetchval("SELECT count(*) FROM pairquiz.first WHERE name = 'nobody'") == 3
    assert await empty.fetchval("SELECT count(DISTINCT xmin::text) FROM pairquiz.first") == 3


async def test_a_migration_that_a_long_query_keeps_waiting_is_taken_back_and_names_it(
    empty: Database, empty_database_url: str
) -> None:
    await migrate(empty, [OLD])
    async with reading(empty_database_url) as reader:
        pid = reader.get_server_pid()
        with pytest.raises(
            MigrationError,
            match=rf"^migration 0002 expand failed because others .* {pid} \(somebody, idle in transaction\) has",
        ):
            await migrate(empty, [OLD, EXPAND], patience_s=0)
        assert await empty.fetchval(NAMES) == ["id"]


async def test_a_migration_lets_others_go_on_while_it_waits_and_is_done_when_it_can(
    empty: Database, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PAUSE_S", 0.01)
    await migrate(empty, [OLD])
    with capture_logs() as lines:
        async with reading(empty_database_url):
            migrating = asyncio.create_task(migrate(empty, [OLD, EXPAND]))
            while not any(line["event"] == "migration_waits" for line in lines):
                assert not migrating.done()
                # Whoever comes behind it waits until it gives way, and no longer: without that, for the reader.
                assert await empty.fetchval("SELECT count(*) FROM pairquiz.first") == 3
        assert await migrating == (EXPAND,)
    assert await empty.fetchval(NAMES) == ["id", "name"]


async def test_a_migration_that_would_hold_players_up_is_taken_back(empty: Database) -> None:
    slow = parse(
        2, "slow", "-- kind: expand\nALTER TABLE pairquiz.first ADD COLUMN name text; SELECT FROM pg_sleep(60)"
    )
    with pytest.raises(
        MigrationError, match=r"^migration 0002 slow failed because it would have held .* --hold SECONDS$"
    ):
        await migrate(empty, [OLD, slow], hold_s=0.1)
    assert await empty.fetchval(NAMES) == ["id"]


async def test_a_plan_tells_what_would_be_done_and_who_can_serve_meanwhile(empty: Database) -> None:
    await migrate(empty, [OLD])
    await empty.fetch("ANALYZE pairquiz.first")
    expand, data, contract = await plan(empty, [OLD, EXPAND, DATA, replace(CONTRACT, from_number=17)])
    assert (expand.number, expand.name, expand.kind) == (2, "expand", Kind.EXPAND)
    assert expand.purpose == EXPAND.purpose
    assert expand.locks == (LockedTable("first", "access exclusive", 3, 8192),)
    assert [one.beside for one in (expand, data, contract)] == [6, 6, 17]
    assert await empty.fetchval(NAMES) == ["id"]
    await migrate(empty, [OLD, EXPAND, DATA])
    assert await plan(empty, [OLD, EXPAND, DATA]) == ()


async def test_a_plan_for_an_empty_database_is_everything(empty: Database) -> None:
    assert len(await plan(empty)) == len(migrations.read_migrations())


async def test_a_plan_is_refused_where_an_applied_migration_was_changed(empty: Database) -> None:
    await migrate(empty, [OLD])
    with pytest.raises(MigrationError, match=r"^migration 0001 old was changed after"):
        await plan(empty, [replace(OLD, checksum="another")])


async def test_status_tells_what_a_newer_version_has_applied_and_what_was_changed(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def knows(*known: Migration) -> None:
        monkeypatch.setattr(migrations, "read_migrations", lambda: known)

    await migrate(empty, [OLD, EXPAND])
    knows(replace(OLD, checksum="another"))
    old, newer = await status(empty)
    assert (old.changed, old.known, newer.changed, newer.known) == (True, True, False, False)
    assert (newer.name, bool(newer.applied_at)) == ("expand", True)
    knows(OLD, EXPAND, DATA)
    assert (await status(empty))[2] == MigrationStatus(3, "data", None)
