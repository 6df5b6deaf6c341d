"""One process of the server, and the connections that players have to it: the real engine between two models."""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.heartbeat import Heartbeat, find_time
from pairquiz_server.engine.matchmaker import Matchmaker
from pairquiz_server.engine.presence import Presence
from pairquiz_server.engine.rater import Rated, Rater
from pairquiz_server.engine.rematch import Rematches, RematchRules
from pairquiz_server.engine.search import Hearers
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.sweeper import Sweeper
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.fairness import Worth
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.store.nodes import Beat, MovedMatch
from pairquiz_server.store.pool import StorageUnavailable
from tests.callers import Asking
from tests.simulation.connection import Connection, Listener, Reply, Request
from tests.simulation.line import Line
from tests.simulation.requests import RequestLine
from tests.simulation.results import ResultLine
from tests.simulation.seekers import SeekerLine

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
    start_delay_ms=1_500,
)
REMATCHES = RematchRules(start_delay_ms=1_500, ready_ttl_ms=40_000)
_DRIFT = 50e-6
_RELAY_S = (0.0005, 0.004)
BESIDE = frozenset({"view", "find_opponent", "cancel_find_opponent", "block_player"})
"""What changes no match by itself."""


def nobody_is_barred(player_id: str) -> None:
    """Everybody may play."""


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
                    forgotten=self._forgotten,
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
                rematches = Rematches(
                    requests,
                    line,
                    self.game.draws,
                    self.committer,
                    clock,
                    REMATCHES,
                    check=nobody_is_barred,
                    tell=self.tell_request,
                )
                self.game.rematches = rematches
                queue: Any = SeekerLine(self.line, self.world.queue)
                hearers = Hearers(
                    search=lambda *_: None,
                    end=lambda *_: None,
                    look_after=self._look_after,
                    present=lambda player_id: player_id in self.connections,
                )
                find_topic = self.game.draws.topic
                self.searches = Searches(queue, find_topic, clock, node_id, RULES, hearers)
                matchmaker = Matchmaker(
                    queue,
                    self.searches,
                    find_topic,
                    self.committer,
                    clock,
                    node_id,
                    RULES,
                    ready=heartbeat.ready,
                )
                results: Any = ResultLine(self.line, self.world.results)
                rater = Rater(results, clock, node_id, Worth(), self._rated)
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
            for part in (self.committer, self.sweeper, heartbeat, self.presence, rematches, matchmaker, rater):
                self._run(part.run())

    def connect(self, listener: Listener, random: Random) -> Connection:
        connection = Connection(self, listener, random)
        player_id = listener.player.id
        if not self.connections.get(player_id):
            self.presence.came(player_id)
        self.connections.setdefault(player_id, {})[connection] = None
        if listener.seeks:
            self._run(self._show(connection))  # a match may have been found meanwhile
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
                self.searches.went(player_id, cause)

    def kill(self) -> None:
        """Die as by SIGKILL: nothing is finished, and every connection breaks."""
        self.alive = False
        self.dead = True
        self.line.end()
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

    def _forgotten(self) -> None:
        self.presence.restore()
        self.searches.forgotten()

    def _rated(self, rated: Sequence[Rated]) -> None:
        self.world.checker.rated(rated)

    def resynchronize(self) -> None:
        """Send everybody the state of their live matches, as after a time in which announcements were lost."""
        for player_id in list(self.connections):
            self._look_after(player_id)

    def _look_after(self, player_id: str) -> None:
        """Send a player the state of live matches of which nothing may have been heard here."""
        for connection in list(self.connections.get(player_id, ())):
            self._run(self._show(connection))

    async def _show(self, connection: Connection) -> None:
        try:
            matches = await self.game.live_matches(connection.listener.player.id)
        except Refused:
            connection.close(Cause.CLOSED)  # whoever comes again reads for itself
            return
        for match in matches:
            connection.send(connection.listener.see, match)

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

        if request.verb in BESIDE:
            try:
                settled(await self._beside(request))
            except Refused as refusal:
                settled(refusal)
            except StorageUnavailable:
                settled(Refused(Code.STORAGE_UNAVAILABLE))
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

    async def _beside(self, request: Request) -> Reply:
        """Do what changes no match. Raises `Refused` and `StorageUnavailable`."""
        player_id, wishes = request.player.id, request.wishes
        match request.verb:
            case "find_opponent":
                return await self.searches.find(request.player, **wishes)
            case "cancel_find_opponent":
                return await self.searches.cancel(player_id)
            case "block_player":
                return bool(await self.line.carry(partial(self.world.queue.block, player_id, **wishes)))
        return Decision(await self.game.view(player_id, **wishes))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.world.checker.fault(f"a task of node {self.number} ended by {error!r}")
