"""Players who let their lines look slow, in every way that we could think of: none gains more than cap and bank give.

Each plays a match of its own, all at once on one server, and knows every answer. The bound is checked on what the
server itself says in its receipts.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import zip_longest
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.rules.lag import REMEMBERED
from pairquiz_server.rules.question import Question
from pairquiz_server.store.questions import Questions
from pairquiz_server.web.sockets.pings import Pings
from tests.client import Client, connected
from tests.conftest import Server, StartServer
from tests.web.delays import Asking, Delaying, DelayingSocket, Habit, delaying, late, never
from tests.web.polling import polling

COUNT, TIME_LIMIT_S = 5, 5
SPAN_MS = COUNT * TIME_LIMIT_S * 1000
CAP_MS, BANK_MS = 300, 200 * COUNT
LONG_S = 0.35
TRUSTED_FROM = 3
PATIENCE_S = 60.0

Match = dict[str, Any]
Receipts = Sequence[dict[str, Any]]


class Trips:
    """How long the server found each trip to take, and how long its player has held back the answer, by payload."""

    def __init__(self) -> None:
        self.took_ms: dict[bytes, int] = {}
        self.held_s: dict[bytes, float] = {}


class Table:
    """A match that waits for its cheat: an opponent has made it, and the cheat has taken the seat as a guest."""

    def __init__(self, server: Server, opponent: Client) -> None:
        self.server = server
        self.opponent = opponent
        self.token = ""
        self.started: Match = {}
        self._lines: list[DelayingSocket] = []
        self._before: list[int] = []

    @asynccontextmanager
    async def line(self, habit: Habit, *, token: str | None = None) -> AsyncIterator[Delaying]:
        """Connect the cheat by one more line."""
        async with delaying(self.server, habit, token=token) as cheat:
            self._lines.append(cheat.socket)
            yield cheat

    def honest_ms(self, trips: Trips) -> int:
        """What the slowest trip took that counted in this match and was not held back: a busy machine adds to each."""
        honest = [
            trips.took_ms.get(payload, 0)
            for line, before in zip_longest(self._lines, self._before, fillvalue=0)
            for payload in line.pings[max(before - REMEMBERED, 0) :]
            if trips.held_s.get(payload) == 0
        ]
        return max(honest, default=0)

    async def sit(self, ask: Asking, token: str) -> None:
        """Join, so that the match can start."""
        self.token = token
        created = await self.opponent.ask(
            "create_pair_quiz", {"topic": "Cheats", "question_count": COUNT, "time_limit": TIME_LIMIT_S}
        )
        assert created["ok"], created
        joined = await ask("join_pair_quiz", {"session_id": created["session_id"]})
        assert joined["ok"], joined
        self.started = created

    async def start(self) -> None:
        """Begin. A line that is to look slow looks so by now."""
        answer = await self.opponent.ask("start_quiz", {"session_id": self.started["session_id"]})
        assert answer["ok"], answer
        self.started = await self.opponent.event("quiz_started")
        self._before = [len(line.pings) for line in self._lines]
        await asyncio.sleep(CAP_MS / 1000)  # nobody is credited more than the match is old

    async def answer(self, ask: Asking, *places: int, **claims: Any) -> Receipts:
        """Answer rightly, at once."""
        receipts = []
        for place in places:
            question = self.started["questions"][place]
            wish = {"session_id": self.started["session_id"], "question_id": question["id"], "answer": "right"}
            reply = await ask("submit_answer", {**wish, **claims})
            assert reply["ok"], reply
            assert reply["correct"]
            receipts.append(reply["receipt"])
        return receipts


ALL = range(COUNT)
Strategy = Callable[[Table], Awaitable[Receipts]]


def on_one_line(*delays_s: float, trips: int = TRUSTED_FROM) -> Strategy:
    """Answer PINGs after these delays, wait until the line is trusted, and play."""

    async def play(table: Table) -> Receipts:
        async with table.line(late(*delays_s)) as cheat:
            await table.sit(cheat.ask, cheat.token)
            await cheat.socket.until_ponged(trips)
            await table.start()
            return await table.answer(cheat.ask, *ALL)

    return play


async def with_a_fast_tab(table: Table) -> Receipts:
    async with (
        table.line(late(LONG_S)) as cheat,
        table.line(late(0), token=cheat.token) as tab,
    ):
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_ponged(TRUSTED_FROM)
        await tab.socket.until_ponged(TRUSTED_FROM)
        await tab.settled()
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def with_a_slow_tab(table: Table) -> Receipts:
    async with (
        table.line(late(0)) as cheat,
        table.line(late(LONG_S), token=cheat.token) as tab,
    ):
        await table.sit(cheat.ask, cheat.token)
        await tab.socket.until_ponged(TRUSTED_FROM)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def with_a_tab_that_is_never_measured(table: Table) -> Receipts:
    async with (
        table.line(late(LONG_S)) as cheat,
        table.line(never, token=cheat.token) as tab,
    ):
        await table.sit(cheat.ask, cheat.token)
        await tab.socket.until_pinged(1)
        await cheat.socket.until_ponged(TRUSTED_FROM)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def with_a_polling_tab(table: Table) -> Receipts:
    async with (
        table.line(late(LONG_S)) as cheat,
        polling(table.server.url, token=cheat.token) as tab,
    ):
        await tab.event("welcome")
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_ponged(TRUSTED_FROM)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def reconnecting_before_each_answer(table: Table) -> Receipts:
    return await _reconnecting(table, [1], [2], [3], [4], trips=0)


async def reconnecting_and_looking_slow_each_time(table: Table) -> Receipts:
    return await _reconnecting(table, [1, 2], [3, 4], trips=TRUSTED_FROM)


async def _reconnecting(table: Table, *groups: Sequence[int], trips: int) -> Receipts:
    receipts: list[dict[str, Any]] = []
    async with table.line(late(LONG_S)) as cheat:
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_ponged(TRUSTED_FROM)
        await table.start()
        receipts += await table.answer(cheat.ask, 0)
    for places in groups:
        async with table.line(late(LONG_S), token=table.token) as again:
            await again.socket.until_ponged(trips)
            receipts += await table.answer(again.ask, *places)
    return receipts


async def by_polling(table: Table) -> Receipts:
    async with polling(table.server.url) as cheat:
        welcome = await cheat.event("welcome")
        await table.sit(cheat.ask, welcome["guest_token"])
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def by_polling_beside_a_slow_websocket(table: Table) -> Receipts:
    async with table.line(late(LONG_S)) as slow, polling(table.server.url, token=slow.token) as cheat:
        await cheat.event("welcome")
        await table.sit(slow.ask, slow.token)
        await slow.socket.until_ponged(TRUSTED_FROM)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def by_an_upgrade(table: Table) -> Receipts:
    """Answer by polling, by a websocket that is only tried, and at once when the upgrade is done."""
    async with polling(table.server.url) as cheat, ClientSession() as session:
        welcome = await cheat.event("welcome")
        await table.sit(cheat.ask, welcome["guest_token"])
        await table.start()
        receipts = [*await table.answer(cheat.ask, 0)]
        url = cheat.here.replace("=polling", "=websocket")
        async with session.ws_connect(url, autoping=False) as raw:
            socket = DelayingSocket(raw, late(LONG_S))
            client = Client(socket)  # type: ignore[arg-type]
            await socket.send_str("2probe")
            await socket.until_ponged(TRUSTED_FROM)

            async def ask_meanwhile(name: str, payload: dict[str, Any]) -> dict[str, Any]:
                await cheat.post("4277" + json.dumps([name, payload]))
                await socket.send_str("5")  # a session that is being upgraded is answered nothing by polls
                return await client.acknowledged(77)

            receipts += await table.answer(ask_meanwhile, 1)
            assert [receipt["lag_credit_ms"] for receipt in receipts] == [0, 0]
            receipts += await table.answer(client.ask, 2, 3, 4)
            socket.stop()
    return receipts


async def by_forged_pongs(table: Table) -> Receipts:
    """Send PONGs before any PING, many, guessed, empty, and each of the server's own ones again and again."""

    def habit(socket: DelayingSocket, payload: bytes) -> None:
        for known in socket.pings:
            for _ in range(20):
                socket.pong(known)

    async with table.line(habit) as cheat:
        for number in range(500):
            await cheat.socket.socket.pong(number.to_bytes(8, "big"))
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_pinged(TRUSTED_FROM + 1)
        for payload in (b"", b"\0" * 8, b"x" * 125, *cheat.socket.pings):
            for _ in range(50):
                await cheat.socket.socket.pong(payload)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def by_never_answering(table: Table) -> Receipts:
    async with table.line(never) as cheat:
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_pinged(2)
        await table.start()
        return await table.answer(cheat.ask, *ALL)


