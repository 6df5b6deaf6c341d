"""Every query finds its rows by the index that was made for it, in tables that are large enough to matter."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pairquiz_server.store.connector import WRITER_SETTINGS
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.queries import load, sql_folder
from tests.conftest import copied, execute, sibling
from tests.store.duel import Board, save_all
from tests.store.numbered import Matches
from tests.store.plans import explained, indexes, query, tables_read_whole
from tests.store.played import FILL, ROWS

SAVES = {"save": 5, "save_answers": 2}
"""The statements of a batch, and how many tables each is given as JSON."""


@dataclass(frozen=True)
class Found:
    """How a query finds its rows: by these indexes at least, where it is run with these arguments.

    Topics are so few that reading them all may be cheaper than the index on their numbers.
    """

    indexes: set[str]
    arguments: tuple[Any, ...] = field(default=())


IDS = [str(UUID(int=number)) for number in (7, 70, 700)]
DIGESTS = [bytes(32), bytes(32)]
SEEKING = json.dumps([{"player_id": "player 7", "topic_id": 1}])
LOCK, NOON = 7, 1_700_000_000_000
BY_INDEX = {
    "census.matches": Found({"matches_due"}),
    "bans.ban": Found({"bans_pkey"}, (bytes(32), "player 1", None, None)),
    "bans.unban": Found({"bans_pkey"}, (bytes(32),)),
    "erasures.vacate": Found(
        {"matches_pkey", "matches_player1", "matches_player2", "rematches_pkey"}, ("player 7", "erased", 500)
    ),
    "erasures.unlink": Found({"feature_usage_player", "feature_usage_pkey"}, ("player 7", "erased", 500)),
    "erasures.unrate": Found(
        {"results_history", "results_pkey", "ratings_pkey", "week_points_player"}, ("player 7", "erased", 500)
    ),
    "erasures.finish": Found(
        {
            "matches_player1",
            "matches_player2",
            "feature_usage_player",
            "presence_pkey",
            "players_pkey",
            "bans_pkey",
            "seekers_pkey",
            "audit_subject",
        },
        ("player 7", bytes(32), 6.0),
    ),
    "ghosts.find_runs": Found(
        {
            "matches_runs",
            "matches_played1",
            "matches_played2",
            "players_pkey",
            "draws_pkey",
            "answers_pkey",
            "bans_player",
            "blocks_pkey",
        },
        ("player 7", 700, 5, 30, "free", "speed_bonus", 1500.0, 3),
    ),
    "ghosts.challenge": Found(
        {"players_pkey", "challenges_match_id_player_key"}, ("CODE", UUID(int=7), 1, "player 7", 100, None)
    ),
    "ghosts.find_challenge": Found(
        {"challenges_pkey", "players_pkey", "bans_player", "matches_challenged"}, ("CODE7", "player 8", 1)
    ),
    "matches.load": Found(
        {"matches_pkey", "players_pkey", "draws_pkey", "answers_pkey"},
        (IDS,),
    ),
    "matches.find_by_code": Found({"matches_waiting_code", "matches_player2"}, ("CODE1", "player 2")),
    "matches.find_before_creation": Found(
        {"matches_request", "matches_player1", "matches_player2", "seekers_pkey", "matches_pkey"},
        ("player 20", "request", 5),
    ),
    "matches.find_live_of": Found({"matches_player1", "matches_player2"}, (["player 1", "player 2"],)),
    "matches.find_unheard": Found(
        {"matches_player1", "matches_player2", "matches_pkey"},
        (["player 1", "player 2"], ["player 1", "player 2", "player 1"], IDS, [1, 1, 1]),
    ),
    "matches.find_due": Found({"matches_due"}, (ROWS // 2, 500)),
    "matches.next_due": Found({"matches_due"}, (ROWS // 2,)),
    "matches.find_ticks": Found({"matches_tick"}, (100, 500)),
    "matches.next_tick": Found({"matches_tick"}, (100,)),
    "matches.forget_requests": Found({"matches_request_age", "matches_pkey"}, (100, 10_000)),
    "nodes.beat": Found({"matches_due"}, (UUID(int=1), 10**6, 2000, None, True)),
    "ratings.find": Found({"matches_ended", "results_pkey", "players_pkey"}, (ROWS - 600, 500, 5)),
    "ratings.read": Found({"ratings_pkey"}, (["player 7", "player 8"], [0, 8])),
    "ratings.write": Found(
        {"players_pkey", "ratings_pkey", "week_points_pkey"},
        (UUID(int=1), 5.0, 1, ["player 7", "player 8"], "erased", "[]", "[]", "[]"),
    ),
    "results.ratings": Found({"ratings_pkey"}, ("player 7",)),
    "results.tally": Found({"results_tally"}, ("player 7",)),
    "results.against": Found({"results_tally"}, ("player 7", "player 8")),
    "results.page": Found({"results_history", "matches_pkey"}, ("player 7", ROWS, IDS[2], 21)),
    "results.person": Found({"players_pkey"}, ("player 7",)),
    "standings.topic": Found({"topics_key_key"}, ("topic 7",)),
    "standings.size": Found({"rank_counts_pkey"}, (0, 7)),
    "standings.ranks": Found({"rank_counts_pkey"}, (0, 0, [1500, 1600])),
    "standings.top_rated": Found({"ratings_board", "players_pkey"}, (0,)),
    "standings.top_of_week": Found({"week_points_board", "players_pkey"}, (2800, 0)),
    "standings.own_rating": Found({"ratings_pkey"}, ("player 7", 0)),
    "standings.own_points": Found({"week_points_pkey"}, ("player 7", 2800, 0)),
    "standings.around_rated": Found({"ratings_board", "players_pkey"}, ("player 7", 0, 1500)),
    "standings.around_of_week": Found({"week_points_board", "players_pkey"}, ("player 7", 0, 100, 2800)),
    "players.meet": Found({"players_pkey"}, (["player 7", "player 8"], NOON)),
    "players.change": Found({"players_pkey", "challenges_player"}, ("player 7", "user", "Name", 1, False, "Player")),
    "players.keep_unrecorded": Found(
        {"players_pkey", "matches_played1", "matches_played2", "matches_player1", "matches_player2", "draws_pkey"},
        ("player 7",),
    ),
    "players.export": Found(
        {
            *("players_pkey", "presence_pkey", "bans_pkey", "challenges_player", "seekers_pkey", "encounters_pkey"),
            *("blocks_pkey", "audit_subject"),
        },
        ("player 7", bytes(32)),
    ),
    "players.export_match_ids": Found({"matches_player1", "matches_player2"}, ("player 7",)),
    "players.export_matches": Found(
        {"matches_pkey", "draws_pkey", "answers_pkey", "rematches_pkey"}, ("player 7", IDS)
    ),
    "players.export_usage": Found({"feature_usage_player"}, ("player 7", 0, 100)),
    "presence.note": Found({"presence_pkey"}, (UUID(int=1), ["player 1"], [1], ["player 2"])),
    "presence.find_absent": Found({"presence_pkey"}, (["player 1", "player 2"],)),
    "presence.find_seats": Found({"matches_player1", "matches_player2"}, (["player 1", "player 2"],)),
    "presence.find_returned": Found({"matches_pkey", "presence_pkey"}, (IDS,)),
    "questions.find_topic": Found({"topics_key_key", "questions_active", "questions_retired"}, ("topic 7", 5)),
    "questions.read": Found({"questions_pkey"}, ([1, 2, 3],)),
    "questions.topic_ids": Found({"topics_key_key"}, (["topic 7", "topic 8"],)),
    "questions.find_active": Found({"questions_active", "questions_active_key"}, ([100, 101], DIGESTS, IDS)),
    "questions.retire": Found({"questions_pkey"}, ([1, 2, 3],)),
    "questions.add_topics": Found({"topics_key_key"}, (["topic 7"], ["Topic 7"])),
    "rematches.look": Found({"matches_pkey", "rematches_pkey", "matches_rematch"}, (IDS[0],)),
    "rematches.ask": Found({"rematches_pkey", "presence_pkey"}, (IDS[0], 1, NOON, "player 2", 0, 0)),
    "rematches.find_agreed": Found({"rematches_asked", "matches_rematch"}, (100, 120, 100)),
    "rematches.forget": Found({"rematches_asked", "rematches_pkey"}, (100, 1000)),
    "reports.note": Found({"players_pkey", "reports_pkey"}, ("player 7", 7, "other", None, NOON)),
    "seen.find_last": Found({"matches_played1", "matches_played2", "answers_pkey"}, (["player 7", "player 8"], 200)),
    "retention.forget_matches": Found(
        {"matches_ended", "matches_pkey", "draws_pkey", "answers_pkey"}, (LOCK, 7, "completed", 200)
    ),
    "retention.forget_usage": Found({"feature_usage_time", "feature_usage_pkey"}, (LOCK, 7, 1000)),
    "retention.forget_guests": Found({"players_guests", "presence_pkey", "matches_player1"}, (LOCK, 70, 20)),
    "retention.forget_challenges": Found({"challenges_expiry", "challenges_pkey"}, (LOCK, 70, 1000)),
    "retention.forget_bans": Found({"bans_until", "bans_pkey"}, (LOCK, 30, 1000)),
    "blocks.unblock": Found({"blocks_blocked"}, ("player 1", "player 2")),
    "seekers.enter": Found(
        {"matches_player1", "matches_player2", "ratings_pkey", "seekers_pkey"}, (UUID(int=1), NOON, SEEKING, 20)
    ),
    "seekers.cancel": Found({"seekers_pkey"}, ("player 7",)),
    "seekers.leave": Found({"seekers_pkey"}, (UUID(int=1), ["player 7", "player 8"])),
    "seekers.restore": Found({"seekers_pkey"}, (UUID(int=1), "[]")),
    "seekers.read_queue": Found(
        {"seekers_queue", "encounters_pkey", "blocks_pkey", "seekers_pkey"},
        (1, 5, 30, "free", "speed_bonus", 1500.0, "player 7", 500),
    ),
    "seekers.mark": Found(
        {"seekers_pkey", "blocks_blocked", "players_pkey"},
        (["player 7"], IDS[:1], ["player 8"], IDS[:1], IDS[:1], NOON),
    ),
    "seekers.claim": Found({"seekers_pkey", "players_pkey"}, ("player 7", IDS[0], IDS[1], NOON)),
    "seekers.finish": Found({"seekers_match", "seekers_pkey", "matches_pkey", "encounters_pkey"}, (IDS,)),
    "seekers.release": Found({"seekers_match", "seekers_pkey"}, (IDS, UUID(int=1), ["player 7"])),
    "seekers.find_standing": Found({"seekers_match", "matches_pkey"}, (IDS, [2] * len(IDS))),
    "seekers.find_unfinished": Found({"seekers_match", "matches_pkey", "players_pkey"}, (UUID(int=1), NOON)),
    "retention.forget_weeks": Found({"week_points_pkey", "rank_counts_pkey"}, (LOCK, 2700, 1000)),
    "retention.forget_audit": Found({"audit_at", "audit_pkey"}, (LOCK, 1, 1000)),
    "inspection.live": Found({"matches_due"}, (None, None, ROWS, IDS[2], 21)),
    "inspection.ended": Found({"matches_ended"}, ("completed", None, ROWS, IDS[2], 21)),
    "inspection.of_player": Found({"matches_player1", "matches_player2"}, (None, None, ROWS, IDS[2], 21, "player 7")),
    "inspection.listed": Found({"matches_pkey", "players_pkey"}, (IDS, [NOON] * len(IDS))),
    "inspection.version": Found({"matches_pkey"}, (IDS[0],)),
    "inspection.whereabouts": Found(
        {"presence_pkey", "matches_player1", "matches_player2", "ratings_pkey"}, (["player 7", "player 8"],)
    ),
    "audit.read": Found({"audit_pkey"}, (None, None, 50)),
    "usage.by_day": Found({"feature_usage_time"}, (100, 200)),
}
OTHERWISE = {
    "examination.applied": "reads all of a table that has a row for each migration",
    "examination.facts": "reads PostgreSQL's own tables",
    "examination.long_transactions": "reads PostgreSQL's own list of sessions",
    "examination.nodes": "nodes are a few, and the other tables have one row, or one for each shared value",
    "examination.nothing": "reads no table",
    "census.service": "counts the whole queue, every ten seconds while somebody asks: proved by a test of its own",
    "census.sessions": "reads PostgreSQL's own list of sessions",
    "vitals.tell": "inserts, or meets the row by its primary key; of nodes there are a few",
    "vitals.read": "reads all nodes, which are a few",
    "vitals.longest": "reads PostgreSQL's own list of sessions",
    "ratings.hold": "its table has one row",
    "bans.look": "proved by a test of its own, because what it finds depends on its argument",
    "blocks.block": "inserts, or meets the row by its primary key; of erasures there are a few",
    "seekers.leave_all": "takes what a whole node has, when it stops",
    "seekers.look": "counts the whole queue, every two seconds while somebody looks",
    "erasures.wish": "inserts, and looks for nothing",
    "erasures.pending": "its table has a row for each erasure that is not done, which are a few",
    "erasures.stand_in": "inserts, and looks for nothing",
    "reports.find": "reads all reports, for an operator and not for players",
    "players.find": "reads all players and bans, for an operator and not for players",
    "audit.note": "inserts, and looks for nothing",
    "maintenance.look": "its table has one row",
    "maintenance.begin": "its table has one row",
    "maintenance.finish": "its table has one row",
    "nodes.alive": "its table has one row",
    "nodes.alone": "reads PostgreSQL's own list of sessions",
    "matches.save": "proved by tests of its own, with the settings of the writer's connection",
    "matches.save_answers": "proved by the same tests",
    "presence.find_mistakes": "reads all live matches and all of presence, now and then: proved by a test of its own",
    "presence.find_unmarked": "looks at presence only where a node is silent: proved by a test of its own",
    "nodes.bury": "nodes are a few; it looks at presence only where one has died, and then at no small part of it",
    "nodes.read_clock": "its table has one row",
    "nodes.open_clock": "its table has one row",
    "pooling.session": "asks PostgreSQL for the session itself",
    "pooling.own": "asks PostgreSQL for the session itself",
    "nodes.enter": "inserts, and looks for nothing",
    "matches.resolve": "inserts, and meets the row by its primary key",
    "matches.register": "its table has a row for each node, which are a few",
    "questions.list_topics": "counts the questions of all topics, so it reads them all",
    "questions.export": "reads the whole bank, or a topic of it, for an operator and not for players",
    "questions.add": "inserts, and looks for nothing",
    "questions.lock_import": "reads no table",
    "migrations.lock": "reads no table",
    "migrations.prepare": "makes its table",
    "migrations.prepared": "reads no table",
    "migrations.applied": "reads all of a table that has a row for each migration",
    "migrations.record": "inserts, and looks for nothing",
    "migrations.bound": "reads no table",
    "migrations.holder": "looks at sessions and their locks, where a migration was kept waiting",
    "migrations.tables": "reads the catalogue, for an operator",
    "server.time": "reads no table",
    "server.durability": "reads no table",
    "server.get": "its table has a row for each shared value, which are a few",
    "server.put_first": "its table has a row for each shared value, which are a few",
}


async def explained_generic(connection: asyncpg.Connection, name: str) -> list[dict[str, Any]]:
    """All nodes of the plan that serves every argument."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE generic AS {query(name)}")
    nulls = ", ".join(["NULL"] * len(BY_INDEX[name].arguments))
    return await explained(connection, f"EXECUTE generic ({nulls})" if nulls else "EXECUTE generic")


