import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.rules.commands import SubmitAnswer
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.migrations import Migration, MigrationError, migrate, read_migrations, status
from pairquiz_server.store.pool import Database
from pairquiz_server.store.ratings import RatingRows

SCHEMA = "SELECT to_regnamespace('pairquiz') IS NOT NULL"
TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = 'pairquiz'::regnamespace AND relkind = 'r'"


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Database]:
    async with open_database(config.load(environ={}), empty_database_url) as database:
        yield database


def made(number: int, sql: str) -> Migration:
    return Migration(number, f"made_{number}", sql, hashlib.sha256(sql.encode()).hexdigest())


FIRST = made(1, "CREATE TABLE pairquiz.first (id integer); INSERT INTO pairquiz.first VALUES (1), (2)")
SECOND = made(2, "ALTER TABLE pairquiz.first ADD COLUMN name text")


async def test_an_empty_database_gets_all_migrations_once(empty: Database) -> None:
    assert await migrate(empty) == read_migrations()
    assert await migrate(empty) == ()
    assert await empty.fetchval(TABLES) >= 9


async def test_only_what_is_new_is_applied(empty: Database) -> None:
    assert await migrate(empty, [FIRST]) == (FIRST,)
    assert await migrate(empty, [FIRST, SECOND]) == (SECOND,)
    assert await empty.fetchval("SELECT count(*) FROM pairquiz.first WHERE name IS NULL") == 2


async def test_what_matches_have_drawn_before_it_was_one_row_is_kept(empty: Database) -> None:
    await migrate(empty, read_migrations()[:5])
    async with empty.connection() as connection:
        await connection.execute("""
            INSERT INTO pairquiz.players VALUES ('anna', 'user', 'Anna', NULL, 1);
            INSERT INTO pairquiz.topics (name, key) VALUES ('T', 't');
            INSERT INTO pairquiz.questions (topic_id, text, text_digest, options, correct, difficulty)
            SELECT 1, 'Q' || n, sha256(n::text::bytea), '{a,b,c,d}', 3, 'easy' FROM generate_series(1, 12) AS n;
            INSERT INTO pairquiz.matches (
                id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus, join_code, player1_id,
                created_at, due_at)
            SELECT lpad(n::text, 32, '0')::uuid, 1, 'waiting', 1, 2, 30, 1, 1, 'CODE' || n, 'anna', 1, 1
            FROM generate_series(1, 3) AS n;
            INSERT INTO pairquiz.match_questions SELECT lpad('1', 32, '0')::uuid, 11 - n, n, '{3,1,0,2}'
            FROM generate_series(0, 11) AS n WHERE n > 0;
            INSERT INTO pairquiz.match_questions VALUES (lpad('2', 32, '0')::uuid, 0, 12, '{0,1,2,3}');
        """)
    await migrate(empty)
    matches = Matches(empty)
    ids = [str(UUID(int=number)) for number in (1, 2, 3)]
    found = await matches.load(ids)
    drawn = [[(question.id, question.option_order) for question in found[one].questions] for one in ids]
    assert drawn == [[(n, (3, 1, 0, 2)) for n in range(11, 0, -1)], [(12, (0, 1, 2, 3))], []]
    assert found[ids[0]].questions[0].options == ("d", "b", "a", "c")
    assert found[ids[0]].questions[0].correct == 0


async def test_matches_that_were_under_way_before_there_were_terms_go_on(empty: Database) -> None:
    await migrate(empty, read_migrations()[:6])
    async with empty.connection() as connection:
        await connection.execute("""
            INSERT INTO pairquiz.players VALUES ('anna', 'user', 'Anna', NULL, 1), ('ben', 'guest', 'Ben', NULL, 1);
            INSERT INTO pairquiz.topics (name, key) VALUES ('T', 't');
            INSERT INTO pairquiz.questions (topic_id, text, text_digest, options, correct, difficulty)
            SELECT 1, 'Q' || n, sha256(n::text::bytea), '{a,b,c,d}', 3, 'easy' FROM generate_series(1, 3) AS n;
            INSERT INTO pairquiz.matches (
                id, version, status, topic_id, question_count, time_limit_s, points, speed_bonus, join_code, player1_id,
                player2_id, created_at, due_at, joined_at, started_at, deadline_at, ended_at, end_reason)
            VALUES
                (lpad('1', 32, '0')::uuid, 2, 'ready', 1, 3, 30, 100, 50, 'CODE1', 'anna', 'ben', 1, 600001, 1,
                 NULL, NULL, NULL, NULL),
                (lpad('2', 32, '0')::uuid, 3, 'in_progress', 1, 3, 30, 100, 50, 'CODE2', 'anna', 'ben', 1, 90002, 1,
                 2, 90002, NULL, NULL),
                (lpad('3', 32, '0')::uuid, 4, 'completed', 1, 3, 30, 100, 50, 'CODE3', 'anna', 'ben', 1, 90002, 1,
                 2, 90002, 90003, 'deadline');
            INSERT INTO pairquiz.draws (match_id, question_ids, option_orders)
            SELECT lpad(n::text, 32, '0')::uuid, '{1,2,3}',
                '{{0,1,2,3},{0,1,2,3},{0,1,2,3}}' FROM generate_series(2, 3) AS n;
        """)
    await migrate(empty)
    matches = Matches(empty)
    ready, running, over = [await matches.load([str(UUID(int=number))]) for number in (1, 2, 3)]
    for match in (*ready.values(), *running.values(), *over.values()):
        assert (match.pace, match.origin, match.scoring) == (Pace.FREE, Origin.INVITATION, Scoring())
        assert (match.tick_at, match.reveals, match.ghost, match.wins) == (None, (), None, (0, 0))
    answer = SubmitAnswer(match_id=str(UUID(int=2)), player_id="anna", question_id=1, answer=3)
    (after,) = [decide(match, answer, 1_000).match for match in running.values()]
    assert after.seats[0].score == 100 + 50 * 89_002 // 90_000
    rows = RatingRows(empty)
    assert [(match.outcome(0), match.questions) for match in await rows.find(0, 9)] == [(Outcome.DRAW, (1, 2, 3))]


