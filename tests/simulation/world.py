"""A world: a store, two nodes, the pairs and the faults of a plan on one virtual loop. Same plan, same trace."""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import structlog
from msgspec import Struct

from pairquiz_server.engine import matchmaker, opening, rematch, searches
from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.rating import Rating
from pairquiz_server.store.nodes import MovedMatch
from pairquiz_server.store.questions import StoredQuestion
from pairquiz_server.store.ratings import OVERALL, Standing
from tests.simulation.checker import Checker
from tests.simulation.company import Company
from tests.simulation.health import Service
from tests.simulation.invariants import Break, Counts, Invariant
from tests.simulation.loop import VirtualLoop
from tests.simulation.mishaps import Mishaps
from tests.simulation.model import Model
from tests.simulation.node import EPOCH_MS, Node
from tests.simulation.pair import Pair
from tests.simulation.plan import Plan
from tests.simulation.requests import Requests
from tests.simulation.results import Results
from tests.simulation.seekers import Queue
from tests.simulation.strangers import Strangers
from tests.simulation.weather import Weather

GENERAL = Topic(1, "General", 0)
BANK = {
    GENERAL: [
        StoredQuestion(number, f"Which is {number}?", tuple(str(number + place) for place in range(4)), 0, "en", None)
        for number in range(1, 13)
    ]
}
_LONGEST_AFTERWARDS_S = 600.0
STRANGERS_SHARE = 0.3
"""So many of those who come know nobody."""


class Line(Struct, frozen=True):
    """One line of a story: when (seconds), what kind of thing, of which match, or player who has none yet, and what."""

    at: float
    what: str
    whose: str | None
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


class World:
    """Everything that there is in one run."""

    def __init__(
        self,
        plan: Plan,
        *,
        keep_story: bool,
        answers_are_unique: bool = True,
        rematches_are_unique: bool = True,
        results_are_unique: bool = True,
        strangers_share: float = STRANGERS_SHARE,
    ) -> None:
        self.plan = plan
        self.loop = VirtualLoop()
        self.story: list[Line] = []
        self._keep_story = keep_story
        self._digest = blake2b(digest_size=8)
        self._strangers_share = strangers_share
        self.broken: Break | None = None
        self.weather = Weather(plan.random("weather"))
        self.checker = Checker(self)
        self.database_step_ms = 0
        self._service = Service()
        self.model = Model(
            BANK,
            committed=self.checker.committed,
            moved=self.checker.moved,
            now=self._database_ms,
            game_now=self.now_ms,
            answers_are_unique=answers_are_unique,
            rematches_are_unique=rematches_are_unique,
        )
        self.requests = Requests(self.model)
        self.results = Results(
            self.model, self._database_ms, written=self.checker.written, results_are_unique=results_are_unique
        )
        self.queue = Queue(self.model, self.results.ratings, self.checker.marked)
        self._failed: BaseException | None = None
        self.partitions = 0
        self.crashed_at = -float("inf")
        self.stepped_at = -float("inf")
        self._mishaps = Mishaps(self)
        self._tasks: dict[Any, None] = {}
        self._pairs_left = len(plan.pairs)
        self.nodes = [Node(self, 0, 0), Node(self, 1, 0)]

    def live(self) -> Report:
        """Let everything happen, to the end or to the first invariant that does not hold."""
        loop = self.loop
        self.run(self._let_pairs_come())
        for fault in self.plan.faults:
            loop.call_at(fault.at, self._mishaps.begin, fault)
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

    def known_as(self, player_id: str, random: Random) -> None:
        """Let a player be known as somebody of some strength."""
        rating = Rating(random.gauss(1500, 300), random.uniform(50, 200))
        self.results.ratings[player_id, OVERALL] = Standing(rating, 0, EPOCH_MS)

    def look_at_service(self) -> None:
        """Note whether there is any service now."""
        self._service.look(self.loop.time(), any(map(self.reaches, self.nodes)))

    def reaches(self, node: Node) -> bool:
        """Whether a node lives and the store hears it."""
        return self.weather.reachable and node.alive and not node.line.cut

    def alone(self, node: Node) -> bool:
        """Whether the store has no session of another node that is as old."""
        others = [other for other in self.nodes if other is not node and other.born_at <= node.born_at]
        return not any(other.line.has_session and not other.dead for other in others)

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
        if not self.partitions:
            for node in self.nodes:
                if node is not sender:
                    self.loop.call_later(delay_s, self._relayed, node, told)

    @property
    def served_s(self) -> float:
        """How long there has been service since the beginning."""
        return self._service.served_s(self.loop.time())

    def note(self, what: str, whose: str | None, text: Callable[[], str]) -> None:
        """Take something down: all runs make a digest of what happens when, and some keep the story.

        It is of a match, or of a player who has none yet, or concerns all.
        """
        at = self.loop.time()
        self._digest.update(f"{at!r} {what}\n".encode())
        if self._keep_story:
            self.story.append(Line(at, what, whose, text()))

    def breaks(self, invariant: Invariant, match_id: str | None, detail: str) -> None:
        """End the run, because something does not hold."""
        if self.broken is None:
            self.broken = Break(invariant, match_id, self.loop.time(), detail)
            self.note("BROKEN", match_id, lambda: f"{invariant}: {detail}")
            self.loop.stop()

    def _pair_of(self, match_id: str | None) -> int | None:
        host = self.checker.host_of.get(match_id) if match_id else None
        return None if host is None else int(host[1:].partition(".")[0])

    def _relayed(self, node: Node, told: Decision | MovedMatch) -> None:
        if node.alive and not self.partitions:
            node.deliver(told)

    async def _let_pairs_come(self) -> None:
        """Let one pair after the other come, each when its own chance says so."""
        arrivals = sorted((self.plan.arrival(number), number) for number in self.plan.pairs)
        for at, number in arrivals:
            await asyncio.sleep(at - self.loop.time())
            is_strange = self.plan.random("company", number).random() < self._strangers_share
            self.run(self._play(Strangers(self, number) if is_strange else Pair(self, number)))

    async def _play(self, company: Company) -> None:
        await company.play()
        self._pairs_left -= 1

    def _tick(self) -> None:
        self.checker.tick()
        if self._pairs_left or self._something_is_left():
            self.loop.call_later(0.25, self._tick)
        else:
            self.loop.stop()

    def _something_is_left(self) -> bool:
        """Whether nodes have still something to do, though everybody has gone."""
        if self.model.next_due(0) is not None or self.requests.find_agreed(0, self.now_ms()):
            return True
        return bool(self.queue.rows) or self.results.are_left()

    def _database_ms(self) -> int:
        return EPOCH_MS + self.database_step_ms + int(self.loop.time() * 1000)

    def _ended(self, task: Any) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = self._failed or error
            self.loop.stop()


def simulate(plan: Plan, *, keep_story: bool = False, **terms: Any) -> Report:
    """Run a plan, by the terms of a `World`. What the engine logs as an error is a break."""
    world = World(plan, keep_story=keep_story, **terms)
    with _logs_of(world), _ids_of(plan), _without_collections():
        try:
            return world.live()
        finally:
            world.loop.end()


@contextmanager
def _ids_of(plan: Plan) -> Iterator[None]:
    """While inside, the ids of new matches follow from the seed."""
    random = plan.random("ids")

    def drawn() -> UUID:
        return UUID(int=random.getrandbits(128), version=4)

    with ExitStack() as patches:
        for module in (matchmaker, opening, rematch, searches):
            patches.enter_context(patch.object(module, "uuid4", drawn))
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