@pytest.fixture(scope="module")
def filled(postgres: EmbeddedPostgres, template: str) -> str:
    """Where a database is that has seen much play."""

    async def fill() -> str:
        name = f"filled_{uuid4().hex}"
        await execute(postgres.dsn, copied(name, template))
        dsn = sibling(postgres.dsn, name)
        await execute(dsn, FILL)
        await execute(dsn, "VACUUM pairquiz.results")  # as autovacuum does: then an index alone tells what is there
        return dsn

    return asyncio.run(fill())


@pytest.fixture
async def connection(filled: str) -> AsyncIterator[asyncpg.Connection]:
    connected = await asyncpg.connect(filled)
    yield connected
    await connected.close()


@pytest.fixture
async def writer(filled: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the settings of the committer's."""
    connected = await asyncpg.connect(filled, server_settings=WRITER_SETTINGS)
    yield connected
    await connected.close()


def test_every_query_is_proved_or_has_a_reason() -> None:
    modules = [path.stem for path in (sql_folder() / "queries").glob("*.sql")]
    assert sorted([*BY_INDEX, *OTHERWISE]) == sorted(f"{module}.{name}" for module in modules for name in load(module))


@pytest.mark.parametrize("name", BY_INDEX)
async def test_a_query_finds_its_rows_by_index(connection: asyncpg.Connection, name: str) -> None:
    expected = BY_INDEX[name]
    for plan in (
        await explained(connection, query(name), *expected.arguments),
        await explained_generic(connection, name),
    ):
        assert tables_read_whole(plan) == set()
        assert indexes(plan) >= expected.indexes


async def test_due_matches_are_read_in_their_order_without_a_sort(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("matches.find_due"), ROWS, 500)
    assert "Sort" not in {node["Node Type"] for node in plan}


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("standings.top_rated", 1),
        ("standings.top_of_week", 1),
        ("standings.around_rated", 2),
        ("standings.around_of_week", 2),
        ("results.page", 1),
    ],
)
async def test_a_part_of_a_long_list_is_read_in_its_order_without_a_sort(
    connection: asyncpg.Connection, name: str, limits: int
) -> None:
    for plan in (
        await explained(connection, query(name), *BY_INDEX[name].arguments),
        await explained_generic(connection, name),
    ):
        read = [child["Node Type"] for node in plan if node["Node Type"] == "Limit" for child in node["Plans"]]
        assert len(read) == limits
        assert set(read) <= {"Index Scan", "Index Only Scan"}


