"""Rounds: when each is opened, revealed and closed, what its answers are worth, and what an absence costs."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules import rounds
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
    AnswerAccepted,
    EndReason,
    Event,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    PlayerAbsent,
    PlayerCompleted,
    RoundClosed,
    RoundOpened,
)
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.rules.terms import Pace
from tests.rules.matches import (
    ANNA,
    BEN,
    CLOSES_AT,
    DRAW,
    FIRST,
    JOINED_AT,
    LEAD_MS,
    MARGIN_MS,
    PAUSE_MS,
    REVEAL_AT,
    SECOND,
    STARTED_AT,
    between_rounds,
    come_back,
    complete,
    create,
    end_overdue,
    go,
    in_last_round,
    in_rounds,
    join,
    leave,
    play,
    start,
    submit,
    tick,
)

NOW = REVEAL_AT + 3_000


def kinds(events: tuple[Event, ...]) -> list[tuple[str, int]]:
    """The events' names and versions."""
    return [(type(event).__name__, event.version) for event in events]


def refusal(match: Match, command: Command, now: int = NOW) -> Code:
    with pytest.raises(Refused) as refused:
        decide(match, command, now)
    return refused.value.code


class TestOpening:
    def test_start_opens_the_first_round_in_the_same_change(self) -> None:
        opened = play(play(None, JOINED_AT, create(pace=Pace.ROUNDS)), JOINED_AT, join())
        decision = decide(opened, start(), STARTED_AT)
        assert decision.events == (MatchStarted(3, 0), RoundOpened(3, 0, REVEAL_AT, CLOSES_AT))
        match = decision.match
        assert (match.started_at, match.deadline_at, match.questions) == (STARTED_AT, None, DRAW)
        assert (match.reveals, match.closes_at, match.due_at, match.tick_at) == (
            (REVEAL_AT,), CLOSES_AT, CLOSES_AT, None,
        )  # fmt: skip
        assert match.opened == (FIRST,)

    def test_start_while_somebody_is_away_is_one_change(self) -> None:
        opened = play(play(None, JOINED_AT, create(pace=Pace.ROUNDS)), JOINED_AT, join(), go(BEN))
        events = decide(opened, start(), STARTED_AT).events
        assert [type(event) for event in events] == [MatchStarted, RoundOpened, PlayerAbsent]
        assert len({event.version for event in events}) == 1

    def test_next_round_opens_after_the_pause_and_not_before(self) -> None:
        match = between_rounds()
        assert match.tick_at == STARTED_AT + 1_000 + PAUSE_MS
        assert decide(match, tick(), match.tick_at - 1).events == ()
        decision = decide(match, tick(), match.tick_at)
        reveal_at = match.tick_at + LEAD_MS
        assert decision.events == (RoundOpened(match.version + 1, 1, reveal_at, reveal_at + 10_000),)
        assert (decision.match.opened, decision.match.tick_at) == (DRAW, None)
        assert decide(decision.match, tick(), match.tick_at).match is decision.match

    def test_tick_opens_nothing_in_an_open_round(self) -> None:
        assert decide(in_rounds(), tick(), CLOSES_AT + 60_000).events == ()

    @pytest.mark.parametrize(
        ("trips", "most_ms", "expected"),
        [
            ((20, 90), 300, 140),
            ((90, 20), 300, 140),
            ((0, 0), 300, 50),
            ((20, None), 300, 200),
            ((400, 20), 300, 300),
            ((20, 90), 0, 0),
            ((), 300, 50),
        ],
        ids=["second slower", "first slower", "no lines", "one unknown", "very slow", "switched off", "nobody there"],
    )
    def test_lead_is_what_the_slower_line_needs(
        self, trips: tuple[int | None, ...], most_ms: int, expected: int
    ) -> None:
        assert rounds.lead_ms(trips, most_ms) == expected


