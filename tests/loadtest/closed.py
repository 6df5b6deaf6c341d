"""A closed loop: who waits for each acknowledgement before the next answer, as a load test must not."""

import asyncio
from random import Random

from pairquiz_server.loadtest.finding import Finding
from pairquiz_server.loadtest.histogram import Histogram
from pairquiz_server.loadtest.messages import Plan
from pairquiz_server.loadtest.pair import Pair, Terms, now_ms
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.table import Answered, Table
from pairquiz_server.loadtest.wire import Transport, Wire
from pairquiz_server.loadtest.worker import web_of


class _Desk:
    """Counts how long each acknowledgement took."""

    def __init__(self) -> None:
        self.latency = Histogram()
        self.news = asyncio.Event()

    def offer(self, pair: Pair, table: Table) -> None: ...
    def told(self, answer: Answered, at_ms: float) -> None: ...
    def trouble(self, what: str) -> None: ...
    def judged(self, table: Table | None, findings: list[Finding]) -> None: ...

    def acknowledged(self, answer: Answered) -> None:
        self.latency.record(round((now_ms() - answer.sent_ms) * 1000))
        self.news.set()


async def closed_loop(url: str, *, answers: int, question_count: int) -> Histogram:
    """Give so many answers one after the other, and return how long each took."""
    desk, chance = _Desk(), Random(1)
    plan = Plan(url=url, pairs=1, topic="General", question_count=question_count)
    async with web_of(plan) as web:
        pair = Pair(
            lambda hear, ended: Wire(web, Transport.WEBSOCKET, hear, ended), (None, None),
            Terms(plan.topic, question_count), Scale(), desk, chance,
        )  # fmt: skip
        await pair.open()
        try:
            table = await pair.begin()
            for _ in range(answers):
                if not table.turns_left:
                    table = await pair.begin()
                desk.news.clear()
                pair.answer(table, now_ms())
                await desk.news.wait()
        finally:
            await pair.close()
    return desk.latency
