"""Queries are counted by their name, and so is the wait for a connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pairquiz_server.metrics import Metrics
from pairquiz_server.store.pool import Database, DatabaseOptions, StorageUnavailable
from pairquiz_server.store.queries import load, name_of

TIME = load("server")["time"]


@asynccontextmanager
async def counted(dsn: str, **options: float) -> AsyncIterator[tuple[Database, Metrics]]:
    metrics = Metrics()
    database = Database(DatabaseOptions(dsn=dsn, **options), metrics)
    await database.open()
    try:
        yield database, metrics
    finally:
        await database.close()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"pairquiz_{name}", labels)


def test_a_query_is_called_by_its_file_and_its_name_and_a_strangers_text_is_none() -> None:
    assert (name_of(TIME), name_of("SELECT 1"), name_of("")) == ("server.time", "other", "other")


async def test_whichever_way_a_query_goes_it_is_counted_once(database_url: str) -> None:
    async with counted(database_url) as (database, metrics):
        for run in (database.fetch, database.fetchval, database.write, database.probe):
            await run(TIME)
        await database.fetch("SELECT 1")
        assert value(metrics, "query_seconds_count", query="server.time") == 4
        assert value(metrics, "query_seconds_count", query="other") == 1
        assert value(metrics, "query_errors_total", query="server.time") is None


@pytest.mark.parametrize("way", ["fetch", "fetchval", "write", "probe"])
async def test_a_query_that_is_not_answered_in_time_is_an_error_and_no_time(database_url: str, way: str) -> None:
    async with counted(database_url, command_timeout_s=0.4) as (database, metrics):  # connections are set up in it, too
        limits = {"timeout_s": 0.05} if way == "probe" else {}
        with pytest.raises(StorageUnavailable):
            await getattr(database, way)("SELECT pg_sleep(60)", **limits)
        assert value(metrics, "query_errors_total", query="other") == 1
        assert value(metrics, "query_seconds_count", query="other") is None


async def test_a_pool_of_which_all_is_lent_shows_who_waits_and_who_waited_in_vain(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with counted(database_url, pool_max=1) as (database, metrics):
        assert value(metrics, "pool_connections_limit") == 1
        assert value(metrics, "pool_connections", state="idle") == 1
        async with database.connection():
            waits = asyncio.create_task(database.fetch(TIME))
            while not value(metrics, "pool_waiting"):  # noqa: ASYNC110  # nobody tells of it
                await asyncio.sleep(0)
            assert value(metrics, "pool_connections", state="lent") == 1
        await waits
        assert (value(metrics, "pool_waiting"), value(metrics, "pool_wait_seconds_count")) == (0, 1)
        assert value(metrics, "pool_timeouts_total") == 0
        monkeypatch.setattr(Database, "_place_s", 0.01)
        async with database.connection():
            with pytest.raises(StorageUnavailable):
                await database.fetch(TIME)
        assert value(metrics, "pool_timeouts_total") == 1
        assert value(metrics, "query_errors_total", query="server.time") == 1