async def test_the_end_of_a_long_history_is_found_as_fast_as_its_beginning(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("results.page"), "player 7", 1, IDS[2], 21)
    (page,) = [node for node in plan if node.get("Index Name") == "results_history"]
    assert "player_id = " in page["Index Cond"]
    assert "ROW(ended_at, match_id) < ROW(" in page["Index Cond"]
    assert "Filter" not in page


async def test_a_beat_locks_live_matches_in_the_order_of_their_ids(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("nodes.beat"), UUID(int=1), 10**6, 2000, None, True)
    (live,) = [node for node in plan if node.get("Subplan Name") == "CTE live"]
    (ordered,) = [node for node in live["Plans"] if node["Parent Relationship"] == "Outer"]
    assert (live["Node Type"], ordered["Node Type"], ordered["Sort Key"]) == ("LockRows", "Sort", ["matches.id"])


async def test_a_look_at_the_bans_reads_those_that_are_new(connection: asyncpg.Connection) -> None:
    seen = await connection.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    plan = await explained(connection, query("bans.look"), seen)
    assert "bans" not in tables_read_whole(plan)
    assert "bans_written" in indexes(plan)


async def test_a_census_reads_no_match_that_is_over_but_the_first_that_is_not_rated(
    connection: asyncpg.Connection,
) -> None:
    plan = await explained(connection, query("census.service"), 5000)
    assert tables_read_whole(plan) <= {"seekers"}
    assert "matches_ended" in indexes(plan)
    assert not [node for node in plan if node["Node Type"] == "Sort"]


