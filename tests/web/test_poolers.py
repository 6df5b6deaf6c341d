"""Whole duels behind PgBouncer, in the modes in which it can be played."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from pairquiz_server.store.pool import Database
from pairquiz_server.store.pooling import Pooling
from tests.client import Client, connected, started_match
from tests.conftest import Server, serving
from tests.pgbouncer import PgBouncer, pgbouncer
from tests.store.processes import open_folder
from tests.web.duel import answering

PAIRS = 6
OWN = "127.{}.{}.{}".format(*os.getpid().to_bytes(4)[1:])
MODES = {
    "transaction, one session": ("transaction", {"default_pool_size": 1}, Pooling.TRANSACTION),
    "transaction, two in turns": (
        "transaction",
        {"default_pool_size": 2, "server_round_robin": 1},
        Pooling.TRANSACTION,
    ),
    # An address of this process's own, where that port is free.
    "transaction, Supabase's port": ("transaction", {"listen_port": 6543, "listen_addr": OWN}, Pooling.TRANSACTION),
    "session": ("session", {}, Pooling.SESSION),
}


async def play(first: Client, second: Client) -> list[dict[str, Any]]:
    """Play a match until its results, and return what each player hears of it."""
    started = await started_match(first, second)
    for place in range(len(started["questions"])):
        for player in (first, second):
            answer = await player.ask("submit_answer", answering(started, place))
            assert answer["ok"], answer
    return [await player.event("quiz_results") for player in (first, second)]


async def play_many(server: Server, pairs: int = PAIRS) -> None:
    async def pair() -> None:
        async with connected(server.url) as first, connected(server.url) as second:
            results = await play(first, second)
            assert results[0]["your_score"] == results[1]["opponent_score"]

    await asyncio.gather(*(pair() for _ in range(pairs)))


@pytest.mark.parametrize(("mode", "settings", "found"), MODES.values(), ids=MODES)
async def test_duels_are_played_to_their_end(
    database_url: str, database: Database, mode: str, settings: dict[str, object], found: Pooling
) -> None:
    with open_folder() as folder, pgbouncer(folder, database_url, mode, **settings) as pooler:
        async with serving(pooler.url, {"DATABASE_URL": pooler.url}) as server:
            assert server.running.database.pooling is found
            await play_many(server)
            assert (await server.running.health.checks()).items() >= {"database": True, "durability": True}.items()
    counted = "SELECT count(*) FROM pairquiz.matches WHERE status = 'completed'"
    assert await database.fetchval(counted) == PAIRS