async def test_status_tells_what_is_pending_and_changes_nothing(empty: Database) -> None:
    assert {row.applied_at for row in await status(empty)} == {None}
    assert not await empty.fetchval(SCHEMA)
    await migrate(empty)
    rows = await status(empty)
    assert [(row.number, row.name) for row in rows] == [(one.number, one.name) for one in read_migrations()]
    assert all(row.applied_at for row in rows)


async def test_a_migration_that_was_changed_after_it_was_applied_stops_everything(empty: Database) -> None:
    await migrate(empty, [FIRST])
    with pytest.raises(MigrationError, match=r"^migration 0001 made_1 was changed after .* new migration$"):
        await migrate(empty, [replace(FIRST, checksum="another"), SECOND])
    assert await migrate(empty, [FIRST, SECOND]) == (SECOND,)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE pairquiz.second (id integer); SELECT FROM nothing", 'relation "nothing" does not exist'),
        ("CREATE TABLE pairquiz.second (id integer); CREATE TALBE x ()", 'syntax error at or near "TALBE"'),
        ("ALTER TABLE pairquiz.first ADD UNIQUE (id); INSERT INTO pairquiz.first VALUES (1)", "duplicate key"),
        ("SELECT 1 / 0", "division by zero"),
    ],
)
async def test_a_migration_that_fails_leaves_nothing_of_itself_and_of_those_before_it(
    empty: Database, sql: str, reason: str
) -> None:
    with pytest.raises(MigrationError, match=rf"^migration 0002 made_2 failed: [^\n]*{reason}[^\n]*$"):
        await migrate(empty, [FIRST, made(2, sql)])
    assert not await empty.fetchval(SCHEMA)
    assert await migrate(empty, [FIRST, SECOND]) == (FIRST, SECOND)


async def test_a_newer_servers_migration_is_left_alone(empty: Database) -> None:
    await migrate(empty, [FIRST, SECOND])
    assert await migrate(empty, [FIRST]) == ()
    assert await empty.fetchval("SELECT max(number) FROM pairquiz.schema_migrations") == 2


async def test_five_nodes_that_start_together_migrate_once(empty_database_url: str) -> None:
    settings = config.load(environ={})
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(open_database(settings, empty_database_url)) for _ in range(5)]
        applied = await asyncio.gather(*(migrate(node) for node in nodes))
    by_number = sorted((one for some in applied for one in some), key=lambda one: one.number)
    assert tuple(by_number) == read_migrations()


@pytest.fixture
async def as_reader(empty: Database, empty_database_url: str) -> AsyncIterator[Database]:
    """The empty database, as a role sees it that may make nothing."""
    name = await empty.fetchval("SELECT current_database()")
    await empty.fetch(f"CREATE ROLE {name}")
    await empty.fetch(f"ALTER DATABASE {name} SET role = {name}")
    async with open_database(config.load(environ={}), empty_database_url) as database:
        yield database


async def test_a_role_that_may_not_make_the_schema_is_told_so(as_reader: Database) -> None:
    with pytest.raises(
        MigrationError, match=r"^the schema pairquiz cannot be made: permission denied [^\n]*DATABASE_URL$"
    ):
        await migrate(as_reader)


async def test_a_role_without_rights_finds_a_migrated_database_complete(empty: Database, as_reader: Database) -> None:
    await migrate(empty, [FIRST])
    await empty.fetch("GRANT USAGE ON SCHEMA pairquiz TO PUBLIC")
    await empty.fetch("GRANT SELECT ON pairquiz.schema_migrations TO PUBLIC")
    assert await migrate(as_reader, [FIRST]) == ()
    with pytest.raises(MigrationError, match=r"^migration 0002 made_2 failed: must be owner of [^\n]*DATABASE_URL$"):
        await migrate(as_reader, [FIRST, SECOND])


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_twice.sql", "2_short.sql", "0002-hyphen.sql", "0002_.sql"])
def test_a_wrong_name_or_number_is_refused_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "0001_begin.sql").write_text("SELECT 1;")
    (tmp_path / name).write_text("SELECT 2;")
    (tmp_path / "README.md").write_text("No migration.")
    with pytest.raises(MigrationError, match=rf"^{name}: migrations are named NNNN_name\.sql and numbered"):
        read_migrations(tmp_path)


def test_a_checksum_is_the_same_whatever_ends_the_lines(tmp_path: Path) -> None:
    sums = []
    for ending in ("\n", "\r\n"):
        (tmp_path / "0001_begin.sql").write_bytes(f"SELECT 1;{ending}SELECT 2;{ending}".encode())
        (migration,) = read_migrations(tmp_path)
        sums.append(migration.checksum)
    assert sums[0] == sums[1]