async def test_mistakes_are_looked_for_among_live_matches_alone(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("presence.find_mistakes"), 1000)
    assert tables_read_whole(plan) <= {"presence"}
    assert indexes(plan) & {"matches_due", "matches_player1", "matches_player2"}


async def test_matches_of_a_silent_nodes_players_are_found_by_index(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("presence.find_unmarked"), 5000)
    assert tables_read_whole(plan) <= {"presence"}
    assert indexes(plan) >= {"matches_player1", "matches_player2"}


async def test_draws_are_locked_in_the_order_of_their_matches(connection: asyncpg.Connection) -> None:
    plan = await explained(connection, query("players.keep_unrecorded"), "player 7")
    (locked,) = [node for node in plan if node.get("Subplan Name") == "CTE locked"]
    (ordered,) = [node for node in locked["Plans"] if node["Parent Relationship"] == "Outer"]
    assert (locked["Node Type"], ordered["Node Type"], ordered["Sort Key"]) == ("LockRows", "Sort", ["d_1.match_id"])


@pytest.mark.parametrize("name", ["find_live_of", "find_unheard", "find_before_creation", "find_by_code"])
async def test_no_walk_over_live_matches_looks_cheap_where_few_are_known(
    connection: asyncpg.Connection, name: str
) -> None:
    arguments = BY_INDEX[f"matches.{name}"].arguments
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("DELETE FROM pairquiz.matches WHERE ended_at IS NULL")
    await connection.execute("ANALYZE pairquiz.matches")
    plan = await explained(connection, query(f"matches.{name}"), *arguments)
    await transaction.rollback()
    scans = {node["Index Name"]: node.get("Index Cond", "") for node in plan if "Index Name" in node}
    assert scans.keys() <= BY_INDEX[f"matches.{name}"].indexes
    assert all("id = " in condition or "join_code = " in condition for condition in scans.values())


