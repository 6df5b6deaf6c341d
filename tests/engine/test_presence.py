"""Who is away counts over all nodes, and nobody loses because somebody was slow to write it down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from pairquiz_server.engine.presence import Presence
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import MarkAbsent
from pairquiz_server.rules.match import Match, Outcome
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.presence import PresenceRows
from tests.engine.stage import ALICE, BOB, MARGIN_MS, PATIENCE_S, HandClock, Node, running_node

PATIENCE = Patience(lost_ms=30_000, closed_ms=10_000, budget_ms=40_000)


class SlowRows:
    """Stands where `PresenceRows` stands, and nothing can be written in time."""

    def __init__(self) -> None:
        self.tried = asyncio.Event()

    async def note(self, *_: object) -> list[str]:
        self.tried.set()
        raise StorageUnavailable("no answer in time")

    async def find_unmarked(self, _: int) -> list[str]:
        raise StorageUnavailable("no answer in time")


class EarlierRows(PresenceRows, frozen=True):
    """The real rows, but who came to a silent node has been written only just now, behind a look for it."""

    async def find_unmarked(self, silent_ms: int) -> list[str]:
        return []


async def carry_on(node: Node, number: UUID, span_ms: int) -> None:
    """Let one node beat for so long, and no other one."""
    for _ in range(0, span_ms, 1_000):
        node.clock.at += 1_000
        await Nodes(node.database).beat(number, node.clock.at, 2_000, after_silence=False)


@asynccontextmanager
async def presence_of(node: Node) -> AsyncIterator[tuple[Presence, UUID]]:
    """The presence of a node, at work."""
    number = uuid4()
    nodes = Nodes(node.database)
    await nodes.enter(number, node.clock.now())
    presence = Presence(PresenceRows(node.database), nodes, node.committer, node.clock, number, PATIENCE)  # type: ignore[arg-type]
    working = asyncio.create_task(presence.run())
    try:
        yield presence, number
    finally:
        node.matches.flowing.set()
        presence.stop()
        async with asyncio.timeout(PATIENCE_S):
            await working


async def until(node: Node, match: Match, holds: Callable[[Match], bool]) -> Match:
    """Wait until the stored match is as it should be."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds(stored := await node.stored(match)):
            pass
    return stored


async def rows(node: Node) -> set[str]:
    return {record["player_id"] for record in await node.database.fetch("SELECT player_id FROM pairquiz.presence")}


@pytest.fixture
async def node(database: Database) -> AsyncIterator[Node]:
    async with running_node(database, HandClock()) as node:
        yield node


async def test_who_comes_back_is_written_though_marks_of_others_wait_for_their_commit(node: Node) -> None:
    match = await node.started()
    async with presence_of(node) as (presence, _):
        for player in (ALICE, BOB):
            presence.came(player.id)
        presence.went(ALICE.id, Cause.CONNECTION_LOST)
        gone = await until(node, match, lambda one: one.seats[0].absence is not None)
        assert gone.seats[0].absence is not None
        node.matches.flowing.clear()
        node.matches.began.clear()
        presence.went(BOB.id, Cause.CLOSED)
        await node.matches.began.wait()  # his absence is on its way, and gets stuck
        node.clock.at = gone.seats[0].absence.reconnect_by or 0
        presence.came(ALICE.id)
        async with asyncio.timeout(PATIENCE_S):
            while ALICE.id not in await rows(node):
                pass


async def test_who_came_in_time_has_not_lost_though_nobody_could_mark_it(node: Node) -> None:
    """A node has written that she is there, and then has died."""
    match = await node.started()
    at = node.clock.at
    await node.send(MarkAbsent(match_id=match.id, player_id=ALICE.id, cause=Cause.CLOSED, patience=PATIENCE))
    number = uuid4()
    await Nodes(node.database).enter(number, at)
    await PresenceRows(node.database).note(number, {ALICE.id: at + 10_000}, [])
    node.clock.at = at + 10_000 + MARGIN_MS
    await node.sweeper.sweep()
    back = await node.stored(match)
    assert (back.ended_at, back.seats[0].absence, back.seats[0].away_ms) == (None, None, 10_000)


