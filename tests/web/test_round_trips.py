"""Which PONGs count, and what is known of a line when: by a hand-set clock, on lines of paper."""

from collections.abc import Callable
from random import Random

import pytest

from pairquiz_server.metrics import Metrics
from pairquiz_server.web.pings import AT_FIRST_S, JITTER, Pings

INTERVAL_S = 5.0


class PaperLine:
    """A websocket that keeps the PINGs that it is asked to send."""

    def __init__(self, eio_sid: str = "session") -> None:
        self.eio_sid = eio_sid
        self.carries = True
        self.clear = True
        self.closing = False
        self.pings: list[bytes] = []
        self.on_pong: Callable[[bytes], None] = lambda payload: None

    async def ping(self, payload: bytes) -> None:
        if self.closing:
            raise ConnectionResetError
        self.pings.append(payload)

    async def close_with(self, code: int, reason: str) -> None:
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError


class Stage:
    """Lines, and the clock that they go by."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.lines = Pings(Metrics(), INTERVAL_S, now=lambda: self.now_s, random=Random(7))

    def open(self, line: PaperLine) -> PaperLine:
        self.lines.line_opened(line)
        return line

    async def pinged(self, line: PaperLine) -> bytes:
        """The next PING, when its time has come."""
        count = len(line.pings)
        while len(line.pings) == count:
            self.now_s += 0.01
            await self.lines.tick()
        return line.pings[-1]

    def answer(self, line: PaperLine, payload: bytes, after_s: float) -> None:
        self.now_s += after_s
        line.on_pong(payload)

    async def measured(self, line: PaperLine, *trips_s: float) -> PaperLine:
        for trip_s in trips_s:
            self.answer(line, await self.pinged(line), trip_s)
        return line


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_new_line_is_measured_soon_and_then_now_and_then(stage: Stage) -> None:
    began_s = stage.now_s
    line = await stage.measured(stage.open(PaperLine()), 0.02, 0.04)
    assert stage.lines.lag_ms("session") == 0
    await stage.measured(line, 0.03)
    assert stage.lines.lag_ms("session") == 30
    assert stage.now_s - began_s < 3 * AT_FIRST_S * (1 + JITTER) + 0.2
    pauses = set()
    for _ in range(20):
        sent_s = stage.now_s
        await stage.measured(line, 0.03)
        pauses.add(round(stage.now_s - sent_s, 2))
    assert all(INTERVAL_S * (1 - JITTER) <= pause <= INTERVAL_S * (1 + JITTER) + 0.1 for pause in pauses)
    assert len(pauses) > 10, "nobody can tell when the next one comes"
    assert len(set(line.pings)) == len(line.pings), "nor what it holds"


@pytest.mark.parametrize("forged", [b"", b"\0" * 8, b"guess"])
async def test_a_pong_that_nobody_asked_for_counts_nothing(stage: Stage, forged: bytes) -> None:
    line = stage.open(PaperLine())
    for _ in range(9):
        stage.answer(line, forged, 0.0)  # before any PING
    ping = await stage.pinged(line)
    for _ in range(9):
        stage.answer(line, forged, 0.0)  # while one is under way
    stage.answer(line, ping, 0.2)
    await stage.measured(line, 0.2, 0.2)
    assert stage.lines.lag_ms("session") == 200


async def test_a_ping_is_answered_once(stage: Stage) -> None:
    line = stage.open(PaperLine())
    ping = await stage.pinged(line)
    for _ in range(9):
        stage.answer(line, ping, 0.1)
    assert stage.lines.lag_ms("session") == 0
    lost = await stage.pinged(line)
    await stage.pinged(line)
    stage.answer(line, lost, 0.1)
    assert stage.lines.lag_ms("session") == 0


async def test_a_line_that_stops_answering_is_measured_anew(stage: Stage) -> None:
    line = await stage.measured(stage.open(PaperLine()), 0.3, 0.3, 0.3)
    late = await stage.pinged(line)
    assert stage.lines.lag_ms("session") == 300
    await stage.pinged(line)
    assert stage.lines.lag_ms("session") == 0
    stage.answer(line, late, 0.0)
    await stage.measured(line, 0.1, 0.1)
    assert stage.lines.lag_ms("session") == 0
    await stage.measured(line, 0.1)
    assert stage.lines.lag_ms("session") == 100


async def test_one_ping_is_under_way_at_most(stage: Stage) -> None:
    line = stage.open(PaperLine())
    await stage.pinged(line)
    for _ in range(10):
        await stage.lines.tick()
    assert len(line.pings) == 1


async def test_a_line_on_which_something_waits_to_be_sent_is_measured_later(stage: Stage) -> None:
    line = stage.open(PaperLine())
    line.clear = False
    for _ in range(1_000):
        stage.now_s += 0.1
        await stage.lines.tick()
    assert line.pings == []
    line.clear = True
    await stage.pinged(line)
    assert len(line.pings) == 1


async def test_a_line_that_is_closing_stops_nobody(stage: Stage) -> None:
    closing, other = stage.open(PaperLine("closing")), stage.open(PaperLine())
    closing.closing = True
    await stage.measured(other, 0.05, 0.05, 0.05)
    stage.lines.line_ended(closing)
    assert (stage.lines.lag_ms("session"), stage.lines.lag_ms("closing")) == (50, 0)


async def test_another_websocket_begins_without_a_measure(stage: Stage) -> None:
    first = await stage.measured(stage.open(PaperLine()), 0.3, 0.3, 0.3)
    stage.lines.line_ended(first)
    second = stage.open(PaperLine())
    assert stage.lines.lag_ms("session") == 0
    for payload in first.pings:
        stage.answer(second, payload, 0.3)
    assert stage.lines.lag_ms("session") == 0


async def test_an_upgrade_that_is_only_tried_measures_nothing(stage: Stage) -> None:
    tried = PaperLine()
    tried.carries = False
    await stage.measured(stage.open(tried), 0.2, 0.2, 0.2)
    assert stage.lines.lag_ms("session") == 0
    tried.carries = True
    assert stage.lines.lag_ms("session") == 200


async def test_no_line_of_a_player_has_more_lag_than_another(stage: Stage) -> None:
    await stage.measured(stage.open(PaperLine("slow")), 0.25, 0.25, 0.25)
    await stage.measured(stage.open(PaperLine("fast")), 0.02, 0.02, 0.02)
    stage.open(PaperLine("new"))
    assert stage.lines.lag_ms("slow", ["new", "polled"]) == 250
    assert stage.lines.lag_ms("slow", ["fast", "new"]) == 20
    assert stage.lines.lag_ms("new", ["slow"]) == stage.lines.lag_ms("polled", ["slow"]) == 0
