"""Who has to go, goes: whatever was under way, wherever a node was when it was said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pairquiz_server.engine.departures import LOOKS_AFTER, Departures
from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Outcome, Status
from pairquiz_server.store.bans import Bans, Look
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import PresenceRows
from tests.engine.stage import ALICE, BOB, CAROL, PATIENCE_S, Node

SECRET = b"a secret of the bans"


class Gate:
    """The departures of a node, and whom it has sent away."""

    def __init__(self, node: Node) -> None:
        self.bans = Bans(node.database, SECRET)
        self.erasures = Erasures(node.database)
        self.cut: list[str] = []
        self.departures = Departures(
            self.bans,
            PresenceRows(node.database),
            node.committer,
            node.clock,  # type: ignore[arg-type]
            lambda player_id, why: self.cut.append(player_id),
        )

    def refuses(self, player_id: str) -> bool:
        try:
            self.departures.check(player_id)
        except Refused:
            return True
        return False


@pytest.fixture
def gate(node: Node) -> Gate:
    return Gate(node)


@asynccontextmanager
async def writing(node: Node) -> AsyncIterator[None]:
    """Hold the node's writes meanwhile."""
    node.matches.flowing.clear()
    node.matches.began.clear()
    try:
        yield
    finally:
        node.matches.flowing.set()


async def test_who_is_banned_leaves_a_running_match_and_the_other_has_won(node: Node, gate: Gate) -> None:
    match = await node.started()
    await gate.bans.ban(ALICE.id, None, None)
    assert not gate.refuses(ALICE.id)
    await gate.departures.look()
    assert gate.cut == [ALICE.id]
    assert (gate.refuses(ALICE.id), gate.refuses(BOB.id)) == (True, False)
    assert (await node.stored(match)).outcome(1) is Outcome.WON


async def test_who_is_banned_leaves_a_match_that_was_under_way_at_the_cut(node: Node, gate: Gate) -> None:
    ready = await node.ready()
    async with writing(node):
        starting = asyncio.create_task(node.play(node.game.start, ALICE, match_id=ready.id))
        await node.matches.began.wait()
        await gate.bans.ban(ALICE.id, None, None)
        looking = asyncio.create_task(gate.departures.look())
    await asyncio.gather(starting, looking, return_exceptions=True)
    await gate.departures.look()
    assert (await node.stored(ready)).status in (Status.COMPLETED, Status.ABANDONED)


async def test_a_match_that_appears_after_the_cut_is_left_too(node: Node, gate: Gate) -> None:
    await gate.bans.ban(ALICE.id, None, None)
    await gate.departures.look()
    match = await node.started()  # sent before the cut, and committed after it
    await gate.departures.look()
    assert (await node.stored(match)).outcome(1) is Outcome.WON


async def test_matches_are_looked_for_only_so_often(node: Node, gate: Gate) -> None:
    await gate.bans.ban(ALICE.id, None, None)
    for _ in range(LOOKS_AFTER):
        await gate.departures.look()
    match = await node.started()
    await gate.departures.look()
    assert (await node.stored(match)).status is Status.IN_PROGRESS
    assert gate.cut == [ALICE.id]


