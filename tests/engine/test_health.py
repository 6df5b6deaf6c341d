"""Each check turns red for its own reason, and for no other."""

import asyncio
import socket

import pytest

from pairquiz_server.engine import health as health_module
from pairquiz_server.engine.health import Health, fit
from pairquiz_server.store.migrations import migrate
from pairquiz_server.store.pool import Database
from tests.engine.stage import opened_database, unreachable_database

GREEN = {"database": True, "migrations": True, "durability": True, "draining": True}


async def test_all_checks_of_a_sound_node_are_green(database: Database) -> None:
    assert await Health(database, keep_s=0).checks() == GREEN


async def test_draining_is_red_alone(database: Database) -> None:
    health = Health(database, keep_s=0)
    health.draining = True
    assert await health.checks() == GREEN | {"draining": False}


@pytest.mark.parametrize("answers", [True, False])
async def test_redis_is_a_check_of_its_own_where_there_is_one(database: Database, answers: bool) -> None:
    assert await Health(database, lambda: answers).checks() == GREEN | {"redis": answers}


@pytest.mark.parametrize("failed", ["redis", *GREEN])
def test_whoever_misses_anything_but_redis_is_not_fit(failed: str) -> None:
    assert fit(GREEN | {"redis": True})
    assert fit(GREEN | {"redis": True, failed: False}) is (failed == "redis")


async def test_all_that_needs_the_database_is_red_while_nobody_listens() -> None:
    async with unreachable_database() as database:
        assert await Health(database, keep_s=0).checks() == dict.fromkeys(GREEN, False) | {"draining": True}


async def test_database_that_takes_the_connection_and_says_nothing_is_red_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health_module, "CHECK_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with opened_database("postgresql://nobody@{}:{}/nothing".format(*silent.getsockname())) as database:
            async with asyncio.timeout(5):  # connecting alone would be given up later
                assert await Health(database, keep_s=0).checks() == dict.fromkeys(GREEN, False) | {"draining": True}


async def test_migrations_are_red_alone_until_the_schema_is_the_newest(empty_database_url: str) -> None:
    async with opened_database(empty_database_url) as database:
        health = Health(database, keep_s=0)
        assert await health.checks() == GREEN | {"migrations": False}
        await migrate(database)
        assert await health.checks() == GREEN
        await database.fetch("DELETE FROM pairquiz.schema_migrations")
        assert await health.checks() == GREEN | {"migrations": False}


async def test_durability_is_red_alone_where_commits_do_not_wait_for_the_disk(database_url: str) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    async with opened_database(database_url) as database:
        await database.fetch(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with opened_database(database_url) as database:
        assert await Health(database, keep_s=0).checks() == GREEN | {"durability": False}


async def test_check_that_fails_in_an_unforeseen_way_is_red(database: Database) -> None:
    await database.fetch("ALTER TABLE pairquiz.schema_migrations RENAME COLUMN applied_at TO something_else")
    assert await Health(database, keep_s=0).checks() == GREEN | {"migrations": False}


async def test_whoever_asks_again_hears_what_was_found_a_moment_ago(database: Database) -> None:
    health = Health(database, keep_s=3600)
    asked = [health.checks() for _ in range(20)]
    assert await asyncio.gather(*asked) == [GREEN] * 20
    await database.close()
    health.draining = True
    assert await health.checks() == GREEN | {"draining": False}, "all but what needs no database"
