"""Ghosts: what of a match is a run, and how a run plays: the same answers, each at its own millisecond."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
    AnswerAccepted,
    EndReason,
    MatchEnded,
    MatchStarted,
    PlayerCompleted,
    PlayerForfeited,
    RoundClosed,
)
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.rules.runs import recorded
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Ghost, Origin, Pace, Run, Step
from tests.rules.matches import (
    ANNA,
    BEN,
    CLEO,
    DEADLINE_AT,
    FIRST,
    GHOST,
    JOINED_AT,
    LEAD_MS,
    MARGIN_MS,
    PAUSE_MS,
    READY_UNTIL,
    RECORDED_ID,
    RUN,
    SECOND,
    STARTED_AT,
    against_ghost,
    complete,
    completed,
    end_overdue,
    forfeited,
    forsaken,
    go,
    in_progress,
    in_rounds,
    join,
    leave,
    pair,
    play,
    start,
    start_by_itself,
    submit,
    tick,
    timed_out,
)


def played(*acts: tuple[int, Command]) -> Match:
    """A match after commands at their times, in milliseconds from its start."""
    match = in_progress()
    for at, command in acts:
        match = play(match, STARTED_AT + at, command)
    return match


def points(match: Match, seat: int) -> list[int]:
    return [answer.points for answer in match.seats[seat].answers]


class TestRecording:
    def test_run_has_each_answer_with_its_time_on_the_clock_of_its_match(self) -> None:
        match = played(
            (1_234, submit(BEN, SECOND, 1)), (5_000, submit(ANNA)), (6_789, submit(BEN, FIRST, 1)), (7_000, complete())
        )
        assert recorded(match, 1) == Run((Step(12, 1, 1_234), Step(11, 1, 6_789)))

    def test_player_who_was_done_sooner_is_so_in_the_run_too(self) -> None:
        match = played((1_000, submit(ANNA)), (2_500, complete(ANNA)), (3_000, complete(BEN)))
        assert recorded(match, 0) == Run((Step(11, 1, 1_000),), completed_after_ms=2_500)

    def test_run_that_the_deadline_has_ended_is_never_done(self) -> None:
        assert recorded(timed_out(submit(ANNA)), 0) == Run((Step(11, 1, 1_000),))

    def test_answer_counts_as_soon_as_its_line_was_credited(self) -> None:
        slow = submit(BEN, SECOND, lag_ms=200, allowance=LagAllowance(300, 200))
        match = played((2_000, submit(BEN)), (2_100, slow), (3_000, complete()))
        assert recorded(match, 1) == Run((Step(12, 0, 1_900), Step(11, 1, 2_000)))

    def test_outage_is_no_part_of_a_run(self) -> None:
        match = played((1_000, submit(ANNA)))
        moved = replace(
            match,
            deadline_at=DEADLINE_AT + 60_000,
            due_at=DEADLINE_AT + 60_000,
            paused_at=STARTED_AT + 2_000,
            resumed_at=STARTED_AT + 62_000,
        )
        match = play(moved, STARTED_AT + 65_000, submit(ANNA, SECOND), complete(BEN))
        assert recorded(match, 0) == Run((Step(11, 1, 1_000), Step(12, 0, 5_000)))

    def test_after_two_outages_nobody_knows_when_the_first_answers_were(self) -> None:
        match = played((1_000, submit(ANNA)))
        moved = replace(
            match,
            deadline_at=DEADLINE_AT + 90_000,  # by 60 s, and then by 30
            due_at=DEADLINE_AT + 90_000,
            paused_at=STARTED_AT + 70_000,
            resumed_at=STARTED_AT + 100_000,
        )
        match = play(moved, STARTED_AT + 101_000, submit(ANNA, SECOND), complete(BEN))
        assert recorded(match, 0) is None

    @pytest.mark.parametrize(
        "match",
        [
            in_progress(submit(ANNA)),
            completed(),
            forfeited(BEN, submit(ANNA)),
            forfeited(ANNA, submit(ANNA)),
            forsaken(),
        ],
        ids=["running", "nothing answered", "cut short", "given up", "forsaken"],
    )
    def test_what_was_not_played_to_its_end_is_no_run(self, match: Match) -> None:
        assert recorded(match, 0) is None

    def test_ghost_is_not_recorded(self) -> None:
        match = play(against_ghost(submit(ANNA), complete()), STARTED_AT + 2_000, tick())
        assert recorded(match, 1) is None
        assert recorded(match, 0) == Run((Step(11, 1, 1_000),), completed_after_ms=1_000)


class TestStart:
    READY = play(None, JOINED_AT, pair(players=(ANNA, GHOST), origin=Origin.GHOST, ghost=Ghost(RECORDED_ID, 1)))

    def test_match_knows_from_the_start_when_its_ghost_answers_first(self) -> None:
        assert self.READY.tick_at is not None
        decision = decide(self.READY, replace(start_by_itself(), run=RUN), self.READY.tick_at)
        assert decision.events == (MatchStarted(2, None),)
        assert (decision.match.run, decision.match.tick_at) == (RUN, self.READY.tick_at + 1_500)

    def test_match_whose_run_is_gone_expires_at_its_start(self) -> None:
        assert self.READY.tick_at is not None
        decision = decide(self.READY, start_by_itself(draw=()), self.READY.tick_at)
        assert decision.match.status is Status.EXPIRED

    def test_player_who_starts_a_match_whose_run_is_gone_is_told_so(self) -> None:
        with pytest.raises(Refused, match="recorded run") as refused:
            decide(self.READY, start(ANNA, draw=()), READY_UNTIL)
        assert refused.value.code is Code.WRONG_STATE

    def test_nobody_joins_a_match_against_a_ghost(self) -> None:
        with pytest.raises(Refused) as refused:
            decide(self.READY, join(CLEO), JOINED_AT)
        assert refused.value.code is Code.SESSION_FULL


class TestReplay:
    def test_ghost_answers_to_the_millisecond(self) -> None:
        match = against_ghost()
        assert match.tick_at == STARTED_AT + 1_500
        assert decide(match, tick(), STARTED_AT + 1_499) == Decision(match)

        decision = decide(match, tick(), STARTED_AT + 1_500)
        (accepted,) = decision.events
        assert isinstance(accepted, AnswerAccepted)
        assert (accepted.seat, accepted.answer.question_id, accepted.answer.chosen) == (1, 12, 1)
        assert accepted.answer.judged_at == accepted.answer.arrived_at == STARTED_AT + 1_500
        assert decision.match.tick_at == STARTED_AT + 1_700

    def test_answer_has_its_own_time_however_late_somebody_looks(self) -> None:
        decision = decide(against_ghost(), tick(), STARTED_AT + 9_000)
        assert [type(event) for event in decision.events] == [AnswerAccepted, AnswerAccepted, PlayerCompleted]
        answers = decision.match.seats[1].answers
        assert [answer.judged_at - STARTED_AT for answer in answers] == [1_500, 1_700]
        assert decision.match.tick_at is None
        assert [event.version for event in decision.events] == [3, 4, 4]

    def test_second_look_at_the_same_moment_changes_nothing(self) -> None:
        match = play(against_ghost(), STARTED_AT + 1_600, tick())
        assert decide(match, tick(), STARTED_AT + 1_600) == Decision(match)

    def test_ghost_has_the_points_that_were_recorded(self) -> None:
        scoring = Scoring(points=1_000, speed_bonus=777)
        original = in_progress(scoring=scoring)
        for at, command in ((1_357, submit(BEN)), (8_642, submit(BEN, SECOND)), (9_000, complete())):
            original = play(original, STARTED_AT + at, command)
        run = recorded(original, 1)
        assert run is not None
        opened = play(None, JOINED_AT, pair(players=(ANNA, GHOST), scoring=scoring, ghost=Ghost(RECORDED_ID, 1)))
        later = play(opened, STARTED_AT + 777, replace(start(), run=run))
        replayed = play(later, DEADLINE_AT, tick())
        assert points(replayed, 1) == points(original, 1)
        assert replayed.seats[1].score == original.seats[1].score > 2_000

    def test_last_answer_of_either_ends_the_match(self) -> None:
        match = against_ghost(submit(ANNA), submit(ANNA, SECOND))
        decision = decide(match, tick(), STARTED_AT + 1_750)
        assert decision.events[-1] == MatchEnded(decision.match.version, EndReason.ALL_ANSWERED)
        assert (decision.match.ended_at, decision.match.tick_at) == (STARTED_AT + 1_750, None)
        assert decision.match.outcome(0) is Outcome.WON

    def test_ghost_is_done_when_the_player_was(self) -> None:
        run = Run((Step(11, 0, 1_500),), completed_after_ms=4_000)
        match = play(against_ghost(run=run), STARTED_AT + 3_999, tick())
        assert (match.tick_at, match.seats[1].completed_at) == (STARTED_AT + 4_000, None)
        decision = decide(match, tick(), STARTED_AT + 4_010)
        assert decision.events == (PlayerCompleted(4, 1, 0, by_command=True),)
        assert decision.match.seats[1].completed_at == STARTED_AT + 4_000

    def test_ghost_that_was_never_done_waits_for_the_deadline(self) -> None:
        match = play(against_ghost(complete(), run=Run((Step(11, 1, 1_500),))), STARTED_AT + 1_500, tick())
        assert (match.status, match.tick_at, match.due_at) == (Status.IN_PROGRESS, None, DEADLINE_AT)
        over = play(match, DEADLINE_AT + MARGIN_MS, end_overdue())
        assert over.end_reason is EndReason.DEADLINE

    def test_what_the_ghost_did_in_time_counts_though_nobody_looked_before_the_deadline(self) -> None:
        decision = decide(against_ghost(), end_overdue(), DEADLINE_AT + MARGIN_MS)
        assert [type(event) for event in decision.events] == [
            AnswerAccepted, AnswerAccepted, PlayerCompleted, MatchEnded
        ]  # fmt: skip
        assert (decision.match.outcome(0), decision.match.end_reason) == (Outcome.LOST, EndReason.DEADLINE)

    def test_answer_before_an_outage_keeps_its_time_and_its_points(self) -> None:
        match = against_ghost()
        moved = replace(
            match,
            deadline_at=DEADLINE_AT + 60_000,
            due_at=DEADLINE_AT + 60_000,
            tick_at=STARTED_AT + 61_500,
            paused_at=STARTED_AT + 1_600,
            resumed_at=STARTED_AT + 61_600,
        )
        late = play(moved, STARTED_AT + 62_000, tick())
        sooner = play(match, STARTED_AT + 2_000, tick())
        assert points(late, 1) == points(sooner, 1)
        assert [answer.judged_at - STARTED_AT for answer in late.seats[1].answers] == [1_500, 61_700]


class TestPresence:
    def test_ghost_is_never_away(self) -> None:
        match = against_ghost()
        assert decide(match, go(GHOST, Cause.NODE_LOST), STARTED_AT + 1_000) == Decision(match)

    def test_player_who_stays_away_loses_to_a_ghost(self) -> None:
        match = against_ghost(go(ANNA))
        decision = decide(match, end_overdue(), match.due_at + MARGIN_MS)
        assert PlayerForfeited(6, 0) in decision.events
        assert decision.match.outcome(0) is Outcome.LOST

    def test_player_leaves_a_ghost(self) -> None:
        match = against_ghost(leave(ANNA))
        assert (match.status, match.outcome(0)) == (Status.COMPLETED, Outcome.LOST)
        assert decide(match, tick(), STARTED_AT + 5_000) == Decision(match)


class TestRounds:
    """A ghost in rounds: each answer counts from its own round's reveal, and the rounds go on as ever."""

    RUN = Run((Step(11, 0, 1_200), Step(12, 0, 3_400)))

    def against(self, run: Run = RUN) -> Match:
        opened = play(None, JOINED_AT, pair(players=(ANNA, GHOST), pace=Pace.ROUNDS, ghost=Ghost(RECORDED_ID, 1)))
        return play(opened, STARTED_AT, replace(start(), run=run, lead_ms=LEAD_MS, pause_ms=PAUSE_MS))

    def test_run_counts_from_each_rounds_reveal(self) -> None:
        match = in_rounds()
        match = play(match, match.reveals[0] + 1_200, submit(BEN, FIRST, 0))
        match = play(match, match.reveals[0] + 2_000, submit(ANNA))
        assert match.tick_at is not None
        match = play(match, match.tick_at, tick())
        match = play(match, match.reveals[1] + 3_400, submit(BEN, SECOND, 0))
        match = play(match, match.due_at + MARGIN_MS, end_overdue())
        assert recorded(match, 1) == self.RUN
        assert recorded(match, 0) == Run((Step(11, 1, 2_000),))
        assert recorded(replace(match, paused_at=STARTED_AT, resumed_at=STARTED_AT + 2_000), 1) is None

    def test_ghost_answers_in_each_round_to_the_millisecond(self) -> None:
        match = self.against()
        assert match.tick_at == match.reveals[0] + 1_200
        assert decide(match, tick(), match.tick_at - 1) == Decision(match)
        match = play(match, match.tick_at + 7, tick())
        assert [answer.judged_at - match.reveals[0] for answer in match.seats[1].answers] == [1_200]
        assert (match.tick_at, len(match.reveals)) == (None, 1)

        match = play(match, match.reveals[0] + 2_000, submit(ANNA))
        assert (match.closes_at, match.tick_at) == (None, match.reveals[0] + 2_000 + PAUSE_MS)
        match = play(match, match.reveals[0] + 2_000 + PAUSE_MS, tick())
        assert match.tick_at == match.reveals[1] + 3_400
        match = play(match, match.reveals[1] + 1_000, submit(ANNA, SECOND))
        decision = decide(match, tick(), match.reveals[1] + 3_400)
        assert decision.match.status is Status.COMPLETED
        assert decision.match.seats[1].completed_at == match.reveals[1] + 3_400

    def test_ghosts_answer_closes_the_round(self) -> None:
        match = play(self.against(), STARTED_AT + LEAD_MS + 300, submit(ANNA))
        decision = decide(match, tick(), match.reveals[0] + 1_200)
        assert [type(event) for event in decision.events] == [AnswerAccepted, RoundClosed]
        assert decision.match.tick_at == match.reveals[0] + 1_200 + PAUSE_MS

    def test_ghost_that_missed_a_round_misses_it_again(self) -> None:
        match = self.against(Run((Step(12, 0, 3_400),)))
        assert match.tick_at is None
        match = play(match, match.due_at + MARGIN_MS, end_overdue())
        assert match.tick_at is not None
        match = play(match, match.tick_at, tick())
        assert match.tick_at == match.reveals[1] + 3_400

    def test_what_the_ghost_did_in_time_counts_though_nobody_looked_before_the_round_was_over(self) -> None:
        match = self.against()
        decision = decide(match, end_overdue(), match.due_at + MARGIN_MS)
        assert [type(event) for event in decision.events] == [AnswerAccepted, RoundClosed]
        assert decision.match.seats[1].answers[0].judged_at == match.reveals[0] + 1_200

    def test_answer_of_a_ghost_opens_no_round_too_soon(self) -> None:
        match = self.against()
        assert match.tick_at is not None
        after = play(match, match.tick_at, tick())
        assert decide(after, tick(), match.tick_at) == Decision(after)
