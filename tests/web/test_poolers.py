"""Whole duels behind PgBouncer, in the modes in which it can be played."""

import asyncio
import os
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from pairquiz_server.store.pool import Database
from pairquiz_server.store.pooling import Pooling
from tests.acceptance.server import serving as live
from tests.client import Client, connected, started_match
from tests.conftest import Server, serving
from tests.pgbouncer import pgbouncer
from tests.store.processes import open_folder
from tests.web.duel import answering

PAIRS = 6
PAGE = Path(__file__).parents[2] / "docs" / "databases.md"
PATIENCE_S = 30.0
OF_A_PLACE = ("listen_addr", "listen_port", "auth_type", "auth_file")
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


async def until_answered(player: Client, command: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Send a command again until it is not refused as one that may succeed later."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await player.ask(command, payload)
            if answer["ok"] or not answer["error"]["retry"]:
                return answer
            await asyncio.sleep(0.05)


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


async def test_what_the_page_has_its_reader_write_works(database_url: str) -> None:
    shown = ConfigParser()
    shown.read_string(PAGE.read_text(encoding="utf-8").split("```ini\n")[1].split("```")[0])
    settings = {name: value for name, value in shown["pgbouncer"].items() if name not in OF_A_PLACE}
    assert settings.keys() == {"pool_mode", "default_pool_size", "max_client_conn"}
    mode = settings.pop("pool_mode")
    with open_folder() as folder, pgbouncer(folder, database_url, mode, **settings) as pooler:
        async with serving(pooler.url, {"DATABASE_URL": pooler.url}) as server:
            await play_many(server)


async def test_duels_go_on_after_the_pooler_was_killed(database_url: str) -> None:
    with open_folder() as folder, pgbouncer(folder, database_url) as pooler:
        async with (
            serving(pooler.url, {"DATABASE_URL": pooler.url}) as server,
            connected(server.url) as first,
            connected(server.url) as second,
        ):
            started = await started_match(first, second, question_count=3)
            assert (await first.ask("submit_answer", answering(started)))["ok"]
            pooler.kill()
            refused = await first.ask("submit_answer", answering(started, 1))
            assert (refused["error"]["code"], refused["error"]["retry"]) == ("storage_unavailable", True)
            pooler.start()
            assert (await until_answered(first, "submit_answer", answering(started, 1)))["ok"]
            for place in range(3):
                for player in (first, second):
                    await until_answered(player, "submit_answer", answering(started, place))
            results = [await player.event("quiz_results") for player in (first, second)]
            assert results[0]["your_score"] == results[1]["opponent_score"]


async def test_duels_go_on_after_the_server_was_killed(database_url: str, tmp_path: Path) -> None:
    with open_folder() as folder, pgbouncer(folder, database_url, default_pool_size=2) as pooler:
        async with live(pooler.url, tmp_path / "log") as server:
            assert "pooler_found" in server.log
            async with connected(server.url) as first, connected(server.url) as second:
                started = await started_match(first, second, question_count=2)
                assert (await first.ask("submit_answer", answering(started)))["ok"]
                await server.kill()
            await server.start()
            async with (
                connected(server.url, token=first.token) as first,
                connected(server.url, token=second.token) as second,
            ):
                state = await first.event("quiz_state")
                assert len(state["your_answers"]) == 1
                for place in range(2):
                    for player in (first, second):
                        await player.ask("submit_answer", answering(started, place))
                results = [await player.event("quiz_results") for player in (first, second)]
                assert results[0]["your_score"] == results[1]["opponent_score"]
