"""Which PONGs count, and what is known of a websocket when: by a hand-set clock, on websockets of paper."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.lag import UNMEASURED
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.web.guard.buckets import Bucket, Rate
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.identity.auth import Identity
from pairquiz_server.web.sockets.connections import Connection, Connections
from pairquiz_server.web.sockets.pings import AT_FIRST_S, IN_DOUBT_S, JITTER, TICK_S, Pings
from pairquiz_server.web.sockets.send_queue import SendQueue

INTERVAL_S = 5.0


class PaperWebsocket:
    """A websocket that keeps the PINGs that it is asked to send."""

    def __init__(self) -> None:
        self.clear = True
        self.closing = False
        self.pings: list[bytes] = []
        self.beat_at = float("inf")
        self.beats: list[float] = []
        self.on_pong: Callable[[bytes], None] = lambda payload: None
        self.trips = UNMEASURED

    @property
    def lag_ms(self) -> int:
        return self.trips.typical_ms or 0

    def ping(self, payload: bytes) -> None:
        if self.closing:
            raise ConnectionResetError
        self.pings.append(payload)

    def beat(self, now: float) -> None:
        self.beats.append(now)
        self.beat_at = now + INTERVAL_S

    async def close_with(self, code: int, reason: str) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError


class Stage:
    """Lines, and the clock that they go by."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.pings = Pings(Metrics(), INTERVAL_S, now=lambda: self.now_s, random=Random(7))

    def open(self, websocket: PaperWebsocket) -> PaperWebsocket:
        self.pings.websocket_opened(websocket)
        return websocket

    async def pinged(self, websocket: PaperWebsocket) -> bytes:
        """The next PING, when its time has come."""
        count, until_s = len(websocket.pings), self.now_s + 10 * INTERVAL_S
        while len(websocket.pings) == count:
            assert self.now_s < until_s, "no PING came"
            self.now_s += 0.01
            await self.pings.tick()
        return websocket.pings[-1]

    def answer(self, websocket: PaperWebsocket, payload: bytes, after_s: float) -> None:
        self.now_s += after_s
        websocket.on_pong(payload)

    async def measured(self, websocket: PaperWebsocket, *trips_s: float) -> PaperWebsocket:
        for trip_s in trips_s:
            self.answer(websocket, await self.pinged(websocket), trip_s)
        return websocket


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_new_line_is_measured_soon_and_then_now_and_then(stage: Stage) -> None:
    began_s = stage.now_s
    websocket = await stage.measured(stage.open(PaperWebsocket()), 0.02, 0.04)
    assert websocket.lag_ms == 0
    await stage.measured(websocket, 0.03)
    assert websocket.lag_ms == 30
    assert stage.now_s - began_s < 3 * AT_FIRST_S * (1 + JITTER) + 0.2
    pauses = set()
    for _ in range(20):
        sent_s = stage.now_s
        await stage.measured(websocket, 0.03)
        pauses.add(round(stage.now_s - sent_s, 2))
    assert all(INTERVAL_S * (1 - JITTER) <= pause <= INTERVAL_S * (1 + JITTER) + 0.1 for pause in pauses)
    assert len(pauses) > 10, "nobody can tell when the next one comes"
    assert len(set(websocket.pings)) == len(websocket.pings), "nor what it holds"


async def followed_soon(stage: Stage, websocket: PaperWebsocket, *trips_s: float) -> list[bool]:
    """Answer PINGs, beginning with the one under way, and tell of each trip whether the next measure followed soon."""
    soon = []
    for trip_s in trips_s:
        stage.answer(websocket, websocket.pings[-1], trip_s)
        answered_s = stage.now_s
        await stage.pinged(websocket)
        soon.append(stage.now_s - answered_s <= IN_DOUBT_S + 2 * TICK_S)
    return soon


@pytest.mark.parametrize(
    ("trips_s", "soon", "lag_ms"),
    [
        ([0.02, 0.04, 0.02], [False, False, False], 20),
        ([0.3, 0.3, 0.3, 0.3], [True, True, False, False], 300),
        ([0.3, 0.02, 0.02, 0.02], [True, True, False, False], 20),
    ],
    ids=["steady", "changed", "one trip alone"],
)
async def test_a_line_that_may_have_changed_is_measured_again_soon(
    stage: Stage, trips_s: list[float], soon: list[bool], lag_ms: int
) -> None:
    websocket = await stage.measured(stage.open(PaperWebsocket()), *5 * [0.02])
    await stage.pinged(websocket)
    assert await followed_soon(stage, websocket, *trips_s) == soon
    assert websocket.lag_ms == lag_ms


async def test_a_restless_line_is_measured_three_times_as_often_at_most(stage: Stage) -> None:
    websocket = await stage.measured(stage.open(PaperWebsocket()), 0.02, 0.3, 0.02)
    await stage.pinged(websocket)
    chance = Random(3)
    soon = await followed_soon(stage, websocket, *(chance.choice((0.02, 0.1, 0.3)) for _ in range(90)))
    assert 10 < soon.count(True) <= 2 * soon.count(False) + 2


