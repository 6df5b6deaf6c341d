"""What an outage takes is given back before anything else is decided."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.engine import heartbeat
from pairquiz_server.engine.heartbeat import OVERLOOKED_MS, Heartbeat, find_time
from pairquiz_server.rules.decide import Decision
from pairquiz_server.store import nodes
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Beat, ClockReading, Nodes
from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.engine.stage import ALICE, BOB, HandClock, Node, answer, running_node

HOUR = 3_600_000


class Life:
    """A node's heartbeat, and what it has told."""

    def __init__(self, node: Node) -> None:
        self.id = uuid4()
        self.nodes = Nodes(node.database)
        self.credited: list[Beat] = []
        self.forgotten = 0
        self.returned = 0
        self.heartbeat = Heartbeat(
            self.nodes,
            node.clock,  # type: ignore[arg-type]
            self.id,
            moved=self._moved,
            forgotten=self._forgotten,
            returned=self._returned,
        )
        self._node = node

    def _moved(self, beat: Beat) -> None:
        self.credited.append(beat)
        self._node.committer.forget(match.id for match in beat.moved)

    def _returned(self) -> None:
        self.returned += 1

    def _forgotten(self) -> None:
        self.forgotten += 1


@pytest.fixture
async def node(database: Database) -> AsyncIterator[Node]:
    async with running_node(database, HandClock()) as node:
        node.clock.at = (await Nodes(database).read_clock()).database_at
        yield node


@pytest.fixture
async def life(node: Node) -> Life:
    life = Life(node)
    await life.nodes.enter(life.id, node.clock.now())
    await life.heartbeat.beat()
    return life


async def test_a_silence_moves_the_deadline_and_no_point_is_lost(node: Node, life: Life) -> None:
    match = await node.started()
    node.clock.at += 1000
    await life.heartbeat.beat()
    node.clock.at += HOUR
    await life.heartbeat.beat()
    (beat,) = life.credited
    assert (beat.gap_ms, [moved.id for moved in beat.moved]) == (HOUR, [match.id])
    outcome = await node.send(answer(match, ALICE, 0, match.questions[0].correct))
    assert isinstance(outcome, Decision)
    assert outcome.match.deadline_at == match.deadline_at + HOUR
    given = outcome.match.seats[0].answers[0]
    assert given.bonus == match.scoring.speed_bonus * (match.span_ms - 1000) // match.span_ms