class TestAnswers:
    @pytest.mark.parametrize(
        ("at", "judged_at", "bonus"),
        [
            (REVEAL_AT - 150, REVEAL_AT, 50),
            (REVEAL_AT, REVEAL_AT, 50),
            (REVEAL_AT + 5_000, REVEAL_AT + 5_000, 25),
            (CLOSES_AT, CLOSES_AT, 0),
        ],
        ids=["before the reveal", "at the reveal", "half-way", "at the end"],
    )
    def test_bonus_runs_over_the_question(self, at: int, judged_at: int, bonus: int) -> None:
        match = play(in_rounds(), at, submit(ANNA))
        answer = match.seats[0].answers[0]
        assert (answer.arrived_at, answer.judged_at, answer.lag_credit_ms, answer.bonus) == (at, judged_at, 0, bonus)

    def test_credit_reaches_no_further_than_the_reveal(self) -> None:
        match = play(in_rounds(), REVEAL_AT + 80, submit(ANNA, lag_ms=200))
        answer = match.seats[0].answers[0]
        assert (answer.judged_at, answer.lag_credit_ms, answer.bonus) == (REVEAL_AT, 80, 50)

    def test_answer_is_in_time_by_its_credit(self) -> None:
        match = play(in_rounds(), CLOSES_AT + 200, submit(ANNA, lag_ms=200))
        assert match.seats[0].answers[0].judged_at == CLOSES_AT
        assert refusal(in_rounds(), submit(ANNA, lag_ms=200), CLOSES_AT + 201) is Code.TOO_LATE

    def test_second_question_has_the_whole_bonus_again(self) -> None:
        match = in_last_round()
        after = play(match, match.reveals[-1], submit(ANNA))
        assert after.seats[0].answers[-1].bonus == 50

    def test_answer_that_was_read_by_nobody_is_told_by_its_own_question(self) -> None:
        match = in_last_round()
        swift = play(match, match.reveals[-1] + 100, submit(ANNA)).seats[0].answers[-1]
        slow = play(match, match.reveals[-1] + 400, submit(ANNA)).seats[0].answers[-1]
        assert (swift.too_fast, slow.too_fast) == (True, False)

    def test_question_that_was_not_opened_is_none_of_the_match(self) -> None:
        with pytest.raises(Refused) as of_nobody:
            decide(in_rounds(), submit(ANNA, replace(SECOND, id=99)), NOW)
        with pytest.raises(Refused) as not_opened:
            decide(in_rounds(), submit(ANNA, SECOND), NOW)
        assert of_nobody.value.code is Code.UNKNOWN_QUESTION
        assert vars(of_nobody.value) == vars(not_opened.value), "nobody learns by it that the question is there"
        assert refusal(between_rounds(), submit(ANNA, SECOND)) is Code.UNKNOWN_QUESTION

    def test_closed_round_takes_no_answer(self) -> None:
        missed = play(in_rounds(), CLOSES_AT + MARGIN_MS, end_overdue())
        assert refusal(missed, submit(ANNA), CLOSES_AT) is Code.TOO_LATE
        assert missed.tick_at is not None
        later = play(missed, missed.tick_at, tick())
        assert refusal(later, submit(ANNA), missed.tick_at + 1) is Code.TOO_LATE

    def test_who_is_done_answers_nothing(self) -> None:
        assert refusal(in_rounds(complete(ANNA)), submit(ANNA)) is Code.WRONG_STATE


