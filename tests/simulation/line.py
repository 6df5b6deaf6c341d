"""A node's line to the store: everything takes its time, and the line does what the plan's faults say.

It stands where `Matches`, `Questions`, `SeenRows`, `Nodes` and `PresenceRows` of `store` stand: the same methods, and
`StorageUnavailable` where the store does not answer in time. What has left the node reaches the store, even if the
node is dead by then.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from msgspec import Struct

from pairquiz_server.rules.match import Match
from pairquiz_server.store.matches import DueMatch
from pairquiz_server.store.nodes import Beat, ClockReading
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import Returned, SeatTaken
from pairquiz_server.store.questions import FoundTopic, StoredQuestion, TopicCount
from pairquiz_server.store.rows import Change
from pairquiz_server.store.seen import LastAnswers
from tests.simulation.model import Model
from tests.simulation.plan import Kind
from tests.simulation.weather import Weather

COMMAND_TIMEOUT_S = 1.5
MOVE_TIMEOUT_S = 30.0
_WAY_S = (0.0002, 0.002)
_SLOW_WAY_S = (0.02, 0.9)


class Over(StrEnum):
    """By which connection something goes to the store."""

    WRITER = "writer"
    PROBE = "probe"
    POOL = "pool"


_CONNECTIONS = {Over.WRITER: 1, Over.PROBE: 1, Over.POOL: 4}


class Errand(Struct, eq=False):
    """What is on its way to the store, and how long its answer takes for the way back (seconds)."""

    work: Callable[[], Any]
    answer: asyncio.Future[Any]
    over: Over
    trouble: Kind | None
    back_s: float


class Line:
    """One node's way to the model. `armed` are the faults that its next writes meet.

    `alone` tells whether the store has a session of no older node; where a line breaks, the store knows it at once.
    """

    def __init__(self, model: Model, weather: Weather, random: Random, alone: Callable[[], bool]) -> None:
        self._model = model
        self._weather = weather
        self._random = random
        self._alone = alone
        self.has_session = False
        self.ended = False
        self._node: UUID | None = None
        self.armed: list[Kind] = []
        self.slow = 0
        self.cut = 0
        self._connected = dict(_CONNECTIONS)
        self._lost: set[Over] = set()
        self._read: dict[int, StoredQuestion] = {}
        """What was read once is at hand from then on, as in `Questions`."""
        self._available = asyncio.Event()
        self._available.set()

    @property
    def well(self) -> bool:
        return not self.slow and not self.cut and not self.armed

    async def save(self, changes: Iterable[Change], node: UUID | None = None, number: int = 0) -> frozenset[str]:
        changes = list(changes)
        trouble = self.armed.pop(0) if self.armed else None
        return await self._ask(lambda: self._model.save(changes, node, number), trouble, over=Over.WRITER)

    async def register(self, node: UUID) -> None:
        await self._ask(lambda: self._model.register(node), over=Over.WRITER)

    async def resolve(self, node: UUID, number: int) -> frozenset[str] | None:
        return await self._ask(lambda: self._model.resolve(node, number), over=Over.WRITER)

    async def load(self, ids: Sequence[str]) -> dict[str, Match]:
        return await self._ask(lambda: self._model.load(ids))

    async def find_by_code(self, code: str, player_id: str) -> str | None:
        return await self._ask(lambda: self._model.find_by_code(code, player_id))

    async def find_before_creation(
        self, player_id: str, request_id: str | None, count_to: int
    ) -> tuple[str | None, int]:
        return await self._ask(lambda: self._model.find_before_creation(player_id, request_id, count_to))

    async def find_live_of(self, players: Sequence[str]) -> dict[str, list[str]]:
        return await self._ask(lambda: self._model.find_live_of(players))

    async def find_due(self, at: int, limit: int) -> list[DueMatch]:
        return await self._ask(lambda: self._model.find_due(at, limit))

    async def next_due(self, after: int) -> int | None:
        return await self._ask(lambda: self._model.next_due(after))

    async def find_ticks(self, at: int, limit: int) -> list[DueMatch]:
        return await self._ask(lambda: self._model.find_ticks(at, limit))

    async def next_tick(self, after: int) -> int | None:
        return await self._ask(lambda: self._model.next_tick(after))

    async def forget_requests(self, before: int) -> None:
        return await self._ask(lambda: self._model.forget_requests(before))

    async def list_topics(self) -> list[TopicCount]:
        raise NotImplementedError("nobody asks for topics here")

    async def find_topic(self, name: str) -> FoundTopic | None:
        return await self._ask(lambda: self._model.find_topic(name))

    def at_hand(self, ids: Iterable[int]) -> Mapping[int, StoredQuestion] | None:
        return self._read if self._read.keys() >= set(ids) else None

    async def read(self, ids: Iterable[int]) -> dict[int, StoredQuestion]:
        found: dict[int, StoredQuestion] = await self._ask(lambda: self._model.read(ids))
        self._read |= found
        return found

    async def find_last(self, players: Sequence[str]) -> dict[str, LastAnswers]:
        return await self._ask(lambda: self._model.find_last(players))

    async def read_clock(self) -> ClockReading:
        return await self._ask(self._model.read_clock)

    async def alone(self) -> bool:
        return bool(await self._ask(self._alone))

    async def enter(self, node: UUID, now: int) -> None:
        await self._ask(lambda: self._model.enter(node, now))

    async def beat(
        self, node: UUID, now: int, overlooked_ms: int, *, after_silence: bool, expected_at: int | None = None
    ) -> Beat:
        """Also tells whether the store is there at all: while it is not, nothing else is tried."""
        try:
            # Whoever has to connect anew is given up as soon as others are.
            connected = self._connected[Over.PROBE] and Over.PROBE not in self._lost and not self.cut
            beat: Beat = await self._ask(
                lambda: self._beat(node, now, overlooked_ms, expected_at),
                over=Over.PROBE,
                patience_s=MOVE_TIMEOUT_S if after_silence and connected else COMMAND_TIMEOUT_S,
            )
        except StorageUnavailable:
            self._available.clear()
            raise
        self._available.set()
        return beat

    def _beat(self, node: UUID, now: int, overlooked_ms: int, expected_at: int | None) -> Beat:
        self._node = node
        beat = self._model.beat(node, now, overlooked_ms, expected_at)
        if self.cut or self.ended:  # what was on its way is done, and then the session ends
            self.lose_session()
        return beat

    def lose_session(self) -> None:
        """Let the store know that the line is broken."""
        self.has_session = False
        if self._node is not None:
            self._model.session_ends(self._node)

    def end(self) -> None:
        """Break for ever: the node is dead."""
        self.ended = True
        self.lose_session()

    async def bury(self, silent_ms: int) -> dict[str, int]:
        return await self._ask(lambda: self._model.bury(silent_ms))

    async def note(self, node: UUID, came: Mapping[str, int], went: Sequence[str]) -> list[str]:
        await self._ask(lambda: self._model.note(node, came, went))
        return await self.find_absent(went) if went else []

    async def find_absent(self, players: Sequence[str]) -> list[str]:
        return await self._ask(lambda: self._model.find_absent(players))

    async def find_seats(self, players: Sequence[str]) -> list[SeatTaken]:
        return await self._ask(lambda: self._model.find_seats(players))

    async def find_returned(self, matches: Sequence[str]) -> list[Returned]:
        return await self._ask(lambda: self._model.find_returned(matches))

    async def find_unmarked(self, silent_ms: int) -> list[str]:
        return await self._ask(lambda: self._model.find_unmarked(silent_ms))

    async def find_mistakes(self) -> list[SeatTaken]:
        return await self._ask(self._model.find_mistakes)

    async def carry(self, work: Callable[[], Any]) -> Any:
        """Let something else be done at the store."""
        return await self._ask(work)

    @property
    def available(self) -> bool:
        return self._available.is_set()

    def try_again(self) -> None:
        """Forget that the store was not there: a new process does not know."""
        self._available.set()

    async def back(self) -> None:
        await self._available.wait()

    async def _ask(
        self,
        work: Callable[[], Any],
        trouble: Kind | None = None,
        *,
        over: Over = Over.POOL,
        patience_s: float = COMMAND_TIMEOUT_S,
    ) -> Any:
        """Send work to the store and wait for what it says."""
        if over is not Over.PROBE and not self.available:
            raise StorageUnavailable("the store was not there a moment ago")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        shortest, longest = _SLOW_WAY_S if self.slow else _WAY_S
        there, back = self._random.uniform(shortest, longest), self._random.uniform(shortest, longest)
        if trouble is Kind.LATE:
            there += COMMAND_TIMEOUT_S
        if self.cut:
            self._lost.add(over)
            if self._random.random() < 0.5:  # else nothing tells
                loop.call_later(there, _fail, answer, "the line is cut")
        elif trouble is Kind.LOST_BEFORE:
            loop.call_later(there, _fail, answer, "the line is cut")
        else:
            loop.call_later(there, self._reach, Errand(work, answer, over, trouble, back))
            if trouble is Kind.LOST_AFTER:
                loop.call_later(there + back, _fail, answer, "the line is cut")
        patience = loop.call_later(patience_s, _fail, answer, "no answer in time")
        try:
            return await answer
        finally:
            patience.cancel()

    def _reach(self, errand: Errand) -> None:
        """Something has come to the store."""
        if not self._weather.frozen:
            self._do(errand)
        elif self._connected[errand.over] and errand.over not in self._lost:
            # It ends with this one's patience, and a frozen store makes no new ones.
            self._connected[errand.over] -= 1
            self._weather.keep(partial(self._thaw, errand))

    def _thaw(self, errand: Errand) -> None:
        self._connected[errand.over] += 1
        self._reach(errand)

    def _do(self, errand: Errand) -> None:
        self._lost.discard(errand.over)
        call_later = asyncio.get_running_loop().call_later
        if self._weather.down:
            call_later(errand.back_s, _fail, errand.answer, "the store is down")
            return
        self.has_session = True
        try:
            result = errand.work()
        except Exception as error:  # the statement failed, and its asker hears why
            call_later(errand.back_s, _raise, errand.answer, error)
            return
        if errand.trouble is Kind.LOST_AFTER:
            self._weather.lost_commits += 1
        else:
            call_later(errand.back_s, _give, errand.answer, result)


def _give(answer: asyncio.Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _raise(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _fail(answer: asyncio.Future[Any], reason: str) -> None:
    _raise(answer, StorageUnavailable(reason))
