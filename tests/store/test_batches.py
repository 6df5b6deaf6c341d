"""What became of a batch whose answer was lost: the database says it, and holds to it."""

import asyncio
from uuid import uuid4

import pytest

from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.store.duel import NOW, Board, answered, joined, left, merged, save_all
from tests.store.numbered import Matches
from tests.store.waiting import until_waiting


async def test_a_committed_batch_is_told_with_what_of_it_did_not_move(
    matches: Matches, other_database: Database, board: Board
) -> None:
    overtaken, free = await save_all(matches, board.running()), await save_all(matches, board.running())
    assert await matches.resolve(matches.node, matches.number) == frozenset()
    await save_all(Matches(other_database), [answered(overtaken, 0, 0)])
    assert await matches.save([answered(overtaken, 1, 0), answered(free, 1, 0)]) == {overtaken.id}
    for _ in range(2):  # whoever did not hear the answer asks again
        assert await matches.resolve(matches.node, matches.number) == {overtaken.id}


async def test_a_batch_that_was_given_up_writes_nothing_when_it_arrives_late(matches: Matches, board: Board) -> None:
    running = board.running()
    match = await save_all(matches, running)
    lost = [answered(match, 0, 0), board.created()]
    for _ in range(2):
        assert await matches.resolve(matches.node, matches.number + 1) is None
    with pytest.raises(StorageUnavailable, match="does not know"):
        await matches.save(lost)
    assert await matches.load([change.match.id for change in lost]) == {match.id: match}
    assert await matches.resolve(matches.node, matches.number) is None
    assert await matches.save(lost) == frozenset(), "the next number is open"


async def test_a_batch_that_is_still_under_way_is_waited_for(
    matches: Matches, database: Database, other_database: Database, board: Board
) -> None:
    match = await save_all(matches, board.running())
    asking = Matches(other_database)
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SELECT FROM pairquiz.matches WHERE id = $1 FOR UPDATE", match.id)
        writing = asyncio.create_task(matches.save([answered(match, 0, 0)]))
        await until_waiting(database, "wait_event = 'transactionid'", writing)
        looking = asyncio.create_task(asking.resolve(matches.node, matches.number))
        await until_waiting(database, "wait_event = 'transactionid' AND query LIKE '%DO UPDATE SET closed%'", looking)
    assert await writing == await looking == frozenset()


async def test_a_database_that_forgot_the_node_commits_nothing_until_it_was_asked(
    matches: Matches, database: Database, board: Board
) -> None:
    match = await save_all(matches, board.running())
    await database.write("DELETE FROM pairquiz.batches")
    with pytest.raises(StorageUnavailable):
        await matches.save([answered(match, 0, 0)])
    assert await matches.resolve(matches.node, matches.number) is None
    assert await matches.save([answered(match, 0, 0)]) == frozenset()


async def test_a_database_that_is_behind_after_a_failover_says_what_it_has(
    matches: Matches, database: Database, board: Board
) -> None:
    match = await save_all(matches, board.running())
    await database.write("UPDATE pairquiz.batches SET number = 1, closed = 1")
    assert await matches.resolve(matches.node, matches.number) is None
    assert await matches.save([answered(match, 0, 0)]) == frozenset()
    assert await matches.resolve(matches.node, matches.number) == frozenset()


async def test_nodes_have_batches_of_their_own(matches: Matches, other_database: Database, board: Board) -> None:
    other = Matches(other_database)
    created = board.created()
    await matches.save([created])
    assert await other.save([joined(created.match)]) == frozenset()
    assert await matches.save([left(created.match, 0)]) == {created.match.id}
    assert await other.resolve(other.node, other.number) == frozenset()
    assert await matches.resolve(matches.node, matches.number) == {created.match.id}


async def test_rows_of_nodes_that_are_gone_are_removed_after_a_week(
    matches: Matches, database: Database, board: Board
) -> None:
    for age in ("8 days", "6 days"):
        node = uuid4()
        await matches.register(node)
        await database.write(
            "UPDATE pairquiz.batches SET saved_at = saved_at - $1::text::interval WHERE node_id = $2", age, node
        )
    await matches.save([merged([board.created(at=NOW)])])
    left_over = {row["node_id"] for row in await database.fetch("SELECT node_id FROM pairquiz.batches")}
    assert left_over == {node, matches.node}
    await matches.register(matches.node)
    assert await matches.resolve(matches.node, matches.number) == frozenset(), "to register again changes nothing"