async def test_an_answer_that_arrived_in_the_silence_counts_as_if_the_clock_had_stood_still(
    node: Node, life: Life
) -> None:
    match = await node.started()
    began = node.clock.at
    node.clock.at += HOUR
    await life.heartbeat.beat()
    outcome = await node.send(answer(match, BOB, 0, match.questions[0].correct), at=began + HOUR // 2)
    assert isinstance(outcome, Decision)
    assert outcome.match.seats[1].answers[0].bonus == match.scoring.speed_bonus


async def test_a_silence_that_is_short_moves_nothing(node: Node, life: Life) -> None:
    match = await node.started()
    node.clock.at += OVERLOOKED_MS
    await life.heartbeat.beat()
    assert (life.credited, (await node.stored(match)).version) == ([], match.version)


async def test_a_node_that_others_took_for_dead_enters_again(node: Node, life: Life) -> None:
    other = Life(node)
    await other.nodes.enter(other.id, node.clock.now())
    for _ in range(6):
        node.clock.at += 1000
        await other.heartbeat.beat()
    assert await other.nodes.bury(5000) == {}
    await life.heartbeat.beat()
    await life.heartbeat.beat()
    assert (life.forgotten, other.forgotten) == (1, 0)


async def test_a_node_whose_entering_was_done_and_not_answered_says_who_is_there_all_the_same(
    node: Node, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.database.fetch("DELETE FROM pairquiz.nodes")
    enter = life.nodes.enter

    async def enter_without_an_answer(of: UUID, now: int) -> None:
        monkeypatch.undo()
        await enter(of, now)
        raise StorageUnavailable("the answer was lost")

    monkeypatch.setattr(life.nodes, "enter", enter_without_an_answer)
    with pytest.raises(StorageUnavailable):
        await life.heartbeat.beat()
    assert life.forgotten == 0
    await life.heartbeat.beat()
    assert life.forgotten == 1


async def test_the_committer_waits_for_a_beat_when_the_last_one_is_old(database: Database) -> None:
    async with running_node(database, HandClock()) as node:
        life = Life(node)
        node.clock.at = (await life.nodes.read_clock()).database_at
        await life.nodes.enter(life.id, node.clock.at)
        match = await node.started()
        node.committer._ready = life.heartbeat.ready
        node.clock.at = match.deadline_at + HOUR  # the service was away all the time, and so is in time
        outcome = await node.send(answer(match, ALICE, 0, 0))
        assert isinstance(outcome, Decision)
        assert len(life.credited) == 1


async def test_the_sweeper_ends_nothing_by_a_clock_that_was_not_beaten(node: Node, life: Life) -> None:
    match = await node.started()
    node.clock.at = match.deadline_at + HOUR
    life.heartbeat._beaten_at = float("-inf")  # it slept, too
    node.sweeper._ready = life.heartbeat.ready
    await node.sweeper.sweep()
    assert (await node.stored(match)).ended_at is None
    assert len(life.credited) == 1


class Readings(Nodes):
    """Counts how often a starting node has read the clock. Others have sessions, as far as it knows."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.count = 0
        self.first = asyncio.Event()

    async def alone(self) -> bool:
        return False

    async def read_clock(self) -> ClockReading:
        reading = await super().read_clock()
        self.count += 1
        self.first.set()
        return reading


class TestStart:
    """A node starts after the database's clock was set: for it the last sign of life is an hour old."""

    @pytest.fixture
    async def readings(self, life: Life, node: Node) -> Readings:
        await node.database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - $1", HOUR)
        return Readings(node.database)

    async def test_beside_a_running_node_it_has_the_time_of_that_one(
        self, node: Node, life: Life, readings: Readings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heartbeat, "ADOPTED_WITHIN_MS", HOUR)  # however slow this machine is
        await node.started()
        starting = asyncio.create_task(find_time(readings, Matches(node.database)))
        await readings.first.wait()
        await life.heartbeat.beat()
        assert await starting - node.clock.now() <= OVERLOOKED_MS
        assert life.credited == []

    async def test_where_nobody_runs_it_sees_the_silence(
        self, node: Node, readings: Readings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(heartbeat, "ADOPTED_WITHIN_MS", 1)
        await node.started()
        assert await find_time(readings, Matches(node.database)) - node.clock.now() >= HOUR
        assert readings.count > 1

    async def test_where_nobody_runs_at_least_the_time_that_it_listened_has_passed(
        self, node: Node, readings: Readings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The database's clock was set back; what the dead had decided since their last beat lies in no future."""
        await node.database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at + $1", 2 * HOUR)
        monkeypatch.setattr(heartbeat, "ADOPTED_WITHIN_MS", 1)
        await node.started()
        game_at = (await readings.read_clock()).game_at
        assert game_at is not None
        assert await find_time(readings, Matches(node.database)) > game_at + 1

    async def test_where_no_match_is_live_it_does_not_wait(self, node: Node, readings: Readings) -> None:
        assert await find_time(readings, Matches(node.database)) - node.clock.now() >= HOUR
        assert readings.count == 1

    async def test_where_nobody_else_is_there_it_does_not_wait(
        self, node: Node, readings: Readings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Readings, "alone", Nodes.alone)
        await node.started()
        assert await find_time(readings, Matches(node.database)) - node.clock.now() >= HOUR
        assert readings.count == 1

    async def test_alone_it_listens_where_the_databases_clock_was_set_back(
        self, node: Node, readings: Readings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the dead had decided since their last beat would lie in the future."""
        await node.database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at + $1", 2 * HOUR)
        monkeypatch.setattr(heartbeat, "ADOPTED_WITHIN_MS", 1)
        monkeypatch.setattr(Readings, "alone", Nodes.alone)
        await node.started()
        await find_time(readings, Matches(node.database))
        assert readings.count > 1


async def alone_soon(nodes: Nodes) -> bool:
    """Wait until PostgreSQL has seen that the others are gone."""
    async with asyncio.timeout(20):
        while not await nodes.alone():
            pass
    return True


class TestAlone:
    """Whether anybody else is there is known by the sessions of the database."""

    @pytest.mark.parametrize("connections", ["1", "3"])
    async def test_a_process_is_alone_before_another_one_comes(self, database_url: str, connections: str) -> None:
        settings = config.load(environ={"PAIRQUIZ_DATABASE__POOL_MIN": connections})
        async with open_database(settings, database_url) as first:
            assert await Nodes(first).alone()
            async with open_database(settings, database_url) as second:
                assert not await Nodes(second).alone()

    async def test_a_session_that_may_not_be_looked_at_is_somebodys(self, database_url: str) -> None:
        settings = config.load(environ={})
        name = f"stranger_{uuid4().hex}"
        async with open_database(settings, database_url) as first:
            await first.fetch(f"CREATE ROLE {name} LOGIN")
            async with open_database(settings, database_url.replace("//pairquiz@", f"//{name}@")) as stranger:
                assert await stranger.fetchval("SELECT current_user") == name
                assert not await Nodes(stranger).alone()
        async with open_database(settings, database_url.replace("//pairquiz@", f"//{name}@")) as stranger:
            assert await alone_soon(Nodes(stranger))

    async def test_on_a_session_that_somebody_had_before_nobody_knows_to_be_alone(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nodes, "NEW_SESSION_MS", 0)
        async with open_database(config.load(environ={}), database_url) as database:
            assert not await Nodes(database).alone()

    async def test_behind_a_pooler_nobody_knows_to_be_alone(self, database_url: str) -> None:
        settings = config.load(environ={"PAIRQUIZ_DATABASE__TRANSACTION_POOLER": "true"})
        async with open_database(settings, database_url) as database:
            assert not await Nodes(database).alone()