async def by_answering_only_while_a_question_is_open(table: Table) -> Receipts:
    """Look fast until the start, and slow from then on: twice, because what is slow three times is a slow line."""
    async with table.line(late(0)) as cheat:
        await table.sit(cheat.ask, cheat.token)
        await cheat.socket.until_ponged(TRUSTED_FROM)
        before = len(cheat.socket.pings)
        cheat.socket.habit = late(*[0] * before, LONG_S, LONG_S, *[0] * 100)
        await table.start()
        receipts = [*await table.answer(cheat.ask, 0, 1)]
        await cheat.socket.until_ponged(TRUSTED_FROM + 1)
        return [*receipts, *await table.answer(cheat.ask, 2, 3, 4)]


async def by_claiming_it(table: Table) -> Receipts:
    """Say so in payloads, and answer Engine.IO's own pings late or never."""
    async with table.line(never) as cheat:
        await table.sit(cheat.ask, cheat.token)
        await table.start()
        claims = {"lag_ms": 300, "lag_credit_ms": 300, "arrived_at": 0, "judged_at": 0, "ping": 300, "client_time": 0}
        return await table.answer(cheat.ask, *ALL, **claims)


HONEST = None
BOUNDS: dict[str, tuple[Strategy, int | None]] = {
    "honest": (on_one_line(0), HONEST),
    "every PONG is late": (on_one_line(LONG_S), CAP_MS),
    "every PONG is very late": (on_one_line(0.9), CAP_MS),
    "two of three PONGs are late": (on_one_line(LONG_S, LONG_S, 0), CAP_MS),
    "one of three PONGs is late": (on_one_line(0, 0.9, 0), HONEST),
    "late and not, by turns": (on_one_line(LONG_S, 0, LONG_S, 0, 0, trips=4), HONEST),
    "a fast tab": (with_a_fast_tab, HONEST),
    "a slow tab": (with_a_slow_tab, HONEST),
    "a tab that is never measured": (with_a_tab_that_is_never_measured, CAP_MS),
    "a polling tab": (with_a_polling_tab, CAP_MS),
    "another websocket for each answer": (reconnecting_before_each_answer, CAP_MS),
    "another slow websocket now and then": (reconnecting_and_looking_slow_each_time, CAP_MS),
    "polling": (by_polling, 0),
    "polling beside a slow websocket": (by_polling_beside_a_slow_websocket, 0),
    "an upgrade": (by_an_upgrade, CAP_MS),
    "forged PONGs": (by_forged_pongs, HONEST),
    "no PONGs": (by_never_answering, 0),
    "late from the start on": (by_answering_only_while_a_question_is_open, HONEST),
    "claims": (by_claiming_it, 0),
}
"""How each cheats, and what none of its answers may be credited more than; None is what an honest line takes."""


