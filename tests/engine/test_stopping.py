"""A committer that stops, or is stopped, leaves nothing half done."""

import asyncio

import pytest

from pairquiz_server.rules.commands import CompleteQuiz
from pairquiz_server.store.pool import Database
from tests.engine.stage import ALICE, BOB, CAROL, HandClock, Node, answer, code, running_node


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


async def test_to_stop_with_nothing_to_do_is_no_batch(node: Node) -> None:
    node.committer.stop()
    await node.working
    assert node.committer._metrics.registry.get_sample_value("pairquiz_batch_commands_count") == 0


async def test_committer_stops_when_all_that_came_before_is_done_and_refuses_what_comes_after(
    database: Database, clock: HandClock
) -> None:
    async with running_node(database, clock) as node:
        match = await node.started()
        node.matches.flowing.clear()
        node.matches.began.clear()
        written = node.send(answer(match, ALICE, 0, 0))
        await node.matches.began.wait()
        queued = node.send(answer(match, BOB, 0, 0))
        refused_later = node.send(answer(match, CAROL, 0, 0))
        node.committer.stop()
        late = node.send(answer(match, BOB, 1, 0))
        assert late.done()
        assert code(late.result()) == "draining"
    assert [code(one.result()) for one in (written, queued, refused_later)] == ["accepted", "accepted", "not_a_player"]
    assert [len(seat.answers) for seat in (await node.stored(match)).seats] == [1, 1]


async def test_committer_that_was_idle_stops_at_once(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock) as node:
        await node.ready()
    async with running_node(database, clock):
        pass  # `running_node` waits for the end of `run`


async def test_cancelled_committer_leaves_a_batch_whole_or_not_at_all(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock) as node:
        match = await node.started(question_count=2)
    half_way = Node(database, clock, 0.0, None, lambda _: None)
    working = asyncio.create_task(half_way.committer.run())
    for place in range(2):
        half_way.send(answer(match, ALICE, place, 0))
    half_way.send(CompleteQuiz(match_id=match.id, player_id=BOB.id))
    await half_way.matches.began.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert half_way.told == []
    stored = await half_way.stored(match)
    assert (stored.version, len(stored.seats[0].answers)) in ((match.version, 0), (match.version + 3, 2))