@pytest.mark.parametrize("forged", [b"", b"\0" * 8, b"guess"])
async def test_a_pong_that_nobody_asked_for_counts_nothing(stage: Stage, forged: bytes) -> None:
    websocket = stage.open(PaperWebsocket())
    for _ in range(9):
        stage.answer(websocket, forged, 0.0)  # before any PING
    ping = await stage.pinged(websocket)
    for _ in range(9):
        stage.answer(websocket, forged, 0.0)  # while one is under way
    stage.answer(websocket, ping, 0.2)
    await stage.measured(websocket, 0.2, 0.2)
    assert websocket.lag_ms == 200


async def test_a_ping_is_answered_once(stage: Stage) -> None:
    websocket = stage.open(PaperWebsocket())
    ping = await stage.pinged(websocket)
    for _ in range(9):
        stage.answer(websocket, ping, 0.1)
    assert websocket.lag_ms == 0
    lost = await stage.pinged(websocket)
    await stage.pinged(websocket)
    stage.answer(websocket, lost, 0.1)
    assert websocket.lag_ms == 0


async def test_a_line_that_stops_answering_is_measured_anew(stage: Stage) -> None:
    websocket = await stage.measured(stage.open(PaperWebsocket()), 0.3, 0.3, 0.3)
    late = await stage.pinged(websocket)
    assert websocket.lag_ms == 300
    await stage.pinged(websocket)
    assert websocket.lag_ms == 0
    stage.answer(websocket, late, 0.0)
    await stage.measured(websocket, 0.1, 0.1)
    assert websocket.lag_ms == 0
    await stage.measured(websocket, 0.1)
    assert websocket.lag_ms == 100


async def test_one_ping_is_under_way_at_most(stage: Stage) -> None:
    websocket = stage.open(PaperWebsocket())
    await stage.pinged(websocket)
    for _ in range(10):
        await stage.pings.tick()
    assert len(websocket.pings) == 1


async def test_a_line_on_which_something_waits_to_be_sent_is_measured_later(stage: Stage) -> None:
    websocket = stage.open(PaperWebsocket())
    websocket.clear = False
    for _ in range(1_000):
        stage.now_s += 0.1
        await stage.pings.tick()
    assert websocket.pings == []
    websocket.clear = True
    await stage.pinged(websocket)
    assert len(websocket.pings) == 1


async def test_a_ping_of_engine_io_goes_with_each_measure_where_both_are_as_rare(stage: Stage) -> None:
    websocket = PaperWebsocket()
    websocket.beat_at = stage.now_s + INTERVAL_S
    await stage.measured(stage.open(websocket), 0.02, 0.02, 0.02)
    assert websocket.beats == []
    for count in range(1, 20):
        await stage.measured(websocket, 0.02)
        assert len(websocket.beats) == count
        assert websocket.beat_at > stage.now_s, "none was due before"


async def test_a_line_that_is_closing_stops_nobody(stage: Stage) -> None:
    closing, other = stage.open(PaperWebsocket()), stage.open(PaperWebsocket())
    closing.closing = True
    await stage.measured(other, 0.05, 0.05, 0.05)
    stage.pings.websocket_ended(closing)
    assert (other.lag_ms, closing.lag_ms) == (50, 0)


async def test_another_websocket_begins_without_a_measure(stage: Stage) -> None:
    first = await stage.measured(stage.open(PaperWebsocket()), 0.3, 0.3, 0.3)
    stage.pings.websocket_ended(first)
    second = stage.open(PaperWebsocket())
    assert second.lag_ms == 0
    for payload in first.pings:
        stage.answer(second, payload, 0.3)
    assert second.lag_ms == 0


def carried_by(queue: object) -> Any:
    return SimpleNamespace(queue=queue)


def connect(connections: Connections, session: Any, player_id: str = "anna") -> Connection:
    identity = Identity(Player(player_id, PlayerKind.USER, "Anna"), 2**50)
    connection = Connection("sid", identity, session, "192.0.2.1", Bucket(Rate(0, 1)))
    connections.add(connection)
    return connection


def polled() -> SendQueue:
    return SendQueue(0, lambda queue: None, Pace(Rate(0, 0), lambda: None))


async def test_an_upgrade_that_is_only_tried_measures_nothing(stage: Stage) -> None:
    tried, connections = await stage.measured(stage.open(PaperWebsocket()), 0.2, 0.2, 0.2), Connections()
    session = carried_by(polled())
    connection = connect(connections, session)
    assert connections.lag_ms(connection) == 0
    session.queue = tried
    assert connections.lag_ms(connection) == 200


async def test_no_line_of_a_player_has_more_lag_than_another(stage: Stage) -> None:
    slow = await stage.measured(stage.open(PaperWebsocket()), 0.25, 0.25, 0.25)
    fast = await stage.measured(stage.open(PaperWebsocket()), 0.02, 0.02, 0.02)
    new = stage.open(PaperWebsocket())
    connections = Connections()
    connect(connections, carried_by(fast), "somebody else")
    first = connect(connections, carried_by(slow))
    assert connections.lag_ms(first) == 250
    others = [connect(connections, carried_by(queue)) for queue in (new, polled())]
    assert connections.lag_ms(first) == 250
    assert [connections.lag_ms(other) for other in others] == [0, 0]
    connect(connections, carried_by(fast))
    assert connections.lag_ms(first) == 20
