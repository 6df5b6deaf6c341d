"""Waiting for what other sessions do."""

import asyncio

import pytest

from pairquiz_server.store.pool import Database


async def backends(database: Database, condition: str) -> list[int]:
    """The process ids of this database's sessions of which a condition on pg_stat_activity is true."""
    here = "datname = current_database() AND pid <> pg_backend_pid()"
    rows = await database.fetch(f"SELECT pid FROM pg_stat_activity WHERE {here} AND {condition}")
    return [row["pid"] for row in rows]


async def until_waiting(database: Database, condition: str, work: asyncio.Task[object]) -> None:
    """Return when a session waits as told, or fail with the work that was to make it wait."""
    while not await backends(database, condition):
        if work.done():
            await work
            pytest.fail("nothing had to wait")
