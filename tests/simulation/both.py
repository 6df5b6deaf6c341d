"""A real store and its model, side by side: whatever is asked of one, is asked of the other."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

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
)
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.rematch import follow
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.rows import Change
from tests.simulation.model import Model
from tests.simulation.real_store import RealStore
from tests.simulation.requests import Requests
from tests.simulation.results import Results
from tests.simulation.seekers import Queue

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


class Both(RuleBasedStateMachine):
    """Everything that is asked, is asked of both. Here is what makes and moves matches, and lets nodes live and die."""

    real: RealStore

    @initialize()
    def begin(self) -> None:
        self.real.empty()
        self.database_at = 0
        self.moments = itertools.count(1)
        self.model = Model({self.real.topic: self.real.drawn}, now=lambda: self.database_at)
        self.requests = Requests(self.model)
        self.results = Results(self.model, lambda: next(self.moments))
        self.queue = Queue(self.model, self.results.ratings)
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
        assert claim == truth, f"the model has {claim}, and the store {truth}"
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

    @rule(picked=picks)
    def changes_are_saved(self, picked: list[Pick]) -> None:
        for pick in picked:
            self.pick(*pick)
        self.batch_is_saved()

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
        self.ask(
            lambda real: real.presence.find_unmarked(silent_ms), lambda: self.model.find_unmarked(silent_ms), sort=True
        )
        self.ask(lambda real: real.nodes.bury(silent_ms), lambda: self.model.bury(silent_ms))

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


def hold_against(machine: type[Both], store: RealStore, examples: int) -> None:
    """Let a machine go its ways on this store, so many times."""
    run_state_machine_as_test(
        type("OnThisStore", (machine,), {"real": store}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink one on a real database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
