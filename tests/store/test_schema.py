import re
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

import asyncpg
import pytest

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import Outcome, Status
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.reporting import ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.migrations import read_migrations
from pairquiz_server.store.pool import Database
from tests.store.duel import Board, save_all

FEATURES = ("created", "joined", "started", "completed", "abandoned", "paired")
ENUMS: dict[str, Sequence[str] | type[StrEnum]] = {
    "player_kind": PlayerKind,
    "match_status": Status,
    "end_reason": [reason for reason in EndReason if reason is not EndReason.OPERATOR],  # that has a column
    "absence_cause": Cause,
    "difficulty": Difficulty,
    "feature": FEATURES,
    "pace": Pace,
    "scoring": ScoringProfile,
    "origin": Origin,
    "outcome": Outcome,
    "report_reason": ReportReason,
}
IMPOSSIBLE = (
    "UPDATE pairquiz.matches SET player2_id = player1_id",
    "UPDATE pairquiz.matches SET player2_id = 'nobody'",
    "UPDATE pairquiz.matches SET topic_id = 0",
    "UPDATE pairquiz.matches SET question_count = 0",
    "UPDATE pairquiz.matches SET time_limit_s = 4",
    "UPDATE pairquiz.matches SET ended_at = NULL",
    "UPDATE pairquiz.matches SET status = 'in_progress'",
    "UPDATE pairquiz.matches SET deadline_at = NULL",
    "UPDATE pairquiz.matches SET forfeited_by = 0",
    "UPDATE pairquiz.matches SET ghost_player = 1",
    "UPDATE pairquiz.matches SET ghost_match_id = id, ghost_player = 3",
    "UPDATE pairquiz.matches SET player1_absent_since = 1",
    "UPDATE pairquiz.matches SET player2_absence_cause = 'closed'",
    "UPDATE pairquiz.matches SET player1_away_ms = NULL",
    "INSERT INTO pairquiz.heartbeat VALUES (true, 1, 1), (true, 1, 1)",
    "INSERT INTO pairquiz.heartbeat VALUES (false, 1, 1)",
    "INSERT INTO pairquiz.presence VALUES ('anna', gen_random_uuid())",
    "UPDATE pairquiz.answers SET player = 0",
    "UPDATE pairquiz.answers SET chosen = 4",
    "UPDATE pairquiz.answers SET ordinal = 0",
    "UPDATE pairquiz.answers SET question_id = 1",
    "UPDATE pairquiz.draws SET question_ids = question_ids[2:]",
    "UPDATE pairquiz.draws SET option_orders = '{0,1,2}'",
    "INSERT INTO pairquiz.reports SELECT 'nobody', min(id), 'other', NULL, 1 FROM pairquiz.questions",
    "INSERT INTO pairquiz.reports SELECT min(id), 0, 'other', NULL, 1 FROM pairquiz.players",
    "INSERT INTO pairquiz.reports SELECT p, q, 'other', '', 1 FROM (SELECT min(id) FROM pairquiz.players) AS a (p), "
    "(SELECT min(id) FROM pairquiz.questions) AS b (q)",
    "UPDATE pairquiz.questions SET correct = 4",
    "UPDATE pairquiz.questions SET options = options[1:3]",
    "UPDATE pairquiz.questions SET text_digest = ''",
    "UPDATE pairquiz.players SET id = ''",
    "UPDATE pairquiz.topics SET key = 'same'",
    "DELETE FROM pairquiz.questions",
    "INSERT INTO pairquiz.results SELECT id, 3, 'a', 'b', NULL, 1, 'won', 1, 0 FROM pairquiz.matches",
    "INSERT INTO pairquiz.results SELECT id, 1, 'a', 'a', NULL, 1, 'won', 1, 0 FROM pairquiz.matches",
    "INSERT INTO pairquiz.results SELECT id, 1, 'a', NULL, NULL, 1, 'won', 1, 0 FROM pairquiz.matches",
    "INSERT INTO pairquiz.results SELECT id, 1, 'a', 'b', NULL, 1, 'won', 1, 1 FROM pairquiz.matches",
    "INSERT INTO pairquiz.results SELECT gen_random_uuid(), 1, 'a', 'b', NULL, 1, 'won', 1, 0",
    "INSERT INTO pairquiz.ratings VALUES ('nobody', 0, 1500, 90, 0.06, 1, 1)",
    "INSERT INTO pairquiz.week_points VALUES (0, 0, 'a', 1, 1)",
    "INSERT INTO pairquiz.rating_progress VALUES (true, 1, NULL, now())",
    "INSERT INTO pairquiz.rank_counts VALUES (0, 0, 1, -1)",
)
SCHEMA = "".join(migration.sql for migration in read_migrations())
OURS = "'pairquiz'::regnamespace"