async def test_match_in_rounds_goes_on_where_one_of_both_came_before_the_later_grace_was_over(node: Node) -> None:
    """Her own was over, and his node has died before it could mark her."""
    match = await node.started(pace=Pace.ROUNDS)
    begun = node.clock.at
    for player, at in ((ALICE, begun), (BOB, begun + 15_000)):
        gone = MarkAbsent(match_id=match.id, player_id=player.id, cause=Cause.CLOSED, patience=PATIENCE)
        await node.send(gone, at=at)
    assert (await node.stored(match)).due_at == begun + 25_000
    number = uuid4()
    await Nodes(node.database).enter(number, begun)
    await PresenceRows(node.database).note(number, {ALICE.id: begun + 25_000}, [])
    node.clock.at = begun + 25_000 + MARGIN_MS
    await node.sweeper.sweep()
    back = await node.stored(match)
    assert (back.ended_at, back.seats[0].absence, back.due_at) == (None, None, back.closes_at)


async def test_who_came_too_late_has_lost(node: Node) -> None:
    match = await node.started()
    at = node.clock.at
    await node.send(MarkAbsent(match_id=match.id, player_id=ALICE.id, cause=Cause.CLOSED, patience=PATIENCE))
    number = uuid4()
    await Nodes(node.database).enter(number, at)
    await PresenceRows(node.database).note(number, {ALICE.id: at + 10_001}, [])
    node.clock.at = at + 10_000 + MARGIN_MS
    await node.sweeper.sweep()
    assert (await node.stored(match)).outcome(0) is Outcome.LOST


async def test_a_return_counts_from_when_the_player_came(node: Node) -> None:
    match = await node.started()
    async with presence_of(node) as (presence, _):
        presence.went(ALICE.id, Cause.CONNECTION_LOST)
        await until(node, match, lambda one: one.seats[0].absence is not None)
        node.clock.at += 4_000
        presence.came(ALICE.id)
        node.clock.at += 60_000  # so late it is when that is written
        back = await until(node, match, lambda one: one.seats[0].absence is None)
        assert back.seats[0].away_ms == 4_000


