"""What a player does in a match: seeded habits, from the wait for its start to its end."""

import asyncio
from typing import TYPE_CHECKING, Protocol

from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.terms import Pace
from tests.simulation.client import Client

if TYPE_CHECKING:
    from tests.simulation.world import World

_SILENCE_S = 3.0
"""An app that should have heard of the end looks after so long."""


class Habits(Protocol):
    """Where a player belongs to. Some never start a match."""

    world: "World"
    never_starts: bool


class Playing:
    """One player in one match."""

    def __init__(self, habits: Habits, client: Client) -> None:
        self._habits = habits
        self._client = client
        assert client.match_id is not None
        self._match_id = client.match_id

    async def play(self) -> None:
        client = self._client
        await self._wait_for_start()
        if self._status is Status.IN_PROGRESS and not client.over:
            await (self._answer_all() if self._match.pace is Pace.FREE else self._answer_rounds())
        while not client.over:
            await self._wait_for_end()
        if not client.connected:
            await client.connect()
        if client.chance(0.1):
            await client.insist("leave", match_id=self._match_id)  # too late: it must not matter

    @property
    def _status(self) -> Status:
        assert self._client.match is not None
        return self._client.match.status

    async def _wait_for_start(self) -> None:
        client = self._client
        while self._status in (Status.WAITING, Status.READY):
            status = self._status
            if status is Status.WAITING and client.chance(0.01):
                await client.insist("leave", match_id=self._match_id)
            elif status is Status.WAITING and client.chance(0.01):
                await client.insist("join", match_id=self._match_id, join_code=None)  # the own one
            elif status is Status.READY and not self._habits.never_starts and client.chance(0.7):
                if not await client.until(lambda: self._status is not Status.READY, client.random.uniform(0, 0.8)):
                    await client.insist("start", match_id=self._match_id)
            elif client.chance(0.03):
                await self._go_away(0.2, 6.0)
            if not await client.until(lambda: self._status is not status, client.random.uniform(1, 8)):  # noqa: B023
                await client.look()

    async def _answer_all(self) -> None:
        client, random = self._client, self._client.random
        assert client.match is not None
        questions = list(client.match.questions)
        random.shuffle(questions)
        swift = client.chance(0.5)
        for question in questions:
            if await client.until(lambda: client.over, random.uniform(0.0, 0.6 if swift else 5.5)):
                if client.chance(0.1):
                    await client.insist("submit_answer", **self._wish(question))  # too late
                return
            if await self._something_else(question):
                return
            await self._answer(question)
        if client.chance(0.1):
            await client.insist("complete", match_id=self._match_id)

    async def _answer_rounds(self) -> None:
        client, random = self._client, self._client.random
        swift = client.chance(0.6)
        while not client.over:
            match, seat = self._match, self._seat
            index = len(match.reveals) - 1
            if match.closes_at is None or seat.answered >> index & 1 or seat.completed_at is not None:
                await self._wait_for_news(match.version)
                continue
            question = match.questions[index]
            passed = lambda: client.over or len(self._match.reveals) - 1 != index  # noqa: B023, E731
            if await client.until(passed, random.uniform(0.0, 0.8 if swift else 6.5)):
                if client.chance(0.2):
                    await client.insist("submit_answer", **self._wish(question))  # too late
                continue
            if client.chance(0.02) and not match.final:
                await client.insist("submit_answer", **self._wish(match.questions[index + 1]))  # nobody can know it yet
            if await self._something_else(question):
                return
            await self._answer(question)

    async def _wait_for_news(self, known: int) -> None:
        client = self._client
        left_s = max((self._match.due_at - self._habits.world.now_ms()) / 1000, 0)
        if client.chance(0.02):
            await self._go_away(0.1, 3.0 if client.chance(0.6) else 22.0)
        elif not await client.until(lambda: self._match.version != known, left_s + _SILENCE_S):
            await client.look()

    @property
    def _match(self) -> Match:
        assert self._client.match is not None
        return self._client.match

    @property
    def _seat(self) -> Seat:
        index = self._match.seat_of(self._client.player.id)
        assert index is not None
        return self._match.seats[index]

    async def _answer(self, question: MatchQuestion) -> None:
        client = self._client
        wish = self._wish(question)
        if client.chance(0.06):
            await asyncio.gather(client.ask("submit_answer", **wish), client.ask("submit_answer", **wish))
        if client.chance(0.04):
            lost = self._habits.world.run(client.ask("submit_answer", **wish))
            await client.pause(0.0, 0.15)
            client.go_away()
            await lost
        outcome = await client.insist("submit_answer", **wish)
        if client.chance(0.05):
            await client.insist("submit_answer", **(wish if client.chance(0.5) else self._wish(question)))
        if isinstance(outcome, Refused) and client.chance(0.5):
            await client.look()

    async def _something_else(self, question: MatchQuestion) -> bool:
        """Now and then, do something else before an answer; return whether it was the last thing."""
        client, random = self._client, self._client.random
        what = random.random()
        if what < 0.02:
            await self._go_away(0.1, 3.0 if client.chance(0.6) else 22.0)
        elif what < 0.03:
            await client.insist("leave", match_id=self._match_id)
            return True
        elif what < 0.05:
            await client.insist("complete", match_id=self._match_id)
            return True
        elif what < 0.06:
            await client.insist("submit_answer", **(self._wish(question) | {"question_id": 10_000}))
        elif what < 0.07:
            await client.insist("submit_answer", **(self._wish(question) | {"answer": 4}))
        elif what < 0.08:
            await client.insist("start", match_id=self._match_id)
        elif what < 0.09:
            return True  # says nothing more, and waits for the deadline
        return False

    async def _wait_for_end(self) -> None:
        client = self._client
        match = client.match
        assert match is not None
        now_ms = self._habits.world.now_ms()
        left_s = max((match.due_at - now_ms) / 1000, 0)
        if client.chance(0.02):
            await self._go_away(0.5, 20.0)
        elif not await client.until(lambda: client.over, left_s + _SILENCE_S):
            await client.look()

    async def _go_away(self, shortest_s: float, longest_s: float) -> None:
        client = self._client
        client.go_away()
        await client.pause(shortest_s, longest_s)
        await client.connect()

    def _wish(self, question: MatchQuestion) -> dict[str, object]:
        client = self._client
        choice = question.correct if client.chance(0.5) else client.random.randrange(4)
        answer: int | str = question.options[choice] if client.chance(0.2) else choice
        return {"match_id": self._match_id, "question_id": question.id, "answer": answer}
