"""A world: a store, two nodes, the pairs and the faults of a plan on one virtual loop. Same plan, same trace."""

import gc
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any
from unittest.mock import patch
from uuid import UUID

import structlog
from msgspec import Struct

from pairquiz_server.engine import game
from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.decide import Decision
from pairquiz_server.store.nodes import MovedMatch
from pairquiz_server.store.questions import DrawnQuestion
from tests.simulation.invariants import Break, Checker, Counts
from tests.simulation.line import Weather
from tests.simulation.loop import VirtualLoop
from tests.simulation.model import Model
from tests.simulation.node import EPOCH_MS, Node
from tests.simulation.plan import Fault, Kind, Plan
from tests.simulation.player import Pair

GENERAL = Topic(1, "General", 0)
BANK = {
    GENERAL: [
        DrawnQuestion(number, f"Which is {number}?", tuple(str(number + place) for place in range(4)), 0, "en", None)
        for number in range(1, 13)
    ]
}
_LONGEST_AFTERWARDS_S = 600.0
UNCREDITED_S = 2.7
"""Two seconds, and the time since the last beat before, and that of a beat which a frozen store has done late."""


class Line(Struct, frozen=True):
    """One line of a story: when (seconds), what kind of thing, of which match, and what."""

    at: float
    what: str
    match_id: UUID | None
    text: str


class Report(Struct, frozen=True):
    """What became of a run. `story` is empty unless it was asked for."""

    plan: Plan
    broken: Break | None
    pair: int | None
    digest: str
    virtual_s: float
    counts: Counts
    story: list[Line]


class Service:
    """How much service there was: an outage that is too short for anybody to be credited counts as service."""

    def __init__(self) -> None:
        self._there = False
        self._since = 0.0
        self._sum_s = 0.0

    def look(self, now: float, there: bool) -> None:
        if there is not self._there:
            span_s = now - self._since
            self._sum_s += span_s if self._there or span_s <= UNCREDITED_S else 0.0
            self._there, self._since = there, now

    def served_s(self, now: float) -> float:
        """Return how long there has been service since the beginning, the present outage left out."""
        return self._sum_s + (now - self._since if self._there else 0.0)


