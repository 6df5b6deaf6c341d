"""A node of the game on a real database: the test moves its clock, and can hold or cut its line to the database."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from random import Random
from typing import Any
from uuid import UUID, uuid4

from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.leads import Trip
from pairquiz_server.engine.rematch import Rematches, RematchRules
from pairquiz_server.engine.seen import Seen
from pairquiz_server.engine.submission import Outcome, Told
from pairquiz_server.engine.sweeper import Sweeper
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.commands import Command, CreateMatch, PairPlayers, SubmitAnswer
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.question import Question
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.rematches import Noted, RematchRows
from pairquiz_server.store.rows import Change
from pairquiz_server.store.seen import SeenRows
from tests.callers import Asking

NOON = 1_700_000_000_000
MARGIN_MS = 300
RULES = GameRules(question_count=5, time_limit_s=30, scoring=Scoring(), waiting_ttl_ms=600_000, ready_ttl_ms=600_000)
PATIENCE_S = 20.0
NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/nothing"


def person(name: str) -> Player:
    return Player(name, PlayerKind.USER, name.title())


ALICE, BOB, CAROL, DAVE = map(person, ("alice", "bob", "carol", "dave"))


class HandClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> int:
        return self.at

    def advance_to(self, at: int) -> None:
        self.at = max(self.at, at)


class WatchedMatches(Matches):
    """The real store, at the end of a line that can be held, and cut before or after a write has reached it.

    What was cut before is kept in `lost`: it may still arrive. While `looking` is clear, `resolve` is not answered.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.batches: list[int] = []
        self.conflicts = 0
        self.loaded: list[str] = []
        self.began = asyncio.Event()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.cut_before = False
        self.cut_after = False
        self.lost: list[tuple[list[Change], UUID, int]] = []
        self.looked = asyncio.Event()
        self.resolved = asyncio.Event()
        self.looking = asyncio.Event()
        self.looking.set()

    async def save(self, changes: Iterable[Change], node: UUID, number: int) -> frozenset[str]:
        changes = list(changes)
        self.batches.append(len(changes))
        self.began.set()
        await self.flowing.wait()
        if self.cut_before:
            self.lost.append((changes, node, number))
            raise StorageUnavailable("cut before the write")
        stuck = await super().save(changes, node, number)
        self.conflicts += len(stuck)
        if self.cut_after:
            raise StorageUnavailable("cut after the write")
        return stuck

    async def resolve(self, node: UUID, number: int) -> frozenset[str] | None:
        self.looked.set()
        await self.looking.wait()
        stuck = await super().resolve(node, number)
        self.resolved.set()
        return stuck

    async def load(self, ids: Sequence[str]) -> dict[str, Match]:
        self.loaded += ids
        return await super().load(ids)

    async def arrive_late(self) -> None:
        """Let what was cut before the write arrive after all."""
        for changes, node, number in self.lost:
            with suppress(StorageUnavailable):
                await super().save(changes, node, number)


