"""Two people who know each other: one invites, the other comes, and now and then a third who comes between."""

import asyncio
from typing import TYPE_CHECKING

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.terms import Pace
from tests.simulation.client import Client
from tests.simulation.company import Company

if TYPE_CHECKING:
    from tests.simulation.world import World

_QUESTION_COUNTS = (1, 2, 3, 3, 5, 5)
_TIME_LIMITS_S = (5, 5, 6)


class Pair(Company):
    """Two people who play one match, or do not get so far."""

    def __init__(self, world: "World", number: int) -> None:
        super().__init__(world, number)
        self.host = self.client(f"h{number}", "host", number)
        strangers = 1 + (self.random.random() < 0.04)
        self.guests = [self.client(f"g{number}.{place}", "guest", number, place) for place in range(strangers)]
        self.pace = Pace.ROUNDS if self.random.random() < 0.35 else Pace.FREE
        self.invited: asyncio.Future[Match | None] = world.loop.create_future()

    async def come(self) -> None:
        await asyncio.gather(self._host(), *map(self._guest, self.guests))

    async def _host(self) -> None:
        client = self.host
        random = client.random
        wishes = {
            "topic": random.choice(("General", " general")),
            "question_count": random.choice(_QUESTION_COUNTS),
            "time_limit_s": random.choice(_TIME_LIMITS_S),
            "pace": self.pace,
            "request_id": f"request {self.number}" if client.chance(0.8) else None,
        }
        outcome = await client.insist("create", **wishes)
        if not isinstance(outcome, Decision):
            self.invited.set_result(None)
            return
        self._adopt(client, outcome.match)
        if wishes["request_id"] and client.chance(0.1):
            again = await client.insist("create", **wishes)
            self.world.checker.same_match(client, outcome.match, again)
        self.invited.set_result(outcome.match)
        await self.series(client)

    async def _guest(self, client: Client) -> None:
        match = await self.invited
        if match is None or client.chance(0.01):
            return
        await client.pause(0.02, 2.0)
        await client.connect()
        by_code = client.chance(0.7)
        code = f"{match.join_code[:4]}-{match.join_code[4:]}".lower()
        self._adopt(client, None if by_code else match)
        outcome = await client.insist(
            "join", match_id=None if by_code else match.id, join_code=code if by_code else None
        )
        if isinstance(outcome, Decision):
            self._adopt(client, outcome.match)
            await self.series(client)

    def _adopt(self, client: Client, match: Match | None) -> None:
        if match is not None:
            client.match_id = match.id
            client.learn(match)
