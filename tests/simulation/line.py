"""A node's line to the store: everything takes its time, and the line does what the plan's faults say.

It stands where `store.matches.Matches` and `store.questions.Questions` stand: the same methods, `StorageUnavailable`
where the store does not answer in time. What has left the node reaches the store, even if the node is dead by then.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any
from uuid import UUID

from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.match import Match
from pairquiz_server.store.matches import DueMatch
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.questions import DrawnQuestion
from pairquiz_server.store.rows import Change
from tests.simulation.model import Model
from tests.simulation.plan import Kind

COMMAND_TIMEOUT_S = 1.5
_WAY_S = (0.0002, 0.002)
_SLOW_WAY_S = (0.02, 0.9)


class Weather:
    """What the lines of all nodes suffer now. Frozen work is done at the thaw, in the order in which it came."""

    def __init__(self) -> None:
        self.down = 0
        self.frozen = 0
        self.frozen_work: list[Callable[[], None]] = []

    @property
    def reachable(self) -> bool:
        return not self.down and not self.frozen

    def thaw(self) -> None:
        work, self.frozen_work = self.frozen_work, []
        for one in work:
            one()


class Line:
    """One node's way to the model. `armed` are the faults that its next writes meet."""

    def __init__(self, model: Model, weather: Weather, random: Random) -> None:
        self._model = model
        self._weather = weather
        self._random = random
        self.armed: list[Kind] = []
        self.slow = 0

    @property
    def well(self) -> bool:
        return not self.slow and not self.armed

    async def save(self, changes: Iterable[Change]) -> frozenset[UUID]:
        changes = list(changes)
        trouble = self.armed.pop(0) if self.armed else None
        return await self._ask(lambda: self._model.save(changes), trouble)

    async def load(self, ids: Sequence[UUID]) -> dict[UUID, Match]:
        return await self._ask(lambda: self._model.load(ids))

    async def find_by_code(self, code: str, player_id: str) -> UUID | None:
        return await self._ask(lambda: self._model.find_by_code(code, player_id))

    async def find_by_request(self, player_id: str, request_id: str) -> UUID | None:
        return await self._ask(lambda: self._model.find_by_request(player_id, request_id))

    async def find_live(self, player_id: str) -> list[UUID]:
        return await self._ask(lambda: self._model.find_live(player_id))

    async def find_due(self, at: int, limit: int) -> list[DueMatch]:
        return await self._ask(lambda: self._model.find_due(at, limit))

    async def next_due(self, after: int) -> int | None:
        return await self._ask(lambda: self._model.next_due(after))

    async def forget_requests(self, before: int) -> None:
        return await self._ask(lambda: self._model.forget_requests(before))

    async def find_topic(self, name: str, count_to: int) -> Topic | None:
        return await self._ask(lambda: self._model.find_topic(name, count_to))

    async def draw(self, topic_id: int, count: int) -> list[DrawnQuestion]:
        return await self._ask(lambda: self._model.draw(topic_id, count))

    async def _ask(self, work: Callable[[], Any], trouble: Kind | None = None) -> Any:
        """Send work to the store and wait for what it says."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        shortest, longest = _SLOW_WAY_S if self.slow else _WAY_S
        there, back = self._random.uniform(shortest, longest), self._random.uniform(shortest, longest)
        if trouble is Kind.LATE:
            there += COMMAND_TIMEOUT_S

        def reach() -> None:
            if self._weather.frozen:
                self._weather.frozen_work.append(reach)
                return
            if self._weather.down:
                loop.call_later(back, _fail, answer, "the store is down")
                return
            try:
                result = work()
            except Exception as error:  # the statement failed, and its asker hears why
                loop.call_later(back, _raise, answer, error)
                return
            if trouble is not Kind.LOST_AFTER:
                loop.call_later(back, _give, answer, result)

        if trouble is Kind.LOST_BEFORE:
            loop.call_later(there, _fail, answer, "the line is cut")
        else:
            loop.call_later(there, reach)
            if trouble is Kind.LOST_AFTER:
                loop.call_later(there + back, _fail, answer, "the line is cut")
        patience = loop.call_later(COMMAND_TIMEOUT_S, _fail, answer, "no answer in time")
        try:
            return await answer
        finally:
            patience.cancel()


def _give(answer: asyncio.Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _raise(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)


def _fail(answer: asyncio.Future[Any], reason: str) -> None:
    _raise(answer, StorageUnavailable(reason))
