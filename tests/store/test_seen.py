"""The last answers of players: those that a look at all of their answers finds, without that look."""

import json
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from pairquiz_server.store import seen as store_seen
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.seen import SeenRows
from tests.conftest import execute

ALL = """
    SELECT a.question_id, a.arrived_at
    FROM pairquiz.matches AS m JOIN pairquiz.answers AS a
      ON a.match_id = m.id AND CASE a.player WHEN 1 THEN m.player1_id ELSE m.player2_id END = $1
    ORDER BY a.arrived_at DESC LIMIT $2
"""


async def fill(database: Database, seed: int) -> None:
    """Let Ann, Ben and Cy play matches that overlap in all ways: some end long after their last answer, some run."""
    chance = Random(seed)
    await database.write(
        "INSERT INTO pairquiz.players (id, kind, display_name, created_at)"
        " SELECT unnest($1::text[]), 'user', 'Player', 1",
        ["ann", "ben", "cy"],
    )
    topic = await database.fetchval("SELECT min(id) FROM pairquiz.topics")
    times = iter(chance.sample(range(1_000, 100_000), 2_000))
    for number in range(1, 41):
        first, second = chance.sample(["ann", "ben", "cy"], 2)
        began, span = chance.randrange(1_000, 60_000), chance.choice([50, 500, 5_000, 30_000])
        answers = [
            (player, ordinal, chance.randrange(1, 60), at)
            for player in (1, 2)
            for ordinal, at in enumerate(
                sorted(at for at in (next(times) for _ in range(chance.randrange(8))) if began <= at <= began + span), 1
            )
        ]
        ended = None if number % 10 == 0 else began + span + chance.choice([0, 0, 20_000])
        await database.write(
            """
            INSERT INTO pairquiz.matches (id, version, status, topic_id, question_count, time_limit_s, points,
                speed_bonus, join_code, player1_id, player2_id, created_at, due_at, started_at, deadline_at, ended_at)
            VALUES ($1, 1, $2::text::pairquiz.match_status, $3, 5, 30, 100, 50, '', $4, $5, $6, $6, $6, $6, $7)
            """,
            UUID(int=number), "in_progress" if ended is None else "completed", topic, first, second, began, ended,
        )  # fmt: skip
        for player, ordinal, question, at in answers:
            await database.write(
                "INSERT INTO pairquiz.answers VALUES ($1, $2, $3, $4, 0, true, 100, 0, $5, $5, 0)"
                " ON CONFLICT DO NOTHING",
                UUID(int=number), player, ordinal, question, at,
            )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_the_last_answers_are_those_of_all_matches_however_they_overlap(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await fill(database, seed)
    for most in (1, 3, 10, 30, 200):
        monkeypatch.setattr(store_seen, "SEEN_ANSWERS", most)
        found = await SeenRows(database).find_last(["ann", "ben", "cy", "nobody"])
        for player in ("ann", "ben", "cy", "nobody"):
            rows = await database.fetch(ALL, player, most)
            assert list(found[player].answers) == [(row["question_id"], row["arrived_at"]) for row in rows][::-1]
        running = await database.fetch("SELECT player1_id, player2_id FROM pairquiz.matches WHERE ended_at IS NULL")
        players = {name for row in running for name in row}
        assert {player for player, last in found.items() if last.playing} == players


async def test_a_player_of_very_many_matches_costs_as_much_as_one_of_some(database_url: str) -> None:
    await execute(
        database_url,
        """
        INSERT INTO pairquiz.players (id, kind, display_name, created_at)
        SELECT 'player ' || n, 'user', 'Player', n FROM generate_series(0, 10) AS n;
        INSERT INTO pairquiz.matches (id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus,
            join_code, player1_id, player2_id, created_at, due_at, started_at, deadline_at, ended_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, 1, 'completed', (SELECT min(id) FROM pairquiz.topics), 5, 30, 100, 50,
            '', CASE WHEN n % 2 = 0 THEN 'player 0' ELSE 'player ' || n % 9 + 1 END,
            CASE WHEN n % 2 = 0 THEN 'player ' || n % 9 + 1 ELSE 'player 0' END, n * 10, n * 10, n * 10, n * 10,
            n * 10 + 9
        FROM generate_series(1, 5000) AS n;
        INSERT INTO pairquiz.answers
        SELECT m.id, player, place, place, 0, true, 100, 0, m.started_at + place, 1, 0
        FROM pairquiz.matches AS m, generate_series(1, 2) AS player, generate_series(1, 5) AS place;
        ANALYZE;
        """,
    )
    connection = await asyncpg.connect(database_url)
    try:
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET plan_cache_mode = {mode}")
            await connection.execute(f"PREPARE {mode} AS {load('seen')['find_last']}")
            told = await connection.fetchval(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {mode} (ARRAY['player 0', 'player 1'], 200)"
            )
            whole = json.loads(told)[0]["Plan"]
            assert rows_read(whole) < 2_000, "of 50,000 answers and 5,000 matches"
    finally:
        await connection.close()


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows all scans of tables and indexes came upon."""
    own = 0
    if "Relation Name" in plan:
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(rows_read(child) for child in plan.get("Plans", ()))
