"""What players do: seeded habits of two people, and now and then of a third who comes between."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.terms import Pace
from tests.simulation.client import Client

if TYPE_CHECKING:
    from tests.simulation.world import World

_QUESTION_COUNTS = (1, 2, 3, 3, 5, 5)
_TIME_LIMITS_S = (5, 5, 6)
_LONGEST_SERIES = 4
_SILENCE_S = 3.0
"""An app that should have heard of the end looks after so long."""


class Pair:
    """Two people who play one match, or do not get so far."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.random: Random = world.plan.random("pair", number)
        self.host = Client(world, f"h{number}", world.plan.random("host", number))
        strangers = 1 + (self.random.random() < 0.04)
        self.guests = [
            Client(world, f"g{number}.{place}", world.plan.random("guest", number, place)) for place in range(strangers)
        ]
        self.never_starts = self.random.random() < 0.02
        self.pace = Pace.ROUNDS if self.random.random() < 0.35 else Pace.FREE
        self.likes_rematches = self.random.random() < 0.15
        self.invited: asyncio.Future[Match | None] = world.loop.create_future()

    async def play(self) -> None:
        """Play, and go; return when nobody of the pair does anything more."""
        await asyncio.gather(self._host(), *map(self._guest, self.guests))
        self.world.checker.pair_is_done(self)
        for client in (self.host, *self.guests):
            client.go_away()

    async def _host(self) -> None:
        client = self.host
        random = client.random
        wishes = {
            "topic": random.choice(("General", " general")),
            "question_count": random.choice(_QUESTION_COUNTS),
            "time_limit_s": random.choice(_TIME_LIMITS_S),
            "pace": self.pace,
            "request_id": f"request {self.number}" if client.chance(0.8) else None,
        }
        outcome = await client.insist("create", **wishes)
        if not isinstance(outcome, Decision):
            self.invited.set_result(None)
            return
        self._adopt(client, outcome.match)
        if wishes["request_id"] and client.chance(0.1):
            again = await client.insist("create", **wishes)
            self.world.checker.same_match(client, outcome.match, again)
        self.invited.set_result(outcome.match)
        await self._play(client)

    async def _guest(self, client: Client) -> None:
        match = await self.invited
        if match is None or client.chance(0.01):
            return
        await client.pause(0.02, 2.0)
        await client.connect()
        by_code = client.chance(0.7)
        code = f"{match.join_code[:4]}-{match.join_code[4:]}".lower()
        self._adopt(client, None if by_code else match)
        outcome = await client.insist(
            "join", match_id=None if by_code else match.id, join_code=code if by_code else None
        )
        if isinstance(outcome, Decision):
            self._adopt(client, outcome.match)
            await self._play(client)

    async def _play(self, client: Client) -> None:
        """Play a match, and then perhaps some more against the same opponent."""
        await _Match(self, client).play()
        for _ in range(_LONGEST_SERIES):
            if not self.likes_rematches or not await self._again(client):
                return
            await _Match(self, client).play()

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

    def _adopt(self, client: Client, match: Match | None) -> None:
        if match is not None:
            client.match_id = match.id
            client.learn(match)


class _Match:
    """One player in one match."""

    def __init__(self, pair: Pair, client: Client) -> None:
        self._pair = pair
        self._client = client
        assert client.match_id is not None
        self._match_id = client.match_id

    async def play(self) -> None:
        client = self._client
        await self._wait_for_start()
        if self._status is Status.IN_PROGRESS and not client.over:
            await (self._answer_all() if self._pair.pace is Pace.FREE else self._answer_rounds())
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
            elif status is Status.READY and not self._pair.never_starts and client.chance(0.7):
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
        left_s = max((self._match.due_at - self._pair.world.now_ms()) / 1000, 0)
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
            lost = self._pair.world.run(client.ask("submit_answer", **wish))
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
        now_ms = self._pair.world.now_ms()
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
