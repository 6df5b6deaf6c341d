"""Every command that uses the database, behind a PgBouncer in transaction mode that has one session."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.cli.conftest import Invoke
from tests.pgbouncer import PgBouncer, pgbouncer
from tests.store.processes import open_folder

QUESTION = [{"category": "Poolers", "question": "Which?", "correct_answer": "a", "incorrect_answers": ["b", "c", "d"]}]


@pytest.fixture
def pooler(empty_database_url: str) -> Iterator[PgBouncer]:
    with open_folder() as folder, pgbouncer(folder, empty_database_url, default_pool_size=1) as started:
        yield started


async def _enter(url: str) -> str:
    """Let there be a player."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO pairquiz.players (id, kind, display_name, created_at) VALUES ('ada', 'user', 'Ada', 0)"
    )
    await connection.close()
    return "ada"


def test_every_command_works(invoke: Invoke, pooler: PgBouncer, empty_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "questions.json"
    file.write_text(json.dumps(QUESTION))

    def run(*words: str | Path) -> str:
        result = invoke(*words, DATABASE_URL=pooler.url)
        assert result.exit_code == 0, (words, result.stderr)
        return result.stdout

    assert "pending" in run("migrate", "status")
    assert "applied 0001" in run("migrate")
    assert "nothing to do" in run("migrate")
    assert "pending" not in run("migrate", "status")
    run("questions", "import", file)
    assert "Poolers" in run("questions", "list")
    assert "Which?" in run("questions", "export", "--topic", "Poolers")
    run("questions", "reported")
    assert run("token")
    player = asyncio.run(_enter(empty_database_url))
    assert player in run("players", "find", player)
    for command in ("ban", "unban"):
        assert player in run("players", command, player)
    assert player in run("players", "export", player)
    run("players", "erase", player, "--yes")
    run("usage")