async def _explained_save(connection: asyncpg.Connection, name: str) -> list[dict[str, Any]]:
    types, values = ", json" * SAVES[name], ", '[]'" * SAVES[name]
    await connection.execute(f"PREPARE save (uuid, bigint{types}) AS {query(f'matches.{name}')}")
    return await explained(connection, f"EXECUTE save ('{UUID(int=1)}', 1{values})")


def _join_of_matches(plan: list[dict[str, Any]]) -> dict[str, Any]:
    """The join below the update of matches, which nothing but the fence stands before."""
    (update,) = [node for node in plan if node.get("Operation") == "Update" and node["Relation Name"] == "matches"]
    _, filtered = update["Plans"]
    assert (filtered["Node Type"], len(filtered["Plans"])) == ("Result", 1)
    join: dict[str, Any] = filtered["Plans"][0]
    return join


@pytest.mark.parametrize("name", SAVES)
async def test_a_save_locks_its_node_before_any_match(writer: asyncpg.Connection, name: str) -> None:
    plan = await _explained_save(writer, name)
    (fence,) = [node for node in plan if node.get("Subplan Name") == "CTE fence"]
    (row,) = fence["Plans"]
    assert (fence["Node Type"], row["Index Name"]) == ("LockRows", "batches_pkey")
    for change in [node for node in plan if node.get("Relation Name") == "matches" and "Operation" in node]:
        asked_first, then = change["Plans"]
        assert (asked_first["Parent Relationship"], asked_first["CTE Name"]) == ("InitPlan", "fence")
        assert then["One-Time Filter"] == f"({asked_first['Subplan Name']}).col1"