class WatchedRequests(RematchRows):
    """The real requests for rematches; the next of them are cut before or after a write has reached the store."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.cut_before = 0
        self.cut_after = 0

    async def ask(self, *request: Any, **times: int) -> Noted:
        if self.cut_before:
            self.cut_before -= 1
            raise StorageUnavailable("cut before the write")
        noted = await super().ask(*request, **times)
        if self.cut_after:
            self.cut_after -= 1
            raise StorageUnavailable("cut after the write")
        return noted


class Node:
    """What one process has between its edge and the database; `told` is everything that it announced.

    `requested` is who was told of a request for a rematch, `barred` who may not play.
    """

    def __init__(
        self, database: Database, clock: HandClock, pace_s: float, random: Random | None, trip_ms: Trip
    ) -> None:
        self.database = database
        self.clock = clock
        self.matches = WatchedMatches(database)
        self.questions = Questions(database)
        self.told: list[Decision] = []
        self.left_out: list[object] = []
        self.watched: list[Decision] = []
        self.working: asyncio.Task[None]
        self.fit = asyncio.Event()
        self.fit.set()
        self.unfit: StorageUnavailable | None = None
        self.committer = Committer(
            self.matches,
            lambda *told: self.announce(*told),
            watch=self.watch,
            pace_s=pace_s,
            ready=self.until_fit,
        )
        self.solitude: int | None = None
        self.seen = Seen(SeenRows(database).find_last, self.committer.cached, lambda: self.solitude)
        self.game = Game(
            self.matches,
            self.questions,
            self.committer,
            clock,
            RULES,
            seen=self.seen,
            random=random,
            trip_ms=trip_ms,  # type: ignore[arg-type]
        )
        self.requests = WatchedRequests(database)
        self.requested: list[str] = []
        self.barred: set[str] = set()
        self.game.rematches = self.rematches()
        rows, by_itself = PresenceRows(database), self.game.by_itself
        self.sweeper = Sweeper(self.matches, rows, self.committer, clock, by_itself, margin_ms=MARGIN_MS)  # type: ignore[arg-type]

    def rematches(self, rules: RematchRules | None = None, turns: Turns | None = None) -> Rematches:
        """Who sees to this node's rematches."""
        parts = (self.requests, self.matches, self.game.draws, self.committer, self.clock, rules or RematchRules())
        return Rematches(*parts, check=self.check, tell=self.tell_request, turns=turns)  # type: ignore[arg-type]

    def check(self, player_id: str) -> None:
        if player_id in self.barred:
            raise Refused(Code.FORBIDDEN)

    def tell_request(self, match: Match, seat: int) -> None:
        self.requested.append(match.seats[seat].player.id)

    async def until_fit(self) -> None:
        await self.fit.wait()
        if self.unfit is not None:
            raise self.unfit

    def announce(self, decision: Decision, origin: object) -> None:
        self.told.append(decision)
        self.left_out.append(origin)

    def watch(self, decision: Decision) -> None:
        self.watched.append(decision)
        self.sweeper.watch(decision)
        self.seen.watch(decision)

    def told_of(self, match_id: str) -> list[Event]:
        return [event for decision in self.told if decision.match.id == match_id for event in decision.events]

    def send(
        self, command: Command, *, at: int | None = None, heard: list[str] | None = None, origin: object = None
    ) -> asyncio.Future[Outcome]:
        """Submit a command; it arrives now, unless said otherwise. Its outcome is also noted in `heard`, at once."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        forgotten = loop.call_later(PATIENCE_S, answer.set_exception, TimeoutError("this command was never settled"))
        answer.add_done_callback(lambda _: forgotten.cancel())

        def settle(outcome: Outcome) -> None:
            if heard is not None:
                heard.append(code(outcome))
            answer.set_result(outcome)

        arrived_at = self.clock.now() if at is None else at
        self.committer.submit(Told(command=command, arrived_at=arrived_at, tell=settle, origin=origin))
        return answer

    async def play(self, act: Callable[..., Awaitable[None] | None], player: Player, **wishes: object) -> Decision:
        """Let a player do something in `game`, and return what it was told, once. Raises `Refused`."""
        told: asyncio.Future[Decision | Refused] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE_S):
            work = act(Asking(player=player, arrived_at=self.clock.now(), tell=told.set_result), **wishes)
            if work is not None:
                await work
            outcome = await told
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def waiting(self, **wishes: object) -> Match:
        """A match that Alice has created."""
        return (await self.play(self.game.create, ALICE, **({"topic": "General"} | wishes))).match

    async def ready(self, **wishes: object) -> Match:
        """A match that Bob has joined."""
        match = await self.waiting(**wishes)
        return (await self.play(self.game.join, BOB, match_id=match.id, join_code=None)).match

    async def started(self, **wishes: object) -> Match:
        """A match that Alice has started."""
        match = await self.ready(**wishes)
        return (await self.play(self.game.start, ALICE, match_id=match.id)).match

    async def over(self, **wishes: object) -> Match:
        """A match that Alice has won: Bob has left."""
        match = await self.started(**wishes)
        return (await self.play(self.game.leave, BOB, match_id=match.id)).match

    async def paired(self, **changed: object) -> Match:
        """A match for which Alice and Bob were brought together."""
        found = await self.questions.find_topic("General")
        assert found is not None
        usual = {
            "match_id": str(uuid4()),
            "players": (ALICE, BOB),
            "origin": Origin.SEARCH,
            "topic": found.topic(),
            "question_count": RULES.question_count,
            "time_limit_s": RULES.time_limit_s,
            "scoring": RULES.scoring,
            "pace": Pace.FREE,
            "start_delay_ms": RULES.start_delay_ms,
            "ready_ttl_ms": RULES.ready_ttl_ms,
        }
        outcome = await self.send(PairPlayers(**(usual | changed)))
        assert isinstance(outcome, Decision)
        return outcome.match

    async def stored(self, match: Match) -> Match:
        """The match as the database has it."""
        return (await Matches(self.database).load([match.id]))[match.id]

    async def creation(self, player: Player = CAROL, **changed: object) -> CreateMatch:
        found = await self.questions.find_topic("General")
        assert found is not None
        usual = {
            "match_id": str(uuid4()),
            "player": player,
            "topic": found.topic(),
            "join_code": f"CODE{next(_numbers):04}",
            "question_count": RULES.question_count,
            "time_limit_s": RULES.time_limit_s,
            "scoring": RULES.scoring,
            "waiting_ttl_ms": RULES.waiting_ttl_ms,
        }
        return CreateMatch(**(usual | changed))

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """While inside, a write is under way: whatever is sent meanwhile waits for the next batch."""
        self.matches.flowing.clear()
        self.matches.began.clear()
        filler = self.send(await self.creation())
        await self.matches.began.wait()
        yield
        self.matches.flowing.set()
        await filler


_numbers = itertools.count()


@asynccontextmanager
async def running_node(
    database: Database,
    clock: HandClock,
    *,
    pace_s: float = 0.0,
    random: Random | None = None,
    trip_ms: Trip = lambda _: None,
) -> AsyncIterator[Node]:
    """A node that works, and that finishes its work in the end."""
    node = Node(database, clock, pace_s, random, trip_ms)
    node.working = asyncio.create_task(node.committer.run())
    try:
        yield node
    finally:
        node.matches.flowing.set()
        node.matches.looking.set()
        node.committer.stop()
        async with asyncio.timeout(PATIENCE_S):
            await node.working


@asynccontextmanager
async def opened_database(url: str) -> AsyncIterator[Database]:
    """A database, connected when it is first asked."""
    database = Database(DatabaseOptions(dsn=url, pool_min=0))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def unreachable_database() -> AbstractAsyncContextManager[Database]:
    """A database that nobody serves."""
    return opened_database(NOBODY_LISTENS)


def answer(match: Match, player: Player, place: int, option: int) -> SubmitAnswer:
    """The player's answer to the question at a place of the match."""
    return SubmitAnswer(match_id=match.id, player_id=player.id, question_id=match.questions[place].id, answer=option)


def code(outcome: Outcome) -> str:
    """A refusal's code, or what the outcome is."""
    if isinstance(outcome, Refused):
        return outcome.code
    if isinstance(outcome, Decision):
        return "duplicate" if outcome.duplicate else "accepted"
    return "collision"


async def add_topic(node: Node, topic: str, count: int) -> None:
    """Put a topic of our own into the bank."""
    await node.questions.add(
        [
            Question(topic=topic, text=f"{topic} {number}?", options=("a", "b", "c", "d"), correct=number % 4)
            for number in range(count)
        ]
    )
