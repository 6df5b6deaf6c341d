"""One process of the server, and the connections that players have to it: the real engine between two models."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from msgspec import Struct

from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.heartbeat import Heartbeat, find_time
from pairquiz_server.engine.presence import Presence
from pairquiz_server.engine.rematch import Rematches, RematchRules
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.sweeper import Sweeper
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.store.nodes import Beat, MovedMatch
from pairquiz_server.store.pool import StorageUnavailable
from tests.callers import Asking
from tests.simulation.line import Line
from tests.simulation.requests import RequestLine

if TYPE_CHECKING:
    from tests.simulation.world import World

EPOCH_MS = 1_700_000_000_000
MARGIN_MS = 301
PACE_S = 0.004
PATIENCE = Patience(lost_ms=15_000, closed_ms=10_000, budget_ms=20_000)
LAG_ALLOWANCE = LagAllowance(answer_ms=300, bank_a_question_ms=60)
RULES = GameRules(
    question_count=5,
    time_limit_s=5,
    scoring=Scoring(),
    waiting_ttl_ms=40_000,
    ready_ttl_ms=40_000,
    patience=PATIENCE,
    lag_allowance=LAG_ALLOWANCE,
    round_pause_ms=700,
)
REMATCHES = RematchRules(start_delay_ms=1_500, ready_ttl_ms=40_000)
_DRIFT = 50e-6
_WAY_S = (0.005, 0.06)
_MOST_LAG_MS = 400
_RELAY_S = (0.0005, 0.004)
_APART = 1e-6

Reply = Decision | Refused


def nobody_is_barred(player_id: str) -> None:
    """Everybody may play."""


class Listener(Protocol):
    """Whoever has a connection."""

    player: Player

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


class NodeClock:
    """`engine.clock.Clock` on virtual time; `rate` is how fast this node's monotonic clock runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start_ms: int, rate: float) -> None:
        self._loop = loop
        self._rate = rate
        self._offset = start_ms - self._monotonic_ms()

    def now(self) -> int:
        return self._offset + self._monotonic_ms()

    def advance_to(self, at: int) -> None:
        self._offset += max(at - self.now(), 0)

    def _monotonic_ms(self) -> int:
        return int(self._loop.time() * self._rate * 1000)


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