async def column(database: Database, query: str) -> list[str]:
    return [str(row[0]) for row in await database.fetch(query)]


async def test_every_table_and_column_has_a_comment(database: Database) -> None:
    tables = f"SELECT oid, relname FROM pg_class WHERE relnamespace = {OURS} AND relkind IN ('r', 'p', 'v', 'm', 'f')"
    assert len(await database.fetch(tables)) >= 9
    assert await column(database, f"SELECT relname FROM ({tables}) AS t WHERE obj_description(oid) IS NULL") == []
    bare = f"""
        SELECT relname || '.' || attname FROM ({tables}) AS t JOIN pg_attribute ON attrelid = oid
        WHERE attnum > 0 AND NOT attisdropped AND coalesce(col_description(oid, attnum), '') = ''
    """
    assert await column(database, bare) == []


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_an_enum_is_explained_where_it_is_made(name: str) -> None:
    made = re.search(rf"CREATE TYPE pairquiz\.{name} AS ENUM \((.*?)\n\);", SCHEMA, re.DOTALL)
    assert made is not None
    lines = made[1].strip().splitlines()
    added = re.findall(rf"ALTER TYPE pairquiz\.{name} ADD VALUE ('\w+'); *(--.*)", SCHEMA)
    lines += [" ".join(one) for one in added]
    assert len(lines) == len(list(ENUMS[name]))
    for line in lines:
        assert re.fullmatch(r"\s*'\w+',? *-- \S.*", line), line


async def test_enums_have_the_values_of_the_rules_in_their_order(database: Database) -> None:
    types = await column(database, f"SELECT typname FROM pg_type WHERE typnamespace = {OURS} AND typtype = 'e'")
    assert sorted(types) == sorted(ENUMS)
    for name, values in ENUMS.items():
        assert await column(database, f"SELECT unnest(enum_range(NULL::pairquiz.{name}))::text") == list(values)


async def test_nothing_lies_in_public(database: Database) -> None:
    for catalog, prefix in (("pg_class", "rel"), ("pg_type", "typ"), ("pg_proc", "pro")):
        query = f"SELECT {prefix}name FROM {catalog} WHERE {prefix}namespace = 'public'::regnamespace"
        assert await column(database, query) == []


async def test_there_are_no_foreign_tables_or_extensions(database: Database) -> None:
    assert await column(database, "SELECT relname FROM pg_class WHERE relkind = 'f'") == []
    assert await column(database, "SELECT extname FROM pg_extension") == ["plpgsql"]


async def test_others_have_no_rights_in_the_schema(database: Database) -> None:
    assert not await database.fetchval(f"SELECT has_schema_privilege('public', {OURS}, 'usage')")


async def test_the_schema_refuses_what_cannot_be(database: Database, matches: Matches, board: Board) -> None:
    await save_all(matches, board.completed_match())
    accepted = []
    for statement in IMPOSSIBLE:
        with suppress(asyncpg.IntegrityConstraintViolationError):
            await database.fetch(statement)
            accepted.append(statement)
    assert accepted == []
