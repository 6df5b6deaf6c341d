"""Who has to wait for a connection: counted, refused after a while, and said once a minute."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from pairquiz_server.engine.health import Health
from pairquiz_server.metrics import Metrics
from pairquiz_server.store import pool
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.reasons import NoneFree
from pairquiz_server.store.shortage import SAID_EVERY_S, Shortage

SESSIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
"""
Logs = list[MutableMapping[str, Any]]


def said(logs: Logs) -> Logs:
    return [line for line in logs if line["event"] == "pool_too_small"]


class Clock:
    """Shows what it is set to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_waits_are_said_once_a_minute_and_those_between_with_the_next() -> None:
    clock = Clock()
    metrics = Metrics()
    shortage = Shortage(3, metrics, clock)

    def wait(seconds: float, *, in_vain: bool = False) -> None:
        turn = shortage.turn()
        with turn:
            assert metrics.registry.get_sample_value("pairquiz_pool_waiting") == shortage.waiting == 1
            clock.now += seconds
            if in_vain:
                raise TimeoutError
            turn.came()
        assert shortage.waiting == 0

    with capture_logs() as logs:
        wait(0.01)
        assert not said(logs), "that is nothing"
        wait(0.5)
        assert [(line["callers"], line["refused"], line["longest_ms"]) for line in said(logs)] == [(1, 0, 500)]
        wait(0.75)
        with pytest.raises(NoneFree, match=r"^all 3 connections for reads were busy for too long$"):
            wait(1.25, in_vain=True)
        assert len(said(logs)) == 1
        clock.now += SAID_EVERY_S
        wait(0.3)
        (_, line) = said(logs)
    assert (line["callers"], line["refused"], line["longest_ms"], line["pool_max"]) == (3, 1, 1250, 3)
    assert "database.pool_max" in line["hint"]
    counted = [
        metrics.registry.get_sample_value(f"pairquiz_pool_{name}") for name in ("wait_seconds_count", "timeouts_total")
    ]
    assert counted == [5, 1]


def test_who_goes_away_while_waiting_is_not_refused() -> None:
    clock = Clock()
    shortage = Shortage(1, Metrics(), clock)
    with capture_logs() as logs:
        turn = shortage.turn()
        turn.__enter__()
        clock.now += 1
        turn.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)
        assert [line["refused"] for line in said(logs)] == [0]
    assert shortage.waiting == 0


async def test_reads_that_find_no_connection_wait_and_are_refused_while_writes_go_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(DatabaseOptions(dsn=database_url, pool_max=2))
    await database.open()
    await database.probe("SELECT 1")  # from now on a read waits no longer than a player does
    with capture_logs() as logs:
        async with database.connection(), database.connection():
            waiting = [asyncio.create_task(database.fetchval("SELECT $1::int", number)) for number in range(20)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
        assert await asyncio.gather(*waiting) == list(range(20)), "they have only waited"

        monkeypatch.setattr(pool, "PLACE_S", 0.05)
        async with database.connection() as lent, database.connection():
            with pytest.raises(StorageUnavailable, match=r"^all 2 connections .*: raise database.pool_max"):
                await database.fetchval("SELECT 1")
            assert await database.write("SELECT 1")
            assert await database.probe("SELECT 1")
            assert database.available
            assert await lent.fetchval(SESSIONS) == 2 + 2, "as the documents say: pool_max, and two"
            assert not (await Health(database, keep_s=0).checks())["database"], "whoever comes now would be refused"
        assert (await Health(database, keep_s=0).checks())["database"]
    assert [line["pool_max"] for line in said(logs)] == [2]
    await database.close()