async def test_a_node_that_was_away_reads_everything_anew(
    node: Node, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gate.bans.ban(BOB.id, None, None)
    await gate.departures.look()

    async def away(seen: int) -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(gate.bans, "look", away)
        with pytest.raises(StorageUnavailable):
            await gate.departures.look()
    assert gate.refuses(BOB.id), "what was known is still known"
    await node.database.fetch("DELETE FROM pairquiz.bans")  # as a failover may have forgotten it
    await gate.bans.ban(ALICE.id, None, None)
    await gate.departures.look()
    assert (gate.refuses(ALICE.id), gate.refuses(BOB.id)) == (True, False)


async def test_a_ban_ends_by_itself_and_by_an_unban(node: Node, gate: Gate) -> None:
    await gate.bans.ban(ALICE.id, None, None)
    await node.database.fetch(
        "UPDATE pairquiz.bans SET until = now() + interval '1 ms', written = pg_current_xact_id()"
    )
    await gate.departures.look()
    async with asyncio.timeout(PATIENCE_S):
        while gate.refuses(ALICE.id):
            await gate.departures.look()
    await gate.bans.ban(ALICE.id, None, 3600)
    await gate.departures.look()
    assert gate.refuses(ALICE.id)
    await gate.bans.unban(ALICE.id)
    await gate.departures.look()
    assert not gate.refuses(ALICE.id)


async def test_a_ban_between_the_wish_and_the_erasure_is_not_lost(node: Node, gate: Gate) -> None:
    await node.started()
    await gate.erasures.wish(ALICE.id)
    await gate.departures.look()
    await gate.bans.ban(ALICE.id, "a note", None)
    assert await Eraser(gate.erasures, gate.bans, settle_s=0).work() == []
    other = Gate(node)
    await other.departures.look()
    assert other.refuses(ALICE.id)
    assert (
        await node.database.fetchval("SELECT count(*) FROM pairquiz.bans WHERE player_id IS NULL AND reason IS NULL")
        == 1
    )


async def test_who_is_being_erased_is_refused_until_it_is_done(node: Node, gate: Gate) -> None:
    match = await node.started()
    await gate.erasures.wish(ALICE.id)
    await gate.departures.look()
    await gate.departures.look()
    assert (gate.cut, gate.refuses(ALICE.id)) == ([ALICE.id], True)
    assert (await node.stored(match)).outcome(1) is Outcome.WON
    assert await Eraser(gate.erasures, gate.bans).work() == [ALICE.id], "not before every node has heard of it"
    assert await Eraser(gate.erasures, gate.bans, settle_s=0).work() == []
    await gate.departures.look()
    assert not gate.refuses(ALICE.id)


async def test_an_erasure_goes_on_though_others_cannot(node: Node, gate: Gate) -> None:
    """Of three, one has completed a match that the other still plays: nothing of it may be taken from the other."""
    match = await node.started()
    await node.play(node.game.complete, ALICE, match_id=match.id)
    for player in (ALICE, CAROL):
        await gate.erasures.wish(player.id)
    await gate.departures.look()
    eraser = Eraser(gate.erasures, gate.bans, settle_s=0)
    assert await eraser.work() == [ALICE.id]
    assert (await node.stored(match)).status is Status.IN_PROGRESS
    await node.play(node.game.complete, BOB, match_id=match.id)
    assert await eraser.work() == []


async def test_an_erasure_is_done_by_whoever_comes_first(node: Node, other_node: Node, gate: Gate) -> None:
    matches = [await node.started() for _ in range(3)]
    await gate.erasures.wish(ALICE.id)
    await gate.departures.look()
    erasers = [Eraser(Erasures(one.database), Bans(one.database, SECRET), settle_s=0) for one in (node, other_node)]
    async with asyncio.timeout(PATIENCE_S):
        while await gate.erasures.pending():
            await asyncio.gather(*(eraser.work() for eraser in erasers))
    for match in matches:
        assert [seat.player.id for seat in (await node.stored(match)).seats] == ["erased", BOB.id]


async def test_an_erasure_that_is_wished_while_a_node_looks_is_not_forgotten_by_that_look(
    node: Node, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = gate.bans.look

    async def look_too_early(seen: int) -> Look:
        found = await look(seen)
        await gate.erasures.wish(ALICE.id)
        gate.departures.erase(ALICE.id)
        return found

    monkeypatch.setattr(gate.bans, "look", look_too_early)
    await gate.departures.look()
    assert gate.refuses(ALICE.id)
    monkeypatch.undo()
    await gate.departures.look()
    assert (gate.refuses(ALICE.id), gate.cut) == (True, [ALICE.id])
