"""This version serves while the next one's migrations run, wait, fail, and when they are done."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from tests.client import connected, started_match
from tests.conftest import Server, execute
from tests.upgrades.versions import command, next_version
from tests.web.duel import answering

PATIENCE_S = 60.0
QUESTIONS = 5
ADDED = "SELECT count(*) FROM pg_attribute WHERE attname IN ('moved_by', 'seen_by', 'mood')"


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version."""
    return next_version(tmp_path_factory.mktemp("versions") / "next")


@asynccontextmanager
async def migrating(version: Path, database_url: str) -> AsyncIterator[Process]:
    """Start the `pairquiz-server migrate` of a version; it is ended at the end, if it has not."""
    words: Sequence[str | Path] = (*command(version), "migrate")
    process = await asyncio.create_subprocess_exec(*words, env={"DATABASE_URL": database_url}, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def told(process: Process) -> tuple[int | None, str]:
    """What it has said, and its exit code."""
    async with asyncio.timeout(PATIENCE_S):
        out, errors = await process.communicate()
    return process.returncode, (out + errors).decode()


async def play(server: Server) -> None:
    """A whole duel, of which every answer is taken."""
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        for place in range(QUESTIONS):
            for player in (first, second):
                assert (await player.ask("submit_answer", answering(started, place)))["ok"]
        await first.event("quiz_results")


async def test_this_version_serves_while_the_next_ones_migration_waits_and_when_it_is_done(
    server: Server, newer: Path, database_url: str
) -> None:
    reader = await asyncpg.connect(database_url)
    await reader.execute("BEGIN")
    await reader.fetch("SELECT FROM pairquiz.matches")  # somebody's long query, which a migration has to wait for
    async with migrating(newer, database_url) as process:
        assert process.stderr is not None
        waits = await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)
        assert b"migration_waits" in waits, (waits, await told(process))
        await play(server)
        assert process.returncode is None
        await reader.execute("COMMIT")
        code, said = await told(process)
    await reader.close()
    assert (code, said.count("applied ")) == (0, 2), said
    await play(server)
    assert all((await server.running.health.checks()).values())


async def test_this_version_serves_when_the_next_ones_migration_fails(
    server: Server, newer: Path, database_url: str
) -> None:
    in_the_way = "CREATE INDEX matches_moved_by ON pairquiz.matches (id)"  # of the last statement
    await execute(database_url, in_the_way)
    async with migrating(newer, database_url) as process:
        code, said = await told(process)
    assert code == 1
    assert "next failed: relation" in said.splitlines()[-1]
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval(ADDED) == 0
    await connection.close()
    await play(server)
