"""A small load test in this process."""

from dataclasses import dataclass

from pairquiz_server.loadtest.messages import Ended, Plan, Step
from pairquiz_server.loadtest.players import Players
from pairquiz_server.loadtest.schedule import Arrivals
from pairquiz_server.loadtest.tally import Window, whole
from pairquiz_server.loadtest.wire import Transport
from pairquiz_server.loadtest.worker import web_of


@dataclass(frozen=True)
class Trial:
    """What was found, and counted."""

    ended: Ended
    window: Window
    unanswered: int


async def trial(
    url: str, *, pairs: int = 2, rate: float = 100, seconds: float = 0.5, patience_s: float = 20,
    transport: Transport = Transport.WEBSOCKET, question_count: int = 10,
) -> Trial:  # fmt: skip
    """Play, and return what came of it."""
    plan = Plan(
        url=url, pairs=pairs, topic="General", question_count=question_count, transport=transport,
        arrivals=Arrivals.EVEN, patience_s=patience_s,
    )  # fmt: skip
    windows: list[Window] = []
    async with web_of(plan) as web:
        players = Players(plan, web, windows.append)
        unanswered = 0
        try:
            await players.ready()
            unanswered = await players.step(Step(rate, seconds))
        finally:
            ended = await players.end()
    return Trial(ended, whole(windows), unanswered)
