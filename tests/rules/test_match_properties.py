"""What holds in every match, whatever two players, a stranger and the sweeper do, and in whatever order."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from pairquiz_server.protocol import views
from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import Command, MatchQuestion
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import (
    AnswerAccepted,
    Event,
    MatchEnded,
    PlayerForfeited,
    PlayerLeft,
    RoundClosed,
    RoundOpened,
)
from pairquiz_server.rules.match import LIVE, MOVES, Match, Outcome, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Pace
from tests.rules.matches import (
    ANNA,
    BEN,
    CLEO,
    CREATED_AT,
    FIRST,
    SECOND,
    come_back,
    complete,
    create,
    end_overdue,
    go,
    join,
    leave,
    start,
    submit,
    tick,
)

DRAW = (FIRST, SECOND, replace(FIRST, id=13, correct=3))
PATIENCE = Patience(lost_ms=3_000, closed_ms=1_000, budget_ms=6_000)
STRANGE = replace(FIRST, id=99)
MIRRORED = {
    Outcome.WON: Outcome.LOST,
    Outcome.LOST: Outcome.WON,
    Outcome.DRAW: Outcome.DRAW,
    Outcome.NONE: Outcome.NONE,
}

players = st.sampled_from([ANNA, BEN])
anybody = st.sampled_from([ANNA, BEN, CLEO])
questions = st.sampled_from([*DRAW, STRANGE])
answers = st.one_of(st.none(), st.integers(-1, 4), st.sampled_from([*FIRST.options, *SECOND.options, "1"]))
lags_ms = st.one_of(st.just(0), st.integers(0, 400))
spans_ms = st.one_of(st.integers(0, 1_000), st.integers(0, 1_000), st.sampled_from([5_000, 30_000, 600_000]))


def changes_of(decision: Decision) -> list[int]:
    """The versions of the events, each once, in their order."""
    return list(dict.fromkeys(event.version for event in decision.events))


def with_other_right_options(match: Match, seat: int) -> Match:
    """The same match, but that what this seat has not answered has another right option.

    In rounds what was closed is known to all, and what was not opened is another question at all.
    """
    closed = len(match.reveals) - (match.closes_at is not None)

    def other(place: int, question: MatchQuestion) -> MatchQuestion:
        if match.seats[seat].answer_to(question.id) is not None or place < closed:
            return question
        if match.pace is Pace.ROUNDS and place >= len(match.reveals):
            return replace(question, text="Which is another?", options=("a", "b", "c", "d"), lang="eo")
        return replace(question, correct=(question.correct + 1) % 4)

    return replace(match, questions=tuple(map(other, range(len(match.questions)), match.questions)))


def refusal_of(match: Match, command: Command, now: int) -> tuple[Any, ...] | None:
    """Everything that a refused player is told, or None where the command is carried out."""
    try:
        decide(match, command, now)
    except Refused as refusal:
        return refusal.code, refusal.message, refusal.details
    return None


def as_seen(match: Match, seat: int, now: int) -> bytes:
    return msgspec.json.encode(views.quiz_state(match, seat, now))


class AnyMatch(RuleBasedStateMachine):
    """One match, a clock that moves on, and the list of all that has happened."""

    pace: Pace
    match: Match
    now = CREATED_AT

    @initialize(
        question_count=st.integers(1, 3),
        time_limit_s=st.sampled_from([5, 30]),
        scoring=st.sampled_from([Scoring(), Scoring(100, 0), Scoring(0, 50), Scoring(7, 3)]),
        begun=st.sampled_from(["created", "joined", *["started"] * 6]),
        knows=st.booleans(),
    )
    def create(self, question_count: int, time_limit_s: int, scoring: Scoring, begun: str, knows: bool) -> None:
        wish = create(question_count=question_count, time_limit_s=time_limit_s, scoring=scoring, pace=self.pace)
        made = decide(None, replace(wish, topic=replace(wish.topic, available=3)), self.now)
        self.match = made.match
        self.happened: list[Event] = list(made.events)
        # Most of what can go wrong goes wrong in running matches, so most of them begin there.
        if begun != "created":
            self.carry_out(join(BEN))
        if begun == "started":
            self.carry_out(replace(start(BEN, DRAW[:question_count]), patience=PATIENCE))
        # Else nearly all that is tried in rounds comes to a closed one.
        if begun == "started" and self.pace is Pace.ROUNDS and knows:
            for player in (ANNA, BEN):
                self.carry_out(submit(player, DRAW[0]))

    @rule(span_ms=spans_ms)
    def time_passes(self, span_ms: int) -> None:
        self.now += span_ms

    @rule(player=anybody)
    def anybody_joins(self, player: Player) -> None:
        self.carry_out(join(player))

    @rule(player=anybody, missing=st.sampled_from([0, 0, 0, 1]))
    def anybody_starts(self, player: Player, missing: int) -> None:
        drawn = DRAW[: self.match.question_count - missing]
        self.carry_out(replace(start(player, drawn), patience=PATIENCE))

    @rule(player=players, place=st.integers(0, 2), answer=st.one_of(st.none(), st.integers(0, 3)), lag_ms=lags_ms)
    def player_answers(self, player: Player, place: int, answer: int | None, lag_ms: int) -> None:
        self.carry_out(submit(player, DRAW[place % self.match.question_count], answer, lag_ms=lag_ms))

    @rule(player=players, place=st.integers(0, 2))
    def player_knows(self, player: Player, place: int) -> None:
        self.carry_out(submit(player, DRAW[place % self.match.question_count]))

    @rule(player=players, answer=st.one_of(st.none(), st.integers(0, 3)), lag_ms=lags_ms)
    def player_answers_what_is_open(self, player: Player, answer: int | None, lag_ms: int) -> None:
        if self.match.reveals:
            self.carry_out(submit(player, DRAW[len(self.match.reveals) - 1], answer, lag_ms=lag_ms))

    @rule(waits=st.booleans())
    def sweeper_lets_happen(self, waits: bool) -> None:
        if waits and self.match.tick_at is not None:
            self.now = max(self.now, self.match.tick_at)
        self.carry_out(tick())

    @rule(player=anybody, question=questions, answer=answers)
    def anybody_answers_anything(self, player: Player, question: MatchQuestion, answer: int | str | None) -> None:
        self.carry_out(submit(player, question, answer))

    @rule(player=anybody, command=st.sampled_from([complete, complete, complete, leave]))
    def anybody_has_enough(self, player: Player, command: Callable[[Player], Command]) -> None:
        self.carry_out(command(player))

    @rule(player=anybody, cause=st.sampled_from(Cause))
    def anybody_is_gone(self, player: Player, cause: Cause) -> None:
        self.carry_out(go(player, cause, PATIENCE))

    @rule(player=anybody)
    def anybody_is_back(self, player: Player) -> None:
        self.carry_out(come_back(player))

    @rule(margin_ms=st.sampled_from([0, 300]))
    def sweeper_looks(self, margin_ms: int) -> None:
        self.carry_out(end_overdue(margin_ms))

    def carry_out(self, command: Command) -> None:
        before, written = self.match, msgspec.msgpack.encode(self.match)
        try:
            decision = decide(before, command, self.now)
        except Refused:
            self.refusal_tells_no_right_option(command)
        else:
            self.take(decision, command)
        assert msgspec.msgpack.encode(before) == written, "a match is a value: nothing changes it"

    def take(self, decision: Decision, command: Command) -> None:
        before, after = self.match, decision.match
        assert changes_of(decision) == list(range(before.version + 1, after.version + 1))
        if not decision.events:
            assert after is before
            return
        assert not decision.duplicate
        assert before.status in LIVE, "no event after the end"
        assert after.status in MOVES[before.status][type(command)]
        repeated = decide(after, command, self.now) if after.status in LIVE else None
        assert repeated is None or repeated.match is after, "the same command at once again changes nothing"
        self.match = after
        self.happened += decision.events

    def refusal_tells_no_right_option(self, command: Command) -> None:
        for seat in range(len(self.match.seats)):
            twin = with_other_right_options(self.match, seat)
            assert refusal_of(twin, command, self.now) == refusal_of(self.match, command, self.now)

    @invariant()
    def scores_add_up(self) -> None:
        for index, seat in enumerate(self.match.seats):
            accepted = [
                event.answer for event in self.happened if isinstance(event, AnswerAccepted) and event.seat == index
            ]
            assert list(seat.answers) == accepted
            assert seat.score == sum(answer.base + answer.bonus for answer in accepted)
            most = self.match.scoring.points + self.match.scoring.speed_bonus
            assert all(0 <= answer.points <= most <= 150 for answer in accepted)
            assert all(answer.correct or answer.points == 0 for answer in accepted)

    @invariant()
    def nobody_answers_twice(self) -> None:
        drawn = {question.id for question in self.match.questions}
        assert len(drawn) == (0 if self.match.started_at is None else self.match.question_count)
        for seat in self.match.seats:
            answered = [answer.question_id for answer in seat.answers]
            assert len(set(answered)) == len(answered)
            assert set(answered) <= drawn

    @invariant()
    def answers_are_in_time(self) -> None:
        for seat in self.match.seats:
            for answer in seat.answers:
                from_at, until_at = self.open_for(answer.question_id)
                assert from_at <= answer.judged_at <= until_at
                given_at = answer.arrived_at - answer.lag_credit_ms
                assert answer.judged_at == (max(given_at, from_at) if self.pace is Pace.ROUNDS else given_at)
                assert 0 <= answer.lag_credit_ms <= 300
            assert seat.lag_credit_ms <= 200 * self.match.question_count

    def open_for(self, question_id: int) -> tuple[int, int]:
        """From when and until when a question could be answered."""
        match = self.match
        if match.pace is Pace.FREE:
            return match.started_at, match.deadline_at
        place = match.place_of(question_id)
        assert place is not None
        return match.reveals[place], match.reveals[place] + match.time_limit_s * 1000

    @invariant()
    def rounds_follow_each_other(self) -> None:
        match = self.match
        rounds = [event for event in self.happened if isinstance(event, RoundOpened | RoundClosed)]
        opened = [event for event in rounds if isinstance(event, RoundOpened)]
        closed = [event for event in rounds if isinstance(event, RoundClosed)]
        assert tuple(event.reveal_at for event in opened) == match.reveals
        assert [(type(event), event.index) for event in rounds] == [
            (kind, index) for index in range(len(opened)) for kind in (RoundOpened, RoundClosed)
        ][: len(rounds)]
        running = match.status is Status.IN_PROGRESS and self.pace is Pace.ROUNDS
        assert (match.closes_at is not None) == (running and len(opened) > len(closed))
        assert (match.tick_at is not None) == (running and len(opened) == len(closed))
        if match.closes_at is not None:
            assert (opened[-1].index, opened[-1].closes_at) == (len(closed), match.closes_at)
            asked = 1 << len(closed)
            assert any(seat.completed_at is None and not seat.answered & asked for seat in match.seats)

    @invariant()
    def match_is_over_exactly_when_both_are_done_or_it_has_an_end(self) -> None:
        match = self.match
        running = match.status is Status.IN_PROGRESS
        assert not (running and all(seat.completed_at is not None for seat in match.seats))
        for seat in match.seats:
            assert len(seat.answers) < max(len(match.questions), 1) or seat.completed_at is not None
            if match.pace is Pace.ROUNDS:
                assert seat.answered < 1 << len(match.reveals), "nobody has answered what was not asked"
        assert (match.ended_at is None) == (match.end_reason is None) == (match.status in LIVE)

    @invariant()
    def results_are_one_story(self) -> None:
        match = self.match
        assert sum(isinstance(event, MatchEnded) for event in self.happened) == (match.status is Status.COMPLETED)
        if len(match.seats) == 2:
            assert match.outcome(1) is MIRRORED[match.outcome(0)]
        decided = match.outcome(0) is not Outcome.NONE
        assert decided == (match.status is Status.COMPLETED)
        left = [event.seat for event in self.happened if isinstance(event, PlayerLeft | PlayerForfeited)]
        assert left == ([] if match.forfeited_by is None else [match.forfeited_by])
        if decided and left:
            assert match.outcome(left[0]) is Outcome.LOST
        elif decided:
            first, second = (seat.score for seat in match.seats)
            assert (match.outcome(0) is Outcome.WON) == (first > second)

    @invariant()
    def nobody_is_away_who_is_done_and_nobody_for_longer_than_allowed(self) -> None:
        for seat in self.match.seats:
            assert 0 <= seat.away_ms <= PATIENCE.budget_ms
            if seat.absence:
                assert seat.completed_at is None
                by, since = seat.absence.reconnect_by, seat.absence.since
                assert (by is None) == (self.match.started_at is None)
                assert by is None or by - since <= min(PATIENCE.lost_ms, PATIENCE.budget_ms - seat.away_ms)

    @invariant()
    def running_match_is_due_when_it_says(self) -> None:
        if self.match.status is Status.IN_PROGRESS:
            assert self.match.due_at == self.match.running_due_at()
        if self.match.status is Status.IN_PROGRESS and self.pace is Pace.FREE:
            assert self.match.due_at <= self.match.deadline_at
            assert self.match.deadline_at == self.match.started_at + self.match.span_ms, "no cable moves the deadline"

    @invariant()
    def versions_rise_by_one_a_change(self) -> None:
        versions = list(dict.fromkeys(event.version for event in self.happened))
        assert versions == list(range(1, self.match.version + 1))

    @invariant()
    def no_player_sees_a_right_option_before_the_own_answer(self) -> None:
        if self.match.status in LIVE:
            for seat in range(len(self.match.seats)):
                twin = with_other_right_options(self.match, seat)
                assert as_seen(twin, seat, self.now) == as_seen(self.match, seat, self.now)


class FreeMatch(AnyMatch):
    pace = Pace.FREE


class MatchInRounds(AnyMatch):
    pace = Pace.ROUNDS


TestFreeMatch = FreeMatch.TestCase
TestMatchInRounds = MatchInRounds.TestCase
TestFreeMatch.settings = TestMatchInRounds.settings = settings(
    max_examples=250, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
