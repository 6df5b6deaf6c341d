"""A node that is silent is buried with its players, once."""

import asyncio
from uuid import UUID

import pytest
from msgspec.structs import replace

from pairquiz_server.store.nodes import Beat, Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from tests.store.duel import (
    ANNA,
    BEN,
    NOW,
)
from tests.store.locks import until_somebody_waits

OVERLOOKED_MS = 2_000
DEAD_AFTER_MS = 5_000
HOUR = 3_600_000
FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
async def nodes(database: Database) -> Nodes:
    """Two nodes serve, and have both beaten just now."""
    nodes = Nodes(database)
    for node in (FIRST, SECOND):
        await nodes.enter(node, NOW)
    return nodes


async def beat(nodes: Nodes, at: int, node: UUID = FIRST) -> Beat:
    """Beat as if the database's clock had been set since the last time: no clock counts but the nodes'."""
    await set_database_clock(nodes, 1_000 * OVERLOOKED_MS)
    return await carry_on(nodes, at, node)


async def carry_on(nodes: Nodes, at: int, node: UUID = FIRST) -> Beat:
    """Beat, and let what has passed by the database's clock count."""
    return replace(await nodes.beat(node, at, OVERLOOKED_MS, after_silence=True), database_at=0)


async def set_database_clock(nodes: Nodes, forward_ms: int) -> None:
    await nodes._database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - $1", forward_ms)


class TestBurial:
    @pytest.fixture
    def presence(self, database: Database) -> PresenceRows:
        return PresenceRows(database)

    async def live(self, nodes: Nodes, since: int, until: int) -> None:
        """The first node goes on beating, the second is silent."""
        for at in range(since + 1_000, until + 1, 1_000):
            await beat(nodes, at)

    async def test_silent_node_is_buried_once_with_its_players(
        self, nodes: Nodes, other_database: Database, presence: PresenceRows
    ) -> None:
        await presence.note(SECOND, {ANNA.id: NOW, BEN.id: NOW}, [])
        await presence.note(FIRST, {BEN.id: NOW}, [])
        await self.live(nodes, NOW, NOW + 5_000)
        assert await nodes.bury(DEAD_AFTER_MS) == {}
        await self.live(nodes, NOW + 5_000, NOW + 6_000)
        both = await asyncio.gather(nodes.bury(DEAD_AFTER_MS), Nodes(other_database).bury(DEAD_AFTER_MS))
        assert sorted(both, key=len) == [{}, {ANNA.id: NOW, BEN.id: NOW}]
        assert await presence.find_absent([ANNA.id, BEN.id]) == [ANNA.id], "what it said went with it"
        assert await nodes.bury(DEAD_AFTER_MS) == {}

    async def test_player_of_two_nodes_that_die_is_told_once(self, nodes: Nodes, presence: PresenceRows) -> None:
        third = UUID(int=3)
        await nodes.enter(third, NOW)
        for node, came_at in ((SECOND, NOW + 1), (third, NOW)):
            await presence.note(node, {ANNA.id: came_at}, [])
        await self.live(nodes, NOW, NOW + 6_000)
        assert await nodes.bury(DEAD_AFTER_MS) == {ANNA.id: NOW}

    async def test_buried_node_hears_of_it_and_enters_again(self, nodes: Nodes, presence: PresenceRows) -> None:
        await self.live(nodes, NOW, NOW + 6_000)
        await nodes.bury(DEAD_AFTER_MS)
        assert not (await beat(nodes, NOW + 6_100, SECOND)).alive
        await nodes.enter(SECOND, NOW + 6_100)
        assert (await beat(nodes, NOW + 6_200, SECOND)).alive
        assert (await beat(nodes, NOW + 6_200, FIRST)).alive

    async def test_nobody_is_buried_by_the_first_beat_after_an_outage(
        self, nodes: Nodes, presence: PresenceRows
    ) -> None:
        await presence.note(SECOND, {ANNA.id: NOW}, [])
        assert await nodes.bury(DEAD_AFTER_MS) == {}, "the clock of the service stands still without it"
        await beat(nodes, NOW + HOUR)
        assert await nodes.bury(DEAD_AFTER_MS) == {}
        await self.live(nodes, NOW + HOUR, NOW + HOUR + 5_000)
        assert await nodes.bury(DEAD_AFTER_MS) == {}
        await self.live(nodes, NOW + HOUR + 5_000, NOW + HOUR + 6_000)
        assert await nodes.bury(DEAD_AFTER_MS) == {ANNA.id: NOW}, "and who does not come back then, is dead"

    async def test_node_that_beats_while_it_is_being_buried_lives(
        self, nodes: Nodes, other_database: Database, presence: PresenceRows
    ) -> None:
        await presence.note(SECOND, {ANNA.id: NOW}, [])
        await self.live(nodes, NOW, NOW + 6_000)
        async with other_database.connection() as connection, connection.transaction():
            await connection.execute("UPDATE pairquiz.nodes SET beaten_at = $1 WHERE id = $2", NOW + 6_000, SECOND)
            burial = asyncio.create_task(nodes.bury(DEAD_AFTER_MS))
            await until_somebody_waits(other_database)
        assert await burial == {}
        assert await presence.find_absent([ANNA.id]) == []
