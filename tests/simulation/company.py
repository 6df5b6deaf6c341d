"""People who play together: a match, and then perhaps some more against the same opponent."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.match import Match, Status
from tests.simulation.client import Client
from tests.simulation.playing import Playing

if TYPE_CHECKING:
    from tests.simulation.world import World

_LONGEST_SERIES = 4


class Company:
    """Some people who come at the same time. `play` returns when none of them does anything more."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.random: Random = world.plan.random("pair", number)
        self.never_starts = self.random.random() < 0.02
        self.likes_rematches = self.random.random() < 0.15
        self.clients: list[Client] = []

    def client(self, name: str, *whose: object) -> Client:
        """Return the app of somebody who belongs to them."""
        client = Client(self.world, name, self.world.plan.random(*whose))
        self.clients.append(client)
        return client

    async def play(self) -> None:
        """Play, and go."""
        await self.come()
        self.world.checker.company_is_done(self.clients)
        for client in self.clients:
            client.go_away()

    async def come(self) -> None:
        """Do all that is to be done before they go."""
        raise NotImplementedError

    async def series(self, client: Client) -> None:
        """Play a match, and then perhaps some more against the same opponent."""
        await Playing(self, client).play()
        for _ in range(_LONGEST_SERIES):
            if not self.likes_rematches or not await self._again(client):
                return
            await Playing(self, client).play()

    async def _again(self, client: Client) -> bool:
        """Ask for a rematch, or not; return whether there is one."""
        old = client.match
        assert old is not None
        if old.status is not Status.COMPLETED and client.chance(0.9):
            return False
        if client.chance(0.4):
            await client.until(lambda: client.is_asked, client.random.uniform(0.5, 6))
        if client.chance(0.15):
            return False
        client.wants_rematch = True
        try:
            for _ in range(client.random.randint(1, 6)):
                if not await self._ask_again(client, old):
                    return False
                if await client.until(lambda: client.match_id != old.id, client.random.uniform(1, 9)):
                    return True
        finally:
            client.wants_rematch = False
        return False

    async def _ask_again(self, client: Client, old: Match) -> bool:
        """Send a request for a rematch, and now and then go away or send two; return whether it is taken."""
        wish = {"match_id": old.id}
        if client.chance(0.05):
            await asyncio.gather(client.ask("request_rematch", **wish), client.ask("request_rematch", **wish))
        outcome = await client.insist("request_rematch", **wish)
        if isinstance(outcome, Decision) and outcome.match.id != old.id and client.match_id == old.id:
            client.adopt(outcome.match)
        elif client.chance(0.05):
            client.go_away()
            await client.pause(0.5, 9.0)
            await client.connect()
        return isinstance(outcome, Decision)
