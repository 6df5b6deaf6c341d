"""Two people who do not know each other, nor anybody: each looks for an opponent, now here and now there."""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.terms import Pace
from tests.simulation.client import Client
from tests.simulation.company import Company

if TYPE_CHECKING:
    from tests.simulation.world import World

_QUESTION_COUNTS = (2, 3, 3)
_PACES = (Pace.FREE, Pace.FREE, Pace.ROUNDS)
_MOST_SEARCHES = 3
_CROSSING_S = 4.0
"""So long an app goes on to listen after a cancellation: a pairing may have been before it."""


class Strangers(Company):
    """Two people who find an opponent each, perhaps each other, or do not."""

    def __init__(self, world: "World", number: int) -> None:
        super().__init__(world, number)
        self._taste = self._wishes(self.random)
        for name in (f"h{number}", f"g{number}.0"):
            client = self.client(name, "stranger", name)
            world.known_as(client.player.id, client.random)

    async def come(self) -> None:
        await asyncio.gather(*map(self._stay, self.clients))

    async def _stay(self, client: Client) -> None:
        await client.pause(0.0, 6.0)
        await client.connect()
        for _ in range(client.random.randint(1, _MOST_SEARCHES)):
            if await self._find(client):
                await self.series(client)
                self.world.checker.end_is_known(client)
                if client.chance(0.3):
                    await self._block(client)
                await client.pause(0.0, 3.0)

    async def _find(self, client: Client) -> bool:
        """Look for an opponent, in earnest or not; return whether there is one."""
        before, wishes = client.match_id, self._taste
        found = lambda: client.match_id != before  # noqa: E731
        client.seeks = True
        for _ in range(client.random.randint(1, 5)):
            if not client.connected:
                await client.connect()
            if client.chance(0.06):
                await asyncio.gather(client.ask("find_opponent", **wishes), client.ask("find_opponent", **wishes))
            outcome = await client.insist("find_opponent", **wishes)
            if isinstance(outcome, Refused) or await client.until(found, client.random.uniform(0.2, 20)):
                break
            if client.chance(0.2):
                await self._change_mind(client)
            elif client.chance(0.2):
                wishes = self._wishes(client.random)
        if not found():
            await client.insist("cancel_find_opponent")
            await client.until(found, _CROSSING_S)
        client.seeks = False
        return found()

    async def _change_mind(self, client: Client) -> None:
        """Cancel, or go, and come again."""
        if client.chance(0.5):
            await client.insist("cancel_find_opponent")
        else:
            client.go_away()
        await client.pause(0.0, 5.0)

    async def _block(self, client: Client) -> None:
        assert client.match is not None
        index = client.match.seat_of(client.player.id)
        assert index is not None
        await client.insist("block_player", blocked_id=client.match.seats[1 - index].player.id)

    def _wishes(self, random: Random) -> dict[str, Any]:
        return {
            "topic": random.choice(("General", " general")),
            "question_count": random.choice(_QUESTION_COUNTS),
            "time_limit_s": 5,
            "pace": random.choice(_PACES),
        }
