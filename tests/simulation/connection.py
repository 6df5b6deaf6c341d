"""A player's line to a node, what is asked by it, and who hears what comes back."""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from pairquiz_server.store.nodes import MovedMatch

if TYPE_CHECKING:
    from tests.simulation.node import Node

_WAY_S = (0.005, 0.06)
_MOST_LAG_MS = 400
_APART = 1e-6

Reply = Decision | Refused | bool
"""What a command is answered: what became of its match, why not, or whether something is so that concerns none."""


class Listener(Protocol):
    """Whoever has a connection."""

    player: Player
    seeks: bool

    def hear(self, decision: Decision) -> None:
        """Take what is announced."""

    def hear_delay(self, moved: MovedMatch) -> None:
        """Take that a match's clocks were moved."""

    def hear_request(self, match: Match) -> None:
        """Take that the other asks for a rematch."""

    def see(self, match: Match) -> None:
        """Take a whole state that nobody has asked for."""

    def lose_connection(self, connection: "Connection") -> None:
        """The line is broken, or was closed."""


class Request(Struct, eq=False):
    """One packet of a player that wants a reply: what it asks, when it arrived, how often it was answered."""

    player: Player
    verb: str
    wishes: dict[str, Any]
    reply: asyncio.Future[Reply | None]
    connection: "Connection"
    arrived_at: int = 0
    replies: int = 0


class Connection:
    """A line between a player and a node. What goes down arrives in its order, or not at all."""

    def __init__(self, node: "Node", listener: Listener, random: Random) -> None:
        self.node = node
        self.listener = listener
        self.open = True
        self._way_s = random.uniform(*_WAY_S)
        # Not measured yet, as it is, or as a cheat lets it look.
        chance = node.world.plan.random("lag", listener.player.id, node.loop.time())
        self.lag_ms = chance.choice((0, int(self._way_s * 2000), chance.randint(0, _MOST_LAG_MS)))
        self._last_at = 0.0
        self._requests: dict[int, Request] = {}
        self.heard: set[tuple[str, Event]] = set()

    def request(self, verb: str, wishes: dict[str, Any]) -> asyncio.Future[Reply | None]:
        """Send a command; the reply is None where the connection is gone before it."""
        loop = self.node.loop
        reply: asyncio.Future[Reply | None] = loop.create_future()
        request = Request(self.listener.player, verb, wishes, reply, self)
        self._requests[id(request)] = request
        loop.call_later(self._way_s, self.node.take, request)
        return reply

    def send(self, act: Any, *arguments: object) -> None:
        """Let something happen at the player's end, after all that was sent before."""
        loop = self.node.loop
        self._last_at = max(self._last_at + _APART, loop.time() + self._way_s)
        loop.call_at(self._last_at, self._arrive, act, arguments)

    def answer(self, request: Request, reply: Reply) -> None:
        self._requests.pop(id(request), None)
        if not request.reply.done():
            request.reply.set_result(reply)

    def close(self, cause: Cause, noticed_after_s: float = 0.0) -> None:
        """Close or break the line: no reply comes any more. The node notices a broken one later."""
        if not self.open:
            return
        self.open = False
        self.node.loop.call_later(self._way_s + noticed_after_s, self.node.disconnect, self, cause)
        self.listener.lose_connection(self)
        for request in self._requests.values():
            if not request.reply.done():
                request.reply.set_result(None)
        self._requests.clear()

    def _arrive(self, act: Any, arguments: tuple[object, ...]) -> None:
        if self.open:
            act(*arguments)