class TestClosing:
    def test_second_answer_closes_the_round_as_the_next_change(self) -> None:
        match = in_rounds(submit(ANNA))
        assert match.closes_at is not None
        decision = decide(match, submit(BEN), NOW)
        version = match.version
        assert kinds(decision.events) == [("AnswerAccepted", version + 1), ("RoundClosed", version + 2)]
        assert decision.events[-1] == RoundClosed(version + 2, 0, NOW + PAUSE_MS)
        assert (decision.match.closes_at, decision.match.tick_at) == (None, NOW + PAUSE_MS)

    def test_last_answer_of_the_last_round_ends_the_match_with_it(self) -> None:
        match = in_last_round(submit(BEN))
        decision = decide(match, submit(ANNA), NOW + 3_000)
        version = match.version
        assert kinds(decision.events) == [
            ("AnswerAccepted", version + 1),
            ("RoundClosed", version + 2),
            ("MatchEnded", version + 2),
        ]
        assert decision.events[1] == RoundClosed(version + 2, 1, None)
        assert decision.match.end_reason is EndReason.ALL_ANSWERED

    def test_first_answer_in_the_last_round_completes_its_player(self) -> None:
        match = in_last_round()
        decision = decide(match, submit(ANNA), NOW + 3_000)
        accepted, completed = decision.events
        assert isinstance(accepted, AnswerAccepted)
        assert completed == PlayerCompleted(match.version + 1, 0, decision.match.seats[0].score, by_command=False)

    def test_who_missed_a_round_is_complete_after_the_last_question(self) -> None:
        missed = play(in_rounds(submit(BEN)), CLOSES_AT + MARGIN_MS, end_overdue())
        assert missed.tick_at is not None
        last = play(missed, missed.tick_at, tick())
        over = play(last, missed.tick_at + 1_000, submit(ANNA, SECOND), submit(BEN, SECOND))
        assert (over.status, over.end_reason) == (Status.COMPLETED, EndReason.ALL_ANSWERED)
        assert [len(seat.answers) for seat in over.seats] == [1, 2]

    def test_sweeper_closes_a_round_no_sooner_than_the_margin_after_its_time(self) -> None:
        match = in_rounds(submit(ANNA))
        assert decide(match, end_overdue(), CLOSES_AT + MARGIN_MS - 1).events == ()
        at = CLOSES_AT + MARGIN_MS
        decision = decide(match, end_overdue(), at)
        assert decision.events == (RoundClosed(match.version + 1, 0, at + PAUSE_MS),)
        assert decision.match.status is Status.IN_PROGRESS

    def test_sweeper_ends_the_match_with_its_last_round(self) -> None:
        match = in_last_round()
        assert match.closes_at is not None
        decision = decide(match, end_overdue(), match.closes_at + MARGIN_MS)
        version = match.version + 1
        assert decision.events == (RoundClosed(version, 1, None), MatchEnded(version, EndReason.DEADLINE))

    def test_who_is_done_is_not_waited_for(self) -> None:
        match = in_rounds(complete(BEN))
        decision = decide(match, submit(ANNA), NOW)
        assert [type(event) for event in decision.events] == [AnswerAccepted, RoundClosed]

    def test_being_done_closes_a_round_that_waited_in_the_same_change(self) -> None:
        match = in_rounds(submit(ANNA))
        decision = decide(match, complete(BEN), NOW)
        version = match.version + 1
        assert kinds(decision.events) == [("PlayerCompleted", version), ("RoundClosed", version)]
        assert decision.match.version == version

    def test_match_is_over_when_both_are_done(self) -> None:
        match = in_rounds(complete(BEN))
        decision = decide(match, complete(ANNA), NOW)
        version = match.version + 1
        assert decision.events == (RoundClosed(version, 0, None), MatchEnded(version, EndReason.ALL_ANSWERED))

    def test_match_is_over_when_both_are_done_between_rounds(self) -> None:
        match = between_rounds(complete(BEN))
        decision = decide(match, complete(ANNA), NOW)
        assert decision.events == (MatchEnded(match.version + 1, EndReason.ALL_ANSWERED),)

    @pytest.mark.parametrize("match", [in_rounds(), between_rounds(), in_last_round()], ids=["first", "pause", "last"])
    def test_leaving_ends_the_match_at_once(self, match: Match) -> None:
        decision = decide(match, leave(ANNA), NOW)
        assert (decision.match.status, decision.match.outcome(1)) == (Status.COMPLETED, Outcome.WON)
        assert (decision.match.tick_at, decision.match.closes_at) == (None, None)

    def test_leaving_after_the_last_round_s_time_changes_nothing(self) -> None:
        match = in_last_round()
        assert match.closes_at is not None
        assert decide(match, leave(ANNA), match.closes_at + 1).events == ()
        assert decide(in_rounds(), leave(ANNA), CLOSES_AT + 1).match.status is Status.COMPLETED

    def test_completing_after_the_last_round_s_time_changes_nothing(self) -> None:
        match = in_last_round()
        assert match.closes_at is not None
        assert decide(match, complete(ANNA), match.closes_at + 1).duplicate
        assert not decide(in_rounds(), complete(ANNA), CLOSES_AT + 1).duplicate