async def test_a_visit_ends_an_absence_though_it_was_over_before_it_could_be_written(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's line to the database was slow for all of it."""
    match = await node.started()
    async with presence_of(node) as (presence, _):
        presence.went(ALICE.id, Cause.CONNECTION_LOST)
        await until(node, match, lambda one: one.seats[0].absence is not None)
        slow = SlowRows()
        monkeypatch.setattr(presence, "_rows", slow)
        node.clock.at += 4_000
        presence.came(ALICE.id)
        await slow.tried.wait()
        node.clock.at += 8_000
        presence.went(ALICE.id, Cause.CLOSED)
        monkeypatch.undo()
        again = await until(node, match, lambda one: one.seats[0].away_ms > 0 and one.seats[0].absence is not None)
        absence = again.seats[0].absence
        assert absence is not None
        assert (again.seats[0].away_ms, absence.since, absence.cause) == (4_000, node.clock.at, Cause.CLOSED)
        assert await rows(node) == set()


async def test_a_visit_stays_written_until_it_is_marked(node: Node) -> None:
    """Its node's commits are slow: meanwhile another node has to see that she came in time."""
    match = await node.started()
    async with presence_of(node) as (presence, _):
        presence.went(ALICE.id, Cause.CONNECTION_LOST)
        await until(node, match, lambda one: one.seats[0].absence is not None)
        node.matches.flowing.clear()
        node.matches.began.clear()
        node.clock.at += 4_000
        presence.came(ALICE.id)
        await node.matches.began.wait()
        node.clock.at += 8_000
        presence.went(ALICE.id, Cause.CLOSED)
        presence.came(BOB.id)
        async with asyncio.timeout(PATIENCE_S):
            while BOB.id not in (there := await rows(node)):
                pass
        assert ALICE.id in there
        node.matches.flowing.set()
        again = await until(node, match, lambda one: one.seats[0].away_ms > 0 and one.seats[0].absence is not None)
        assert again.seats[0].away_ms == 4_000
        assert await rows(node) == {BOB.id}


async def test_seats_that_are_marked_wrongly_are_mended_at_no_cost(node: Node) -> None:
    """Alice is nowhere and nobody has noted it; Bob counts as away and is there."""
    match = await node.started()
    await node.send(MarkAbsent(match_id=match.id, player_id=BOB.id, cause=Cause.CLOSED, patience=PATIENCE))
    async with presence_of(node) as (presence, number):
        await PresenceRows(node.database).note(number, {BOB.id: node.clock.at}, [])
        await presence.mend_mistakes()
        mended = await node.stored(match)
        assert mended.seats[1].absence is None
        absence = mended.seats[0].absence
        assert absence is not None
        assert (absence.cause, absence.shown) == (Cause.NODE_LOST, Cause.CONNECTION_LOST)
        node.clock.at += 20_000
        presence.came(ALICE.id)
        back = await until(node, match, lambda one: one.seats[0].absence is None)
        assert back.seats[0].away_ms == 0


async def test_players_of_a_node_that_died_have_the_whole_grace_whatever_their_budget(node: Node) -> None:
    match = await node.started()
    dead, at = uuid4(), node.clock.at
    nodes = Nodes(node.database)
    await nodes.enter(dead, at)
    await PresenceRows(node.database).note(dead, {ALICE.id: at, BOB.id: at}, [])
    async with presence_of(node) as (presence, number):
        for _ in range(2):
            presence.came(ALICE.id)
            presence.went(ALICE.id, Cause.CONNECTION_LOST)
        await carry_on(node, number, 8_000)
        await presence.look_for_dead_nodes()
        gone = await until(node, match, lambda one: all(seat.absence is not None for seat in one.seats))
        for seat in gone.seats:
            assert seat.absence is not None
            assert seat.absence.reconnect_by == seat.absence.since + PATIENCE.lost_ms


@asynccontextmanager
async def cut_off_with_alice(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A second node, to which Alice came: it has written that, and while inside it can commit no mark of it."""
    async with running_node(node.database, node.clock) as slow, presence_of(slow) as (presence, _):

        async def cannot_look() -> None:
            raise StorageUnavailable("cut off")

        monkeypatch.setattr(presence, "look_for_dead_nodes", cannot_look)
        slow.matches.flowing.clear()
        slow.matches.began.clear()
        presence.came(ALICE.id)
        await slow.matches.began.wait()
        assert await rows(node) == {ALICE.id}
        yield


@pytest.mark.parametrize("kind_of_rows", [PresenceRows, EarlierRows])
async def test_who_came_back_to_a_node_that_could_not_mark_it_and_was_buried_has_the_whole_grace(
    node: Node, monkeypatch: pytest.MonkeyPatch, kind_of_rows: type[PresenceRows]
) -> None:
    """She is connected to it all the time, and the grace of her old absence would be over."""
    match = await node.started()
    await node.send(MarkAbsent(match_id=match.id, player_id=ALICE.id, cause=Cause.CLOSED, patience=PATIENCE))
    by = node.clock.at + PATIENCE.closed_ms
    async with presence_of(node) as (presence, number):
        monkeypatch.setattr(presence, "_rows", kind_of_rows(node.database))
        await carry_on(node, number, 4_000)
        async with cut_off_with_alice(node, monkeypatch):
            await carry_on(node, number, 6_000)
            await presence.look_for_dead_nodes()
            again = await until(node, match, lambda one: one.seats[0].away_ms > 0 and one.seats[0].absence is not None)
            node.clock.at = by + MARGIN_MS
            await node.sweeper.sweep()
            after = await node.stored(match)
    absence = again.seats[0].absence
    assert absence is not None
    assert (absence.cause, absence.reconnect_by) == (Cause.NODE_LOST, absence.since + PATIENCE.lost_ms)
    assert (again.seats[0].away_ms, after.ended_at) == (4_000, None)


async def test_a_visit_to_a_node_that_was_buried_counts_though_the_answer_to_the_burial_was_lost(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = await node.started()
    await node.send(MarkAbsent(match_id=match.id, player_id=ALICE.id, cause=Cause.CLOSED, patience=PATIENCE))
    async with presence_of(node) as (presence, number):
        bury = presence._nodes.bury

        async def bury_without_an_answer(silent_ms: int) -> dict[str, int]:
            await bury(silent_ms)
            raise StorageUnavailable("the answer was lost")

        monkeypatch.setattr(presence._nodes, "bury", bury_without_an_answer)
        await carry_on(node, number, 4_000)
        async with cut_off_with_alice(node, monkeypatch):
            await carry_on(node, number, 6_000)
            with pytest.raises(StorageUnavailable):
                await presence.look_for_dead_nodes()
            assert await rows(node) == set()
            back = await node.stored(match)
            assert (back.seats[0].away_ms, back.seats[0].absence) == (4_000, None)
            await presence.mend_mistakes()
            absence = (await node.stored(match)).seats[0].absence
    assert absence is not None
    assert (absence.cause, absence.reconnect_by) == (Cause.NODE_LOST, absence.since + PATIENCE.lost_ms)
