"""A player's app: one connection at a time, what it knows of its match, and commands that it repeats until answered."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.nodes import MovedMatch
from tests.simulation.connection import Connection, Reply

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.world import World

LOST_UNNOTICED_S = 5.0
PATIENCE_S = 20.0
"""After so long without a reply an app takes its line for dead, and connects anew."""
MOST_TRIES = 60
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
"""Each refusal that is worth another try doubles an app's pause, up to this one."""


class Client:
    """The app of one player of a pair."""

    def __init__(self, world: "World", name: str, random: Random) -> None:
        self.world = world
        self.player = Player(name, PlayerKind.GUEST, name)
        self.random = random
        self.match_id: str | None = None
        self.match: Match | None = None
        self._connection: Connection | None = None
        self._looking = False
        self.wants_rematch = False
        self.is_asked = False
        self.seeks = False
        self._woken: asyncio.Future[None] | None = None

    @property
    def over(self) -> bool:
        return self.match is not None and self.match.status not in LIVE

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def node(self) -> "Node":
        """The node that this player is connected to."""
        assert self._connection is not None
        return self._connection.node

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    async def pause(self, shortest_s: float, longest_s: float) -> None:
        await asyncio.sleep(self.random.uniform(shortest_s, longest_s))

    async def connect(self) -> None:
        """Connect to any node that lives, and read what has happened meanwhile."""
        while self._connection is None:
            alive = [node for node in self.world.nodes if node.alive]
            if alive:
                self._connection = self.random.choice(alive).connect(self, self.random)
                self.world.checker.came(self)
                if self.match_id is not None:
                    await self.look()
            else:
                await self.pause(0.2, 1.0)

    def go_away(self) -> None:
        """Close the connection, or lose it so that the node notices later; what is under way gets no reply."""
        if self._connection is None:
            return
        if self.chance(0.5):
            self._connection.close(Cause.CLOSED)
        else:
            self._connection.close(Cause.CONNECTION_LOST, self.random.uniform(0, LOST_UNNOTICED_S))

    def lose_connection(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
            self.world.checker.went(self)

    async def ask(self, verb: str, **wishes: Any) -> Reply | None:
        """Send a command once, and return its reply: None where none came."""
        if self._connection is None:
            await self.pause(0.05, 1.5)
            await self.connect()
        connection = self._connection
        if connection is None:
            return None
        reply = connection.request(verb, wishes)
        patience = self.world.loop.call_later(PATIENCE_S, connection.close, Cause.CLOSED)
        outcome = await reply
        patience.cancel()
        if isinstance(outcome, Decision):
            self.learn(outcome.match)
        return outcome

    async def insist(self, verb: str, **wishes: Any) -> Reply | None:
        """Send a command, the same again and again, until there is a reply that stays."""
        longest_s = FIRST_PAUSE_S
        for _ in range(MOST_TRIES):
            outcome = await self.ask(verb, **wishes)
            if isinstance(outcome, Decision | bool) or (outcome is not None and not outcome.retry):
                return outcome
            await self.pause(longest_s / 2, longest_s)
            longest_s = min(longest_s * 2, LONGEST_PAUSE_S) if outcome is not None else FIRST_PAUSE_S
        return None

    async def look(self) -> None:
        """Read the whole state."""
        if self.match_id is not None:
            await self.insist("view", match_id=self.match_id)

    async def until(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something holds that news could have changed; return whether it does."""
        loop = self.world.loop
        deadline = loop.time() + timeout_s
        while not holds():
            if loop.time() >= deadline:
                return False
            self._woken = loop.create_future()
            timer = loop.call_at(deadline, self._wake)
            await self._woken
            timer.cancel()
        return True

    def hear(self, decision: Decision) -> None:
        """An announcement has arrived."""
        self._notice(decision.match)
        if self.wants_rematch and decision.match.previous_id == self.match_id:
            self.adopt(decision.match)
        if self.match_id is None or decision.match.id != self.match_id:
            return  # a match that this app has given up, or does not know yet
        self.world.checker.heard(self, self._connection, decision)
        known = self.match.version if self.match else 0
        first = decision.events[0].version
        if decision.match.version > known and first > known + 1:
            self.world.checker.gap(self)
            self._start_mending()
        self.learn(decision.match)

    def hear_delay(self, moved: MovedMatch) -> None:
        """A match's clocks were moved, after an outage."""
        if moved.id == self.match_id and self.match is not None and moved.version > self.match.version:
            self._start_mending()

    def hear_request(self, match: Match) -> None:
        """The opponent asks for a rematch."""
        if match.id == self.match_id:
            self.is_asked = True
            self._wake()

    def adopt(self, match: Match) -> None:
        """Play another match from now on: the rematch of the one before, or what a search has brought."""
        self.match_id, self.match = match.id, match
        self.wants_rematch = self.is_asked = self.seeks = False
        self._wake()

    def see(self, match: Match) -> None:
        """A whole state has arrived that nobody has asked for."""
        self._notice(match)
        self.learn(match)

    def learn(self, match: Match) -> None:
        if match.id == self.match_id and (self.match is None or match.version >= self.match.version):
            self.match = match
            self._wake()

    def _notice(self, match: Match) -> None:
        """Perhaps this is the match of an opponent who was looked for."""
        if self.seeks and match.origin is Origin.SEARCH and match.id != self.match_id and match.status in LIVE:
            self.adopt(match)

    def _start_mending(self) -> None:
        if not self._looking:
            self._looking = True
            self.world.run(self._mend())

    async def _mend(self) -> None:
        try:
            await self.look()
        finally:
            self._looking = False

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
