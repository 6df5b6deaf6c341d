"""The two statements that write a batch are one rule: what both can write, both write alike."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.store.connector import WRITER_SETTINGS
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.rows import Batch, Change, batch
from tests.store.deadlocks import deadlocks
from tests.store.duel import NOW, Board, answered, completed, left, merged, save_all
from tests.store.numbered import Matches
from tests.store.waiting import until_waiting

QUERIES = load("matches")
SAVES = ("save", "save_answers")


class Left(Struct, frozen=True):
    """What a statement has returned, and what there is after it."""

    returned: list[str | None]
    matches: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    batches: list[dict[str, Any]]

    @property
    def versions(self) -> dict[str, int]:
        return {str(row["id"]): row["version"] for row in self.matches}


class Written:
    """Batches written by either statement, each from the same state of the database."""

    def __init__(self, connection: asyncpg.Connection, matches: Matches) -> None:
        self._connection = connection
        self._matches = matches

    async def alike(self, changes: list[Change], number: int | None = None) -> Left:
        """What both statements leave behind of a batch of answers. Fails where one differs from the other."""
        number = self._matches.number + 1 if number is None else number
        first, second = [await self._by(name, changes, number) for name in SAVES]
        assert first == second
        return first

    async def _by(self, name: str, changes: list[Change], number: int) -> Left:
        rows = batch(changes)
        assert rows.answers_alone
        rows.answers_alone = name == "save_answers"
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            told = await self._connection.fetch(QUERIES[name], self._matches.node, number, *rows.parameters())
            return Left(
                [None if row["id"] is None else str(row["id"]) for row in told],
                await self._rows("SELECT * FROM pairquiz.matches ORDER BY id"),
                await self._rows("SELECT * FROM pairquiz.answers ORDER BY match_id, player, ordinal"),
                await self._rows("SELECT node_id, number, closed, stuck FROM pairquiz.batches ORDER BY node_id"),
            )
        finally:
            await transaction.rollback()

    async def _rows(self, query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in await self._connection.fetch(query)]


@pytest.fixture
async def written(database_url: str, matches: Matches) -> AsyncIterator[Written]:
    connection = await asyncpg.connect(database_url, server_settings=WRITER_SETTINGS)
    yield Written(connection, matches)
    await connection.close()


async def test_matches_move_and_their_answers_are_added(written: Written, matches: Matches, board: Board) -> None:
    running = [await save_all(matches, board.running()) for _ in range(3)]
    first = [answered(match, 0, 0, choice=match.questions[0].correct) for match in running]
    more = answered(first[0].match, 1, 2, at=NOW + 700)
    after = await written.alike([merged([first[0], more]), *first[1:]])
    assert after.returned == []
    assert after.versions == {match.id: match.version for match in (more.match, first[1].match, first[2].match)}
    assert len(after.answers) == 4
    assert after.batches == [{"node_id": matches.node, "number": 10, "closed": 10, "stuck": []}]


async def test_a_match_that_another_node_was_faster_with_is_told_and_nothing_of_it_is_written(
    written: Written, matches: Matches, other_database: Database, board: Board
) -> None:
    overtaken, free, unknown = [await save_all(matches, board.running()) for _ in range(3)]
    other = Matches(other_database)
    faster = await save_all(other, [answered(overtaken, 0, 0)])
    unknown = replace(unknown, id=str(uuid4()))
    moved = answered(free, 1, 0)
    after = await written.alike([answered(overtaken, 1, 0), moved, answered(unknown, 1, 0)])
    assert set(after.returned) == {overtaken.id, unknown.id}
    assert len(after.returned) == 2
    assert after.versions[overtaken.id] == faster.version
    assert after.versions[free.id] == moved.match.version
    assert {(str(row["match_id"]), row["player"]) for row in after.answers} == {(overtaken.id, 1), (free.id, 2)}
    (kept,) = [row for row in after.batches if row["node_id"] == matches.node]
    assert set(map(str, kept["stuck"])) == {overtaken.id, unknown.id}


@pytest.mark.parametrize("closed", [0, 3])
async def test_nothing_is_written_where_the_number_is_closed(
    written: Written, matches: Matches, board: Board, closed: int
) -> None:
    match = await save_all(matches, board.running())
    assert await matches.resolve(matches.node, matches.number + closed) in (None, frozenset())
    after = await written.alike([answered(match, 0, 0)], matches.number + closed)
    assert set(after.returned) == {match.id, None}
    assert after.versions == {match.id: match.version}
    assert after.answers == []
    assert [(row["number"], row["closed"]) for row in after.batches] == [(3, 3 + closed)]


async def test_nothing_is_written_where_the_node_is_not_known(
    written: Written, matches: Matches, database: Database, board: Board
) -> None:
    match = await save_all(matches, board.running())
    await database.write("DELETE FROM pairquiz.batches")
    after = await written.alike([answered(match, 0, 0)])
    assert set(after.returned) == {match.id, None}
    assert after.versions == {match.id: match.version}
    assert after.answers == after.batches == []


async def test_a_batch_of_nothing_is_numbered(written: Written, matches: Matches, board: Board) -> None:
    await save_all(matches, board.running())
    after = await written.alike([])
    assert after.returned == []
    assert [row["number"] for row in after.batches] == [4]


def test_a_batch_is_of_answers_alone_where_no_match_is_written_whole(board: Board) -> None:
    running = merged(board.running())
    first, second = (answered(running.match, seat, 0) for seat in (0, 1))
    assert batch([first]).answers_alone
    assert batch([merged([first, answered(first.match, 0, 1)])]).answers_alone
    assert batch([]).answers_alone
    done = completed(first.match, 0)
    for more in (running, done, merged([first, done]), Change(1, running.match, ())):
        assert not batch([second, more]).answers_alone
        assert not batch([more, second]).answers_alone
    assert len(batch([first]).parameters()) == 2
    assert len(batch([done]).parameters()) == len(Batch.__struct_fields__) - 1


def test_parts_of_the_same_name_are_the_same() -> None:
    parts = {name: dict(re.findall(r"^(?:WITH )?(\w+) AS (.*?^\),?)$", QUERIES[name], re.S | re.M)) for name in SAVES}
    ends = {name: QUERIES[name].rpartition("\n)\n")[2] for name in SAVES}
    own = {"change", "moved", "stuck"}
    assert parts["save_answers"].keys() - own == {"fence", "answered", "kept"}
    for part in parts["save_answers"].keys() - own:
        assert parts["save"][part] == parts["save_answers"][part]
    assert ends["save"] == ends["save_answers"] != ""


@pytest.mark.parametrize("answers_first", [True, False])
async def test_both_lock_matches_by_their_ids(
    matches: Matches, database: Database, other_database: Database, board: Board, answers_first: bool
) -> None:
    low, high = sorted([await save_all(matches, board.running()) for _ in range(2)], key=lambda match: match.id)
    other = Matches(other_database)
    await other.save([])
    answers = [answered(match, 0, 0) for match in (low, high)]
    ends = [left(match, 0) for match in (low, high)]
    first, second = (answers, ends) if answers_first else (ends, answers)
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM pairquiz.matches WHERE id = $1 FOR UPDATE", low.id)
        # Who has locked the other match already, when it is this one's turn behind the first, is in the first's way.
        saving = asyncio.create_task(matches.save(first))
        await until_waiting(database, "wait_event = 'transactionid'", saving)
        behind = asyncio.create_task(other.save(second[::-1]))
        await until_waiting(database, "wait_event = 'tuple'", behind)
    assert await saving == frozenset()
    assert await behind == {low.id, high.id}
    assert await deadlocks(database, other_database) == 0


async def test_most_updates_for_answers_touch_no_index(database: Database, matches: Matches, board: Board) -> None:
    running = [merged(board.running()) for _ in range(125)]
    await matches.save(running)
    current = [change.match for change in running]
    for number in range(8):
        for place in range(0, len(current), 5):
            changes = [answered(one, number % 2, number // 2, at=NOW + number) for one in current[place : place + 5]]
            assert not await matches.save(changes)
            current[place : place + 5] = [change.match for change in changes]
    await database.write("SELECT pg_stat_force_next_flush()")
    for table, updates in {"matches": 1000, "batches": 201}.items():
        (row,) = await database.fetch(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = $1::text::regclass",
            f"pairquiz.{table}",
        )
        assert row["n_tup_upd"] == updates
        assert row["n_tup_hot_upd"] >= 0.9 * row["n_tup_upd"]


async def test_a_batch_names_matches_and_players_in_the_order_of_their_ids(board: Board) -> None:
    rows = batch(merged(board.ready_match()) for _ in range(20))
    assert [row.id for row in rows.matches] == sorted(row.id for row in rows.matches)
    assert [row.id for row in rows.players] == sorted(row.id for row in rows.players)