@pytest.mark.parametrize("name", SAVES)
async def test_a_save_visits_matches_in_the_order_of_its_parameter(writer: asyncpg.Connection, name: str) -> None:
    plan = await _explained_save(writer, name)
    join = _join_of_matches(plan)
    outer, inner = join["Plans"]
    assert join["Node Type"] == "Nested Loop"
    assert (outer["Node Type"], outer["CTE Name"]) == ("CTE Scan", "change")
    assert (inner["Node Type"], inner["Index Name"]) == ("Index Scan", "matches_pkey")
    assert inner["Index Cond"] == f"(id = {outer['Alias']}.id)"
    (change,) = [node for node in plan if node.get("Subplan Name") == "CTE change"]
    assert change["Node Type"] == "Function Scan"
    assert tables_read_whole(plan) == set()


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("rows", [0, 1, 10])
async def test_a_save_that_was_planned_on_a_small_table_visits_matches_by_id_too(
    database_url: str, matches: Matches, board: Board, rows: int, name: str
) -> None:
    for _ in range(rows):
        await save_all(matches, board.running())
    small = await asyncpg.connect(database_url, server_settings=WRITER_SETTINGS)
    try:
        await small.execute("ANALYZE pairquiz.matches")
        plan = await _explained_save(small, name)
    finally:
        await small.close()
    join = _join_of_matches(plan)
    outer = join["Plans"][0]
    assert join["Node Type"] == "Nested Loop"
    if outer["Node Type"] != "CTE Scan":
        assert (outer["Index Name"], outer["Scan Direction"]) == ("matches_pkey", "Forward")


@pytest.mark.parametrize("name", SAVES)
async def test_a_save_looks_for_what_is_stuck_without_joins(writer: asyncpg.Connection, name: str) -> None:
    plan = await _explained_save(writer, name)
    joins = [node for node in plan if "Join Type" in node]
    assert len(joins) == 1, "only the update joins: what costs rows times matches grows with the square of a batch"
