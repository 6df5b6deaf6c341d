"""The model of the store and the real one: the same statements one after the other, and the same answers."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from pairquiz_server.engine.draws import shuffled
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    StartMatch,
    SubmitAnswer,
    Tick,
    Topic,
)
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.rematch import follow
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database, DatabaseOptions
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import FoundTopic, Questions
from pairquiz_server.store.rematches import RematchRows
from pairquiz_server.store.rows import Change
from pairquiz_server.store.seen import SeenRows
from tests.conftest import copied, execute, sibling
from tests.simulation.model import Model
from tests.simulation.requests import Requests
from tests.store.numbered import Matches

NOON = 1_700_000_000_000
PLAYERS = [Player(name, PlayerKind.GUEST, name.title(), label=f"label of {name}") for name in ("anna", "ben", "cleo")]
CODES = ["AAAA0000", "BBBB0000", "CCCC0000", "DDDD0000"]
REQUESTS = [None, None, "one", "one", "two"]
NODES = [UUID(int=number) for number in (1, 2)]
PATIENCE = Patience(lost_ms=4_000, closed_ms=2_000, budget_ms=5_000)
OVERLOOKED_MS = 2_000
SPACE = UUID(int=7)

players = st.sampled_from(PLAYERS)
nodes = st.sampled_from(NODES)
places = st.integers(0, 5)
requests = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([1, 900, 3_000])), min_size=1)
Pick = tuple[int, int, Player, int, int]
picks = st.lists(
    st.tuples(places, st.sampled_from([0, 0, 0, 1]), players, st.integers(0, 9), places), min_size=1, max_size=8
)


class RealStore:
    """The store's objects on one database, which is emptied for each example."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(DatabaseOptions(dsn=url, pool_max=1, command_timeout_s=30.0))
        self.run(self._database.open())
        self.matches = Matches(self._database)
        self.nodes = Nodes(self._database)
        self.presence = PresenceRows(self._database)
        self.requests = RematchRows(self._database)
        self.seen = SeenRows(self._database)
        questions = Questions(self._database)
        found = self.run(questions.find_topic("General"))
        assert found is not None
        self.topic: Topic = found.topic()
        self.drawn = list(self.run(questions.read(sorted(found.question_ids))).values())
        self._questions = questions

    async def find_topic(self, name: str) -> FoundTopic | None:
        """The topic with its questions in the order of their ids: they come in one by chance."""
        found = await self._questions.find_topic(name)
        return found and replace(found, question_ids=sorted(found.question_ids))

    def run(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self._runner.run(wait())

    def empty(self) -> None:
        tables = "matches, players, draws, answers, feature_usage, heartbeat, nodes, presence, rematches"
        names = ", ".join(f"pairquiz.{table}" for table in tables.split(", "))
        self.run(self._database.fetch(f"TRUNCATE {names} CASCADE"))

    def goes_on(self, span_ms: int) -> None:
        """Let the database's clock be so much later, as seen from the last sign of life."""
        self.run(self._database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - $1", span_ms))

    def close(self) -> None:
        self.run(self._database.close())
        self._runner.close()


class Both(RuleBasedStateMachine):
    """Everything that is asked, is asked of both."""

    real: RealStore

    @initialize()
    def begin(self) -> None:
        self.real.empty()
        self.database_at = 0
        self.model = Model({self.real.topic: self.real.drawn}, now=lambda: self.database_at)
        self.requests = Requests(self.model)
        self.now = NOON
        self.ids: list[str] = []
        self.known: dict[str, list[Match]] = {}
        self.batch: list[Change] = []
        self.made = itertools.count()
        self.draw = tuple(shuffled(question, question.id) for question in self.real.drawn[:2])
        for node in NODES:
            self.node_enters(node)
        for number in range(2):  # most of what matches can do, they do when they run
            pace = Pace.ROUNDS if number else Pace.FREE
            self.creation_joins_the_batch(PLAYERS[number], CODES[number], REQUESTS[number + 1], 1, 1, pace)
            self.extend(JoinMatch(match_id=self.batch[-1].match.id, player=PLAYERS[number + 1], ready_ttl_ms=8_000))
            match = self.batch[-1].match
            self.extend(self.start(match, PLAYERS[number]))
        self.batch_is_saved()

    def ask(self, real: Callable[[RealStore], Awaitable[Any]], model: Callable[[], Any], *, sort: bool = False) -> Any:
        """Ask both the same, and return the answer."""
        truth, claim = self.real.run(real(self.real)), model()
        if sort:
            truth, claim = sorted(truth, key=repr), sorted(claim, key=repr)
        assert claim == truth
        return truth

    @rule(span_ms=st.sampled_from([1, 300, 300, 1_000, 1_000, 3_000, 20_000]))
    def time_passes(self, span_ms: int) -> None:
        self.now += span_ms

    @rule(
        player=players,
        code=st.sampled_from(CODES),
        request_id=st.sampled_from(REQUESTS),
        twice=st.integers(0, 9),
        left=st.integers(0, 4),
        pace=st.sampled_from(Pace),
    )
    def creation_joins_the_batch(
        self, player: Player, code: str, request_id: str | None, twice: int, left: int, pace: Pace
    ) -> None:
        match_id = str(uuid5(SPACE, str(next(self.made))))
        if twice == 0 and self.ids:
            match_id = self.ids[0]  # nobody makes an id twice, and a repeated statement would
        if any(change.match.id == match_id for change in self.batch):
            return
        command = CreateMatch(
            match_id=match_id,
            player=player,
            topic=self.real.topic,
            join_code=code,
            question_count=2,
            time_limit_s=5,
            scoring=Scoring(),
            waiting_ttl_ms=10_000,
            request_id=request_id,
            pace=pace,
        )
        self.add(None, command)
        if left == 0:
            self.extend(LeaveMatch(match_id=match_id, player_id=player.id))

    @rule(place=places, twice=st.booleans())
    def rematch_joins_the_batch(self, place: int, twice: bool) -> None:
        """Perhaps there is one, or another one in the same batch."""
        old = self.known[self.ids[place % len(self.ids)]][-1]
        if len(old.seats) < 2:
            return
        for _ in range(1 + twice):
            match_id = str(uuid5(SPACE, str(next(self.made))))
            self.add(None, follow(old, match_id, self.real.topic, start_delay_ms=3_000, ready_ttl_ms=8_000))

    @rule(
        asking=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([1, 900, 3_000])), min_size=1)
    )
    def players_ask_for_rematches(self, asking: list[tuple[int, int, int]]) -> None:
        for place, seat, later_ms in asking:
            self.now += later_ms
            match = self.known[self.ids[place]][-1]  # of the first two, who have both their players
            request = (match.id, seat, self.now, match.seats[1 - seat].player.id)
            times = {"stands_after": self.now - 1_000, "needs_presence_before": self.now - 2_000}
            self.ask(
                lambda real: real.requests.ask(*request, **times),  # noqa: B023
                lambda: self.requests.ask(*request, **times),  # noqa: B023
            )

    @rule(age_ms=st.sampled_from([0, 500, 2_500, 20_000]))
    def requests_are_looked_at_and_forgotten(self, age_ms: int) -> None:
        requests, now = self.requests, self.now
        for one in self.ids:
            self.ask(lambda real: real.requests.look(one), lambda: requests.look(one))  # noqa: B023
        first, last = now - age_ms - 1_000, now - age_ms
        self.ask(
            lambda real: real.requests.find_agreed(first, last), lambda: requests.find_agreed(first, last), sort=True
        )
        self.ask(lambda real: real.requests.forget(first), lambda: requests.forget(first))

    @rule(picked=picks)
    def changes_are_saved(self, picked: list[Pick]) -> None:
        for pick in picked:
            self.pick(*pick)
        self.batch_is_saved()

    @rule(picked=picks)
    def more_changes_are_saved(self, picked: list[Pick]) -> None:
        self.changes_are_saved(picked)

    @rule(picked=picks)
    def still_more_changes_are_saved(self, picked: list[Pick]) -> None:
        self.changes_are_saved(picked)

    def pick(self, place: int, old: int, player: Player, what: int, choice: int) -> None:
        """Let a change join the batch: of a match as it is, or as it was a version ago."""
        versions = self.known[self.ids[place % len(self.ids)]]
        match = versions[max(len(versions) - 1 - old, 0)]
        if any(change.match.id == match.id for change in self.batch):
            return
        self.add(match, self.command(match, player, what, choice))
        if self.batch and self.batch[-1].match.id == match.id and choice > 2:
            self.extend(self.command(self.batch[-1].match, player, what + 1, choice))

    def batch_is_saved(self) -> None:
        batch, self.batch = self.batch, []
        stuck = self.ask(lambda real: real.matches.save(batch), lambda: self.model.save(batch))
        for change in batch:
            match_id = change.match.id
            if match_id not in stuck:
                if match_id not in self.known:
                    self.ids.append(match_id)
                self.known.setdefault(match_id, [])
        self.look()

    @rule(
        player=players,
        code=st.sampled_from([*CODES, "NOBODYS0"]),
        request_id=st.sampled_from(["one", "two", "three", None]),
        count_to=st.sampled_from([0, 1, 2, 9]),
        span_ms=st.sampled_from([-20_000, -1_000, 0, 5_000, 30_000]),
    )
    def somebody_looks(self, player: Player, code: str, request_id: str | None, count_to: int, span_ms: int) -> None:
        model, at = self.model, self.now + span_ms
        self.ask(lambda real: real.matches.find_by_code(code, player.id), lambda: model.find_by_code(code, player.id))
        self.ask(
            lambda real: real.matches.find_before_creation(player.id, request_id, count_to),
            lambda: model.find_before_creation(player.id, request_id, count_to),
        )
        everybody = [one.id for one in PLAYERS]
        self.ask(lambda real: real.matches.find_live_of(everybody), lambda: model.find_live_of(everybody))
        seen = self.ask(lambda real: real.seen.find_last(everybody), lambda: model.find_last(everybody))
        assert seen.keys() == set(everybody)
        self.ask(lambda real: real.matches.find_due(at, 100), lambda: model.find_due(at, 100), sort=True)
        self.ask(lambda real: real.matches.next_due(at), lambda: model.next_due(at))
        self.ask(lambda real: real.matches.find_ticks(at, 100), lambda: model.find_ticks(at, 100), sort=True)
        self.ask(lambda real: real.matches.next_tick(at), lambda: model.next_tick(at))

    @rule(age_ms=st.sampled_from([1, 2_000, 15_000]))
    def request_ids_are_forgotten(self, age_ms: int) -> None:
        before = self.now - age_ms
        self.ask(lambda real: real.matches.forget_requests(before), lambda: self.model.forget_requests(before))
        self.look()

    @rule(name=st.sampled_from([" general ", "GENERAL", "Nothing"]))
    def topic_is_found(self, name: str) -> None:
        self.ask(lambda real: real.find_topic(name), lambda: self.model.find_topic(name))

    @rule(
        node=nodes,
        behind_ms=st.sampled_from([0, 0, 700]),
        after_silence=st.booleans(),
        late=st.sampled_from([False, False, True]),
    )
    def node_beats(self, node: UUID, behind_ms: int, after_silence: bool, late: bool) -> None:
        at = self.now - behind_ms
        expected_at = 0 if late else None
        beat = self.real.nodes.beat(node, at, OVERLOOKED_MS, after_silence=after_silence, expected_at=expected_at)
        truth = self.real.run(beat)
        self.database_was_read()
        claim = self.model.beat(node, at, OVERLOOKED_MS, expected_at)
        truth.moved.sort(key=lambda match: match.id)
        assert claim == replace(truth, database_at=claim.database_at)
        reading = self.real.run(self.real.nodes.read_clock())
        assert (reading.game_at, reading.beaten_at) == (self.model.game_at, self.database_at)
        self.look()

    @rule(node=nodes)
    def node_enters(self, node: UUID) -> None:
        self.real.run(self.real.nodes.enter(node, self.now))
        self.database_was_read()
        self.model.enter(node, self.now)

    def database_was_read(self) -> None:
        """Let the model have the time at which the real statement noted that the service lives."""
        beaten_at = self.real.run(self.real.nodes.read_clock()).beaten_at
        assert beaten_at is not None
        self.database_at = beaten_at

    @rule(span_ms=st.sampled_from([-400, 300, 1_500, 2_500]))
    def database_goes_on_without_a_beat(self, span_ms: int) -> None:
        self.real.goes_on(span_ms)
        self.model.goes_on(span_ms)

    @rule(silent_ms=st.sampled_from([1_000, 5_000]))
    def dead_nodes_are_buried(self, silent_ms: int) -> None:
        self.ask(lambda real: real.nodes.bury(silent_ms), lambda: self.model.bury(silent_ms), sort=True)

    @rule(node=nodes, came=st.sets(players), went=st.sets(players))
    def players_come_and_go(self, node: UUID, came: set[Player], went: set[Player]) -> None:
        there, gone = {one.id: self.now for one in came - went}, sorted(one.id for one in went)

        def noted() -> list[str]:
            self.model.note(node, there, gone)
            return self.model.find_absent(gone)

        self.ask(lambda real: real.presence.note(node, there, gone), noted, sort=True)

    @rule()
    def presence_is_looked_at(self) -> None:
        everybody = [player.id for player in PLAYERS]
        self.ask(
            lambda real: real.presence.find_absent(everybody), lambda: self.model.find_absent(everybody), sort=True
        )
        self.ask(lambda real: real.presence.find_seats(everybody), lambda: self.model.find_seats(everybody), sort=True)
        self.ask(lambda real: real.presence.find_mistakes(), self.model.find_mistakes, sort=True)
        self.ask(
            lambda real: real.presence.find_returned(self.ids), lambda: self.model.find_returned(self.ids), sort=True
        )

    @invariant()
    def all_that_is_stored_is_the_same(self) -> None:
        if self.ids:
            self.look()

    def look(self) -> None:
        loaded = self.ask(lambda real: real.matches.load(self.ids), lambda: self.model.load(self.ids))
        for match_id, match in loaded.items():
            versions = self.known[match_id]
            if not versions or versions[-1] != match:
                versions.append(match)

    def command(self, match: Match, player: Player, what: int, choice: int) -> Command:
        question: MatchQuestion = self.draw[choice % 2]
        named = {"match_id": match.id, "player_id": player.id}
        cause = Cause.CLOSED if choice % 2 else Cause.CONNECTION_LOST
        commands: list[Command] = [
            JoinMatch(match_id=match.id, player=player, ready_ttl_ms=8_000),
            self.start(match, player),
            SubmitAnswer(**named, question_id=question.id, answer=choice % 4, lag_ms=100 * choice),
            SubmitAnswer(**named, question_id=question.id, answer=question.correct),
            MarkAbsent(**named, cause=cause, patience=PATIENCE),
            MarkPresent(**named),
            CompleteQuiz(**named),
            EndOverdue(match_id=match.id, margin_ms=0),
            Tick(match_id=match.id, lead_ms=choice),
            LeaveMatch(**named) if choice == 0 else self.start(match, player),
        ]
        return commands[what % len(commands)]

    def start(self, match: Match, player: Player) -> StartMatch:
        return StartMatch(
            match_id=match.id, player_id=player.id, draw=self.draw, patience=PATIENCE, lead_ms=100, pause_ms=500
        )

    def add(self, match: Match | None, command: Command) -> None:
        try:
            decision = decide(match, command, self.now)
        except Refused:
            return
        if decision.events:
            self.batch.append(Change(match.version if match else 0, decision.match, decision.events))

    def extend(self, command: Command) -> None:
        """Let one more command change the last match of the batch, as commands of one batch do."""
        last = self.batch[-1]
        try:
            decision = decide(last.match, command, self.now)
        except Refused:
            return
        self.batch[-1] = Change(last.from_version, decision.match, (*last.events, *decision.events))


@contextmanager
def real_store(postgres: EmbeddedPostgres, template: str) -> Iterator[RealStore]:
    name = "store_model"
    asyncio.run(execute(postgres.dsn, copied(name, template)))
    store = RealStore(sibling(postgres.dsn, name))
    try:
        yield store
    finally:
        store.close()
        asyncio.run(execute(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.mark.parametrize("examples", [30])
def test_model_answers_as_the_store_does(postgres: EmbeddedPostgres, template: str, examples: int) -> None:
    with real_store(postgres, template) as store:
        machine = type("OnThisStore", (Both,), {"real": store})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink one on a real database takes minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