class World:
    """Everything that there is in one run."""

    def __init__(self, plan: Plan, *, keep_story: bool, answers_are_unique: bool) -> None:
        self.plan = plan
        self.loop = VirtualLoop()
        self.noting = True
        self.story: list[Line] = []
        self._keep_story = keep_story
        self._digest = blake2b(digest_size=8)
        self.broken: Break | None = None
        self.weather = Weather(plan.random("weather"))
        self.checker = Checker(self)
        self._database_step_ms = 0
        self.service = Service()
        self.model = Model(
            BANK,
            plan.random("store"),
            committed=self.checker.committed,
            moved=self.checker.moved,
            now=lambda: EPOCH_MS + self._database_step_ms + int(self.loop.time() * 1000),
            game_now=self.now_ms,
            answers_are_unique=answers_are_unique,
        )
        self._failed: BaseException | None = None
        self._partitions = 0
        self._lives = [0, 0]
        self.crashed_at = -float("inf")
        self.stepped_at = -float("inf")
        self._tasks: dict[Any, None] = {}
        self._pairs_left = len(plan.pairs)
        self.nodes = [Node(self, 0, 0), Node(self, 1, 0)]

    def live(self) -> Report:
        """Let everything happen, to the end or to the first invariant that does not hold."""
        loop = self.loop
        for number in self.plan.pairs:
            self.run(self._play(Pair(self, number)))
        for fault in self.plan.faults:
            loop.call_at(fault.at, self._begin, fault)
        loop.call_later(0.25, self._tick)
        loop.run_out(self.plan.span_s + _LONGEST_AFTERWARDS_S)
        if self._failed is not None:
            raise self._failed  # the simulation's own fault, and not the engine's
        if self.broken is None:
            self.checker.finished()
        counts, at = self.checker.counts, loop.time()
        counts.conflicts = self.model.conflicts
        counts.lost_commits = self.weather.lost_commits
        pair = self._pair_of(self.broken.match_id) if self.broken else None
        return Report(self.plan, self.broken, pair, self._digest.hexdigest(), at, counts, self.story)

    def now_ms(self) -> int:
        """Return the game's time, as the node that is ahead of all others has it."""
        return max((node.clock.now() for node in self.nodes if node.alive), default=self.model.game_at or EPOCH_MS)

    def look_at_service(self) -> None:
        """Note whether there is any service now."""
        self.service.look(self.loop.time(), any(map(self.reaches, self.nodes)))

    def reaches(self, node: Node) -> bool:
        """Whether a node lives and the store hears it."""
        return self.weather.reachable and node.alive and not node.line.cut

    def serves(self, node: Node) -> bool:
        """Whether a node could do its work now."""
        return self.weather.reachable and node.alive and node.line.well

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def relay(self, sender: Node, told: Decision | MovedMatch, delay_s: float) -> None:
        """Carry an announcement to the other nodes."""
        if not self._partitions:
            for node in self.nodes:
                if node is not sender:
                    self.loop.call_later(delay_s, self._relayed, node, told)

    def note(self, what: str, match_id: UUID | None, text: str) -> None:
        """Take something down: all runs make a digest of it, and some keep it."""
        at = self.loop.time()
        self._digest.update(f"{at!r} {what} {match_id} {text}\n".encode())
        if self._keep_story:
            self.story.append(Line(at, what, match_id, text))

    def broken_by(self, broken: Break) -> None:
        if self.broken is None:
            self.broken = broken
            self.note("BROKEN", broken.match_id, f"{broken.invariant}: {broken.detail}")
            self.loop.stop()

    def _pair_of(self, match_id: UUID | None) -> int | None:
        host = self.checker.host_of.get(match_id) if match_id else None
        return None if host is None else int(host[1:])

    def _relayed(self, node: Node, told: Decision | MovedMatch) -> None:
        if node.alive and not self._partitions:
            node.deliver(told)

    async def _play(self, pair: Pair) -> None:
        await pair.play()
        self._pairs_left -= 1

    def _tick(self) -> None:
        self.checker.tick()
        if self._pairs_left or self.model.next_due(0) is not None:
            self.loop.call_later(0.25, self._tick)
        else:
            self.loop.stop()

    def _ended(self, task: Any) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = self._failed or error
            self.loop.stop()

    def _begin(self, fault: Fault) -> None:
        self.note("fault", None, str(fault))
        end: Callable[[], None] | None = None
        line = self.nodes[fault.node].line
        match fault.kind:
            case Kind.LOST_BEFORE | Kind.LOST_AFTER | Kind.LATE:
                line.armed.append(fault.kind)

                def end() -> None:
                    if fault.kind in line.armed:
                        line.armed.remove(fault.kind)
            case Kind.SLOW:
                line.slow += 1

                def end() -> None:
                    line.slow -= 1
            case Kind.DOWN:
                self.weather.down += 1

                def end() -> None:
                    self.weather.down -= 1
            case Kind.FROZEN:
                self.weather.frozen += 1

                def end() -> None:
                    self.weather.frozen -= 1
                    if not self.weather.frozen:
                        self.weather.thaw()
            case Kind.CRASH:
                if not self.nodes[fault.node].dead:
                    self.crashed_at = self.loop.time()
                    self.nodes[fault.node].kill()
                    if all(node.dead for node in self.nodes):
                        self.note("all nodes dead", None, "no node serves")

                    def end() -> None:
                        self._lives[fault.node] += 1
                        self.nodes[fault.node] = Node(self, fault.node, self._lives[fault.node])
            case Kind.CUT:
                line.cut += 1

                def end() -> None:
                    line.cut -= 1

            case Kind.STEP:
                self.stepped_at = self.loop.time()
                self._database_step_ms += int((fault.until - fault.at) * (-1000 if fault.node else 1000))
            case Kind.PARTITION:
                self._partitions += 1

                def end() -> None:
                    self._partitions -= 1
                    if not self._partitions:
                        for node in self.nodes:
                            if node.alive:
                                node.resynchronize()

        self.look_at_service()
        if end is not None:
            self.loop.call_at(fault.until, self._end, fault, end)

    def _end(self, fault: Fault, end: Callable[[], None]) -> None:
        self.note("fault ends", None, str(fault))
        end()
        self.look_at_service()


def simulate(plan: Plan, *, keep_story: bool = False, answers_are_unique: bool = True) -> Report:
    """Run a plan. What the engine logs as an error breaks an invariant."""
    world = World(plan, keep_story=keep_story, answers_are_unique=answers_are_unique)
    with _logs_of(world), _ids_of(plan), _without_collections():
        try:
            return world.live()
        finally:
            world.loop.end()


@contextmanager
def _ids_of(plan: Plan) -> Iterator[None]:
    """While inside, the ids of new matches follow from the seed."""
    random = plan.random("ids")
    with patch.object(game, "uuid4", lambda: UUID(int=random.getrandbits(128), version=4)):
        yield


@contextmanager
def _logs_of(world: World) -> Iterator[None]:
    """While inside, our own log goes nowhere, and an error in it is a break."""

    def hear(_: object, __: str, event: Any) -> Any:
        world.checker.fault(f"the log says {event}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, hear],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _without_collections() -> Iterator[None]:
    """While inside, nobody looks for garbage in cycles: there is little, and each look would go through every match."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