async def cheated(server: Server, strategy: Strategy, trips: Trips) -> tuple[list[int], int, int]:
    """Let a cheat play; return the credits of the answers, how many points they have brought, and an honest credit."""
    async with asyncio.timeout(PATIENCE_S), connected(server.url) as opponent:
        table = Table(server, opponent)
        receipts = await strategy(table)
        assert len(receipts) == COUNT
        deadline_at = table.started["deadline_at"]
        gained = 0
        for receipt in receipts:
            assert receipt["judged_at"] == receipt["arrived_at"] - receipt["lag_credit_ms"]
            assert table.started["started_at"] <= receipt["judged_at"] <= deadline_at
            assert receipt["points"] == 100 + 50 * (deadline_at - receipt["judged_at"]) // SPAN_MS
            gained += receipt["points"] - 100 - 50 * (deadline_at - receipt["arrived_at"]) // SPAN_MS
        credits_ms = [receipt["lag_credit_ms"] for receipt in receipts]
        assert sum(credits_ms) <= BANK_MS
        return credits_ms, gained, table.honest_ms(trips)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    """All trips of the lines of this test."""
    noted = Trips()
    take, pong = Pings._answered, DelayingSocket.pong

    def taking(pings: Pings, measured: Any, payload: bytes) -> None:
        counts = payload == measured.payload and measured.websocket is not None
        take(pings, measured, payload)
        if counts:
            noted.took_ms[bytes(payload)] = measured.websocket.trips.recent_ms[-1]

    def holding(socket: DelayingSocket, payload: bytes, after_s: float = 0.0) -> None:
        noted.held_s.setdefault(bytes(payload), after_s)
        pong(socket, payload, after_s)

    monkeypatch.setattr(Pings, "_answered", taking)
    monkeypatch.setattr(DelayingSocket, "pong", holding)
    return noted


@pytest.fixture
async def cheats_server(trips: Trips, start_server: StartServer) -> Server:
    """A server that measures often, and whose right answers a cheat knows."""
    server = await start_server(PAIRQUIZ_SERVER__MEASURE_INTERVAL_S="2")
    options = ("right", "wrong", "false", "no")
    await Questions(server.running.database).add(
        [Question(topic="Cheats", text=f"Question {number}?", options=options, correct=0) for number in range(COUNT)]
    )
    return server


async def test_nobody_gains_more_by_a_slow_line_than_cap_and_bank_give(cheats_server: Server, trips: Trips) -> None:
    outcomes = await asyncio.gather(*(cheated(cheats_server, strategy, trips) for strategy, _ in BOUNDS.values()))
    credited = {name: credits_ms for name, (credits_ms, *_) in zip(BOUNDS, outcomes, strict=True)}
    for (name, (_, bound_ms)), (credits_ms, gained, honest_ms) in zip(BOUNDS.items(), outcomes, strict=True):
        assert max(credits_ms) <= (honest_ms if bound_ms is HONEST else bound_ms), (name, credited)
        # A bonus is rounded down, once with and once without the credit.
        assert gained <= sum(-(-50 * credit_ms // SPAN_MS) for credit_ms in credits_ms), (name, credited)
    assert [CAP_MS, CAP_MS, CAP_MS, BANK_MS - 3 * CAP_MS, 0] in credited.values(), "somebody must have tried"