class TestAbsence:
    def test_who_is_away_misses_rounds_and_comes_back_whenever(self) -> None:
        match = in_rounds(go(ANNA, Cause.CLOSED), submit(BEN))
        assert match.due_at == CLOSES_AT, "no grace of one of them decides anything"
        missed = play(match, CLOSES_AT + MARGIN_MS, end_overdue())
        late = STARTED_AT + 3_600_000
        back = play(missed, late, come_back(ANNA))
        assert (back.seats[0].absence, back.seats[0].away_ms) == (None, 0)

    def test_who_is_away_too_long_may_still_answer(self) -> None:
        match = in_rounds(go(ANNA, Cause.CLOSED), now=STARTED_AT)
        assert play(match, STARTED_AT + 10_150, submit(ANNA)).seats[0].answers

    def test_match_that_both_forsake_is_abandoned_after_the_later_grace(self) -> None:
        away = play(between_rounds(go(ANNA, Cause.CLOSED)), STARTED_AT + 2_500, go(BEN, Cause.CLOSED))
        until = STARTED_AT + 12_500
        assert away.due_at == until
        assert decide(away, end_overdue(), until + MARGIN_MS - 1).events == ()
        decision = decide(away, end_overdue(), until + MARGIN_MS)
        assert decision.events == (MatchExpired(away.version + 1, EndReason.BOTH_ABSENT),)
        assert decision.match.status is Status.ABANDONED
        assert play(away, until, come_back(ANNA)).seats[0].absence is None, "her own grace was over before"
        assert decide(away, come_back(ANNA), until + 1).events == ()
        assert decide(away, tick(), until + 1).events == ()
        assert refusal(away, complete(ANNA), until + 1) is Code.WRONG_STATE

    def test_every_absence_has_the_whole_grace(self) -> None:
        match = in_rounds()
        for turn in range(5):
            match = play(match, STARTED_AT + turn * 20_000, go(ANNA))
            match = play(match, STARTED_AT + turn * 20_000 + 15_000, come_back(ANNA))
        absence = play(match, STARTED_AT + 200_000, go(ANNA, Cause.CONNECTION_LOST)).seats[0].absence
        assert absence is not None
        assert absence.reconnect_by == STARTED_AT + 230_000


class TestOutages:
    """The service was away from 2 s to 7 s after the start; its first beat has moved the clocks of the match."""

    GAP_MS = 5_000

    def moved(self, match: Match) -> Match:
        reveals = match.reveals
        if match.closes_at is not None:
            reveals = (*reveals[:-1], reveals[-1] + self.GAP_MS)
        return replace(
            match,
            reveals=reveals,
            closes_at=match.closes_at and match.closes_at + self.GAP_MS,
            tick_at=match.tick_at and match.tick_at + self.GAP_MS,
            due_at=match.due_at + self.GAP_MS,
            paused_at=STARTED_AT + 2_000,
            resumed_at=STARTED_AT + 2_000 + self.GAP_MS,
        )

    def test_open_round_has_its_whole_time(self) -> None:
        match = self.moved(in_rounds())
        answer = play(match, REVEAL_AT + 5_000 + self.GAP_MS, submit(ANNA)).seats[0].answers[0]
        assert answer.bonus == 25
        assert play(match, CLOSES_AT + self.GAP_MS, submit(ANNA)).seats[0].answers
        assert refusal(match, submit(ANNA), CLOSES_AT + self.GAP_MS + 1) is Code.TOO_LATE

    @pytest.mark.parametrize(
        ("at", "left_ms"),
        [(STARTED_AT + 1_200, 9_000), (STARTED_AT + 2_500, 8_200), (STARTED_AT + 6_500, 8_200)],
        ids=["before", "at its beginning", "at its end"],
    )
    def test_answer_that_came_before_or_meanwhile_counts_by_the_clock_that_stood_still(
        self, at: int, left_ms: int
    ) -> None:
        answer = play(self.moved(in_rounds()), at, submit(ANNA)).seats[0].answers[0]
        assert answer.bonus == 50 * left_ms // 10_000

    def test_pause_after_an_answer_that_came_meanwhile_begins_when_the_clock_goes_on(self) -> None:
        match = self.moved(in_rounds(submit(BEN)))
        after = play(match, STARTED_AT + 3_000, submit(ANNA))
        assert after.tick_at == STARTED_AT + 7_000 + PAUSE_MS