class Node:
    """The real committer, game and sweeper on one line to the store. It lives until it is killed."""

    def __init__(self, world: "World", number: int, life: int) -> None:
        self.world = world
        self.number = number
        self.loop = world.loop
        self.random = world.plan.random("node", number, life)
        self.line = Line(world.model, world.weather, self.random, lambda: world.alone(self))
        self.connections: dict[str, dict[Connection, None]] = {}
        self.alive = False
        self.dead = False
        self.born_at = self.loop.time()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._run(self._boot())

    async def _boot(self) -> None:
        """Do what `node.running` does: join the other nodes' time, and serve. Where it fails, do it again."""
        line: Any = self.line
        while not self.alive:
            node_id = UUID(int=self.random.getrandbits(128), version=4)
            try:
                rate = 1 + self.random.uniform(-_DRIFT, _DRIFT)
                self.clock = NodeClock(self.loop, await find_time(line, line), rate)
                clock: Any = self.clock
                await self.line.enter(node_id, self.clock.now())
                heartbeat = Heartbeat(
                    line,
                    clock,
                    node_id,
                    moved=self._moved,
                    forgotten=lambda: self.presence.restore(),
                    returned=self.resynchronize,
                )
                self.committer = Committer(line, self.announce, pace_s=PACE_S, ready=heartbeat.ready, node=node_id)
                self.presence = Presence(line, line, self.committer, clock, node_id, RULES.patience)
                self.seen = Seen(self.line.find_last, self.committer.cached, heartbeat.solitude)
                self.game = Game(
                    line,
                    line,
                    self.committer,
                    clock,
                    RULES,
                    seen=self.seen,
                    random=self.random,
                    trip_ms=self._trip_ms,
                )
                requests: Any = RequestLine(self.line, self.world.requests)
                parts = (requests, line, self.game.draws, self.committer, clock, REMATCHES)
                rematches = Rematches(*parts, check=nobody_is_barred, tell=self.tell_request)
                self.game.rematches = rematches
                by_itself = self.game.by_itself
                self.sweeper = Sweeper(
                    line, line, self.committer, clock, by_itself, margin_ms=MARGIN_MS, ready=heartbeat.ready
                )
                await heartbeat.beat()
            except StorageUnavailable:
                self.line.try_again()
                await asyncio.sleep(0.5)
                continue
            self.alive = True
            self.world.look_at_service()
            self.world.note("serves", None, lambda: f"node {self.number}")
            for part in (self.committer, self.sweeper, heartbeat, self.presence, rematches):
                self._run(part.run())

    def connect(self, listener: Listener, random: Random) -> Connection:
        connection = Connection(self, listener, random)
        player_id = listener.player.id
        if not self.connections.get(player_id):
            self.presence.came(player_id)
        self.connections.setdefault(player_id, {})[connection] = None
        return connection

    def disconnect(self, connection: Connection, cause: Cause) -> None:
        """Notice that a connection is gone."""
        player_id = connection.listener.player.id
        of_player = self.connections.get(player_id, {})
        if self.alive and connection in of_player:
            del of_player[connection]
            if not of_player:
                del self.connections[player_id]
                self.presence.went(player_id, cause)

    def kill(self) -> None:
        """Die as by SIGKILL: nothing is finished, and every connection breaks."""
        self.alive = False
        self.dead = True
        for task in self._tasks:
            task.cancel()
        for connections in list(self.connections.values()):
            for connection in list(connections):
                connection.close(Cause.CONNECTION_LOST)
        self.connections.clear()

    def announce(self, decision: Decision, origin: object) -> None:
        if not self.alive:
            return
        self.world.checker.announced(self, decision)
        self.deliver(decision, origin)
        self.world.relay(self, decision, self.random.uniform(*_RELAY_S))
        self.presence.watch(decision)
        self.sweeper.watch(decision)
        self.seen.watch(decision)

    def deliver(self, told: Decision | MovedMatch, origin: object = None) -> None:
        """Tell this node's own connections."""
        if isinstance(told, MovedMatch):
            for player_id in (told.player1_id, told.player2_id):
                for connection in self.connections.get(player_id or "", ()):
                    connection.send(connection.listener.hear_delay, told)
            return
        for seat in told.match.seats:
            for connection in self.connections.get(seat.player.id, ()):
                if connection is not origin:
                    connection.send(connection.listener.hear, told)

    def _trip_ms(self, player_id: str) -> int | None:
        return min((one.lag_ms for one in self.connections.get(player_id, ())), default=None)

    def tell_request(self, match: Match, seat: int) -> None:
        """Tell this node's own connections of a request for a rematch; those of others may come to know or not."""
        for connection in self.connections.get(match.seats[seat].player.id, ()):
            connection.send(connection.listener.hear_request, match)

    def _moved(self, beat: Beat) -> None:
        self.committer.forget(match.id for match in beat.moved)
        for match in beat.moved:
            self.deliver(match)
            self.world.relay(self, match, self.random.uniform(*_RELAY_S))

    def resynchronize(self) -> None:
        """Send everybody the state of their live matches, as after a time in which announcements were lost."""

        async def show(connection: Connection) -> None:
            try:
                matches = await self.game.live_matches(connection.listener.player.id)
            except Refused:
                connection.close(Cause.CLOSED)  # whoever comes again reads for itself
                return
            for match in matches:
                connection.send(connection.listener.see, match)

        for connections in list(self.connections.values()):
            for connection in list(connections):
                self._run(show(connection))

    def take(self, request: Request) -> None:
        """A packet has arrived."""
        if self.alive and request.connection.open:
            request.arrived_at = self.clock.now()
            self.world.checker.arrived(self, request)
            self._run(self._carry_out(request))

    async def _carry_out(self, request: Request) -> None:
        def settled(outcome: Reply) -> None:
            if not self.alive:
                return
            self.world.checker.settled(self, request, outcome)
            if request.connection.open:
                request.connection.send(request.connection.answer, request, outcome)

        if request.verb == "view":
            try:
                settled(Decision(await self.game.view(request.player.id, **request.wishes)))
            except Refused as refusal:
                settled(refusal)
            return
        caller = Asking(player=request.player, arrived_at=request.arrived_at, tell=settled, origin=request.connection)
        measured = {"lag_ms": request.connection.lag_ms} if request.verb == "submit_answer" else {}
        try:
            work = getattr(self.game, request.verb)(caller, **request.wishes, **measured)
            if work is not None:
                await work
        except Exception as error:
            self.world.checker.fault(f"{request.verb} raised {error!r}")
            settled(Refused(Code.INTERNAL))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.checker.fault(f"a task of node {self.number} ended by {error!r}")
