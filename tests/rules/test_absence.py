"""Who is away, how it came, and what happens meanwhile: a test a cell. Anna goes, Ben is her opponent."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from pairquiz_server.protocol import views
from pairquiz_server.rules.absence import Absence, Cause, Patience
from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code
from pairquiz_server.rules.events import (
    AnswerAccepted,
    EndReason,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    PlayerAbsent,
    PlayerCompleted,
    PlayerForfeited,
    PlayerLeft,
    PlayerReturned,
)
from pairquiz_server.rules.match import Match, Outcome, Status
from tests.rules.expecting import assert_refused, assert_unchanged
from tests.rules.matches import (
    ANNA,
    BEN,
    CREATED_AT,
    FIRST,
    JOINED_AT,
    MARGIN_MS,
    SECOND,
    STARTED_AT,
    come_back,
    complete,
    create,
    end_overdue,
    go,
    join,
    leave,
    play,
    running,
    start,
    submit,
)

LOST, CLOSED = Cause.CONNECTION_LOST, Cause.CLOSED
PATIENCE = Patience()
GONE_AT = STARTED_AT + 5_000


@dataclass(frozen=True)
class Way:
    """How Anna comes to be away: the match then, since when her clock runs, and until when she may come."""

    cause: Cause
    already_at_start: bool
    grace_ms: int

    def match(self, *before: Command, time_limit_s: int = 120) -> Match:
        """A running match in which Anna is away, after commands that arrived at its start."""
        ready = play(play(None, CREATED_AT, create(time_limit_s=time_limit_s)), JOINED_AT, join())
        if self.already_at_start:
            ready = play(ready, JOINED_AT, go(ANNA, self.cause))
            return play(ready, STARTED_AT, start(BEN), *before)
        return play(play(ready, STARTED_AT, start(BEN), *before), GONE_AT, go(ANNA, self.cause))

    @property
    def since(self) -> int:
        return STARTED_AT if self.already_at_start else GONE_AT

    @property
    def by(self) -> int:
        return self.since + self.grace_ms


WAYS = {
    "line lost": Way(LOST, already_at_start=False, grace_ms=30_000),
    "page closed": Way(CLOSED, already_at_start=False, grace_ms=10_000),
    "line lost before the start": Way(LOST, already_at_start=True, grace_ms=30_000),
    "page closed before the start": Way(CLOSED, already_at_start=True, grace_ms=30_000),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


def reasons(match: Match) -> tuple[str, str]:
    """The reason of the end as Anna and as Ben read it."""
    return views.quiz_results(match, 0).reason, views.quiz_results(match, 1).reason


def outcomes(match: Match) -> tuple[Outcome, Outcome]:
    return match.outcome(0), match.outcome(1)


def assert_anna_forfeits(match: Match, at: int) -> None:
    """The sweeper ends the match at the end of her grace and not sooner, and Ben has won whatever the points."""
    assert match.due_at == at
    assert_unchanged(match, end_overdue(), at + MARGIN_MS - 1)
    decision = decide(match, end_overdue(), at + MARGIN_MS)
    after, version = decision.match, match.version + 1
    assert decision.events == (PlayerForfeited(version, 0), MatchEnded(version, EndReason.PLAYER_ABSENT))
    assert (after.version, after.status, after.end_reason) == (version, Status.COMPLETED, EndReason.PLAYER_ABSENT)
    assert (after.forfeited_by, after.ended_at) == (0, at + MARGIN_MS)
    assert outcomes(after) == (Outcome.LOST, Outcome.WON)
    assert reasons(after) == ("you_were_absent", "opponent_absent")


class TestGoing:
    @pytest.mark.parametrize("way", [way for way in WAYS.values() if not way.already_at_start], ids=["lost", "closed"])
    def test_player_goes_while_the_match_runs(self, way: Way) -> None:
        before = running()
        decision = decide(before, go(ANNA, way.cause), GONE_AT)
        absence = Absence(GONE_AT, way.cause, way.by)
        after = decision.match
        assert decision.events == (PlayerAbsent(before.version + 1, 0, absence),)
        assert after == replace(
            before,
            version=before.version + 1,
            due_at=way.by,
            seats=(replace(before.seats[0], absence=absence), before.seats[1]),
        )

    @pytest.mark.parametrize("cause", Cause)
    def test_player_goes_before_the_start_and_no_clock_runs(self, cause: Cause) -> None:
        for before in (play(None, CREATED_AT, create()), play(play(None, CREATED_AT, create()), JOINED_AT, join())):
            decision = decide(before, go(ANNA, cause), JOINED_AT + 1)
            absence = Absence(JOINED_AT + 1, cause)
            assert decision.events == (PlayerAbsent(before.version + 1, 0, absence),)
            after = decision.match
            assert (after.status, after.due_at, after.seats[0].absence) == (before.status, before.due_at, absence)
            back = decide(after, come_back(), JOINED_AT + 100_000)
            assert back.events == (PlayerReturned(after.version + 1, 0),)
            assert (back.match.due_at, back.match.seats[0].away_ms) == (before.due_at, 0), "who waits spends nothing"

    @pytest.mark.parametrize("cause", Cause)
    def test_match_starts_while_a_player_is_away(self, cause: Cause) -> None:
        ready = play(play(None, CREATED_AT, create(time_limit_s=120)), JOINED_AT, join(), go(ANNA, cause))
        decision = decide(ready, start(BEN), STARTED_AT)
        absence = Absence(STARTED_AT, cause, STARTED_AT + PATIENCE.lost_ms)
        version = ready.version + 1
        assert decision.events == (MatchStarted(version, 1), PlayerAbsent(version, 0, absence))
        assert (decision.match.due_at, decision.match.seats[0].absence) == (absence.reconnect_by, absence)
        assert decision.match.deadline_at == STARTED_AT + 240_000

    def test_match_starts_while_both_are_away(self) -> None:
        ready = play(play(None, CREATED_AT, create(time_limit_s=120)), JOINED_AT, join(), go(ANNA), go(BEN, LOST))
        decision = decide(ready, start(BEN), STARTED_AT)
        assert [type(event) for event in decision.events] == [MatchStarted, PlayerAbsent, PlayerAbsent]
        assert decision.match.due_at == STARTED_AT + PATIENCE.lost_ms

    def test_player_who_is_done_is_never_away(self) -> None:
        assert_unchanged(play(running(), GONE_AT, complete(ANNA)), go(ANNA, LOST), GONE_AT + 1)

    @every_way
    def test_player_who_is_away_goes_again_with_another_cause(self, way: Way) -> None:
        for cause in Cause:
            assert_unchanged(way.match(), go(ANNA, cause), way.since + 500)

    def test_player_who_goes_after_the_end_changes_nothing(self) -> None:
        match = running()
        assert_unchanged(match, go(ANNA), match.deadline_at + 1)
        assert decide(match, go(ANNA), match.deadline_at).events


@every_way
class TestAway:
    def test_returns_in_time(self, way: Way) -> None:
        match = way.match()
        for spent_ms in (0, 1, way.grace_ms - 1, way.grace_ms):  # the last is the last millisecond
            decision = decide(match, come_back(), way.since + spent_ms)
            seat = decision.match.seats[0]
            assert decision.events == (PlayerReturned(match.version + 1, 0),)
            assert (seat.absence, seat.away_ms) == (None, spent_ms)
            assert (decision.match.due_at, decision.match.status) == (match.deadline_at, Status.IN_PROGRESS)
            assert decide(decision.match, submit(ANNA), way.since + spent_ms).events

    def test_returned_before_leaving_by_the_clocks_spends_nothing(self, way: Way) -> None:
        assert decide(way.match(), come_back(), way.since - 50).match.seats[0].away_ms == 0

    def test_returns_too_late(self, way: Way) -> None:
        match = way.match()
        assert_unchanged(match, come_back(), way.by + 1)
        for command in (submit(ANNA), complete(ANNA)):
            assert_refused(match, command, way.by + 1, Code.WRONG_STATE)
        assert_unchanged(match, leave(ANNA), way.by + 1)
        assert_anna_forfeits(match, way.by)

    def test_stays_away_and_has_more_points(self, way: Way) -> None:
        match = way.match(submit(ANNA), submit(BEN, FIRST, 0))
        assert match.seats[0].score > match.seats[1].score
        assert_anna_forfeits(match, way.by)

    def test_player_is_told_of_it_as_the_opponent_sees_it(self, way: Way) -> None:
        match = way.match()
        told = views.quiz_state(match, 1, way.since + 1)
        assert told.opponent is not None
        assert (told.opponent.connected, told.opponent.cause, told.opponent.reconnect_by) == (False, way.cause, way.by)
        own = views.quiz_state(match, 0, way.since + 1)
        assert own.your_absence is not None
        assert (own.your_absence.cause, own.your_absence.reconnect_by, own.remaining_ms) == (
            way.cause, way.by, match.deadline_at - way.since - 1,
        )  # fmt: skip

    def test_opponent_goes_too_and_player_returns(self, way: Way) -> None:
        both = play(way.match(), way.since + 2_000, go(BEN, LOST))
        assert both.due_at == way.since + 32_000
        back = play(both, way.since + 3_000, come_back(ANNA))
        assert back.due_at == way.since + 32_000
        ended = play(back, back.due_at + MARGIN_MS, end_overdue())
        assert (ended.forfeited_by, outcomes(ended)) == (1, (Outcome.WON, Outcome.LOST))
        assert reasons(ended) == ("opponent_absent", "you_were_absent")

    def test_opponent_goes_too_and_returns_when_the_players_grace_is_over(self, way: Way) -> None:
        both = play(way.match(), way.since + 2_000, go(BEN, LOST))
        assert_unchanged(both, end_overdue(), way.by + MARGIN_MS)  # the first grace to end decides nothing
        assert_unchanged(both, come_back(ANNA), way.by + 1)
        back = play(both, way.by + 1_000, come_back(BEN))
        assert back.seats[1].away_ms == way.by + 1_000 - way.since - 2_000
        assert_anna_forfeits(back, way.by)

    def test_opponent_who_is_back_while_time_has_decided_cannot_lose_any_more(self, way: Way) -> None:
        back = play(play(way.match(), way.since + 2_000, go(BEN, LOST)), way.by + 1_000, come_back(BEN))
        for command in (go(BEN), leave(BEN), come_back(ANNA), leave(ANNA)):
            assert_unchanged(back, command, way.by + 1_001)

    def test_both_stay_away(self, way: Way) -> None:
        both = play(way.match(submit(ANNA)), way.since + 2_000, go(BEN, LOST))
        assert both.due_at == way.since + 32_000
        assert_unchanged(both, end_overdue(), both.due_at + MARGIN_MS - 1)
        decision = decide(both, end_overdue(), both.due_at + MARGIN_MS)
        after = decision.match
        assert decision.events == (MatchExpired(both.version + 1, EndReason.BOTH_ABSENT),)
        assert (after.status, after.end_reason) == (Status.ABANDONED, EndReason.BOTH_ABSENT)
        assert (after.version, after.forfeited_by) == (both.version + 1, None)
        assert outcomes(after) == (Outcome.NONE, Outcome.NONE)

    def test_completes_while_away(self, way: Way) -> None:
        match, at = way.match(submit(ANNA)), way.by
        decision = decide(match, complete(ANNA), at)
        version, seat = match.version + 1, decision.match.seats[0]
        assert decision.events == (PlayerReturned(version, 0), PlayerCompleted(version, 0, seat.score, by_command=True))
        assert (seat.absence, seat.away_ms, seat.completed_at) == (None, at - way.since, at)
        assert (decision.match.version, decision.match.due_at) == (version, match.deadline_at)
        assert_unchanged(decision.match, go(ANNA, LOST), at)

    def test_gives_the_last_answer_while_away(self, way: Way) -> None:
        match, at = way.match(submit(ANNA)), way.by
        decision = decide(match, submit(ANNA, SECOND), at)
        seat = decision.match.seats[0]
        assert [type(event) for event in decision.events] == [PlayerReturned, AnswerAccepted, PlayerCompleted]
        assert {event.version for event in decision.events} == {match.version + 1}
        assert (seat.absence, seat.away_ms, decision.match.due_at) == (None, at - way.since, match.deadline_at)

    def test_answers_while_away_and_only_the_connection_counts(self, way: Way) -> None:
        match = way.match()
        decision = decide(match, submit(ANNA), way.by)
        assert [type(event) for event in decision.events] == [AnswerAccepted]
        assert (decision.match.seats[0].absence, decision.match.due_at) == (match.seats[0].absence, way.by)

    @pytest.mark.parametrize(
        ("command", "between"), [(complete(ANNA), 0), (submit(ANNA, SECOND), 1)], ids=["completes", "answers"]
    )
    def test_ends_the_match_from_away(self, way: Way, command: Command, between: int) -> None:
        match = way.match(submit(ANNA), complete(BEN))
        decision = decide(match, command, way.by)
        assert isinstance(decision.events[0], PlayerReturned)
        assert decision.events[-1] == MatchEnded(match.version + 1 + between, EndReason.ALL_ANSWERED)
        assert (decision.match.version, decision.match.seats[0].absence) == (match.version + 1 + between, None)
        assert outcomes(decision.match) == (Outcome.WON, Outcome.LOST)

    def test_opponent_completes_meanwhile(self, way: Way) -> None:
        match = play(way.match(submit(ANNA)), way.since + 1_000, complete(BEN))
        assert_anna_forfeits(match, way.by)
        back = play(match, way.by, come_back(ANNA))
        assert (back.status, back.due_at) == (Status.IN_PROGRESS, back.deadline_at)
        ended = play(back, way.by + 1, complete(ANNA))
        assert (outcomes(ended), reasons(ended)) == ((Outcome.WON, Outcome.LOST), ("all_answered", "all_answered"))

    def test_opponent_answers_meanwhile(self, way: Way) -> None:
        match = play(way.match(), way.since + 1_000, submit(BEN))
        assert match.seats[1].score > 0
        assert_anna_forfeits(match, way.by)

    def test_opponent_leaves_meanwhile(self, way: Way) -> None:
        match = way.match()
        decision = decide(match, leave(BEN), way.by)
        version = match.version + 1
        assert decision.events == (PlayerLeft(version, 1), MatchEnded(version, EndReason.PLAYER_LEFT))
        assert outcomes(decision.match) == (Outcome.WON, Outcome.LOST)
        assert reasons(decision.match) == ("opponent_left", "you_left")
        assert_unchanged(match, leave(BEN), way.by + 1)  # by then Ben has won

    def test_leaves_from_away(self, way: Way) -> None:
        decision = decide(way.match(), leave(ANNA), way.by)
        assert [type(event) for event in decision.events] == [PlayerLeft, MatchEnded]
        assert outcomes(decision.match) == (Outcome.LOST, Outcome.WON)
        assert reasons(decision.match) == ("you_left", "opponent_left")

    @pytest.mark.parametrize("both", [False, True], ids=["one away", "both away"])
    def test_deadline_comes_before_the_end_of_the_grace(self, way: Way, both: bool) -> None:
        match = way.match(submit(ANNA), time_limit_s=6)
        if both:
            match = play(match, way.since + 1, go(BEN, LOST))
        assert match.due_at == match.deadline_at == STARTED_AT + 12_000
        decision = decide(match, end_overdue(), match.deadline_at + MARGIN_MS)
        assert decision.events == (MatchEnded(match.version + 1, EndReason.DEADLINE),)
        assert (outcomes(decision.match), decision.match.forfeited_by) == ((Outcome.WON, Outcome.LOST), None)
        assert reasons(decision.match) == ("deadline", "deadline")

    def test_deadline_and_grace_end_in_the_same_millisecond_and_points_decide(self, way: Way) -> None:
        match = way.match(submit(ANNA))
        match = replace(match, deadline_at=way.by, due_at=way.by)
        assert play(match, way.by + MARGIN_MS, end_overdue()).end_reason is EndReason.DEADLINE

    def test_answers_after_the_deadline_of_a_match_that_the_grace_has_decided(self, way: Way) -> None:
        match = way.match()
        assert match.deadline_at is not None
        late = match.deadline_at + 1  # nobody has swept in all this time
        assert_refused(match, submit(ANNA), late, Code.WRONG_STATE)
        assert_refused(play(match, late, end_overdue()), submit(ANNA), late, Code.WRONG_STATE)

    @pytest.mark.parametrize("now_ms", [1, 40_000], ids=["before the end of the grace", "after it"])
    def test_answers_after_the_deadline_is_too_late_like_everybody(self, way: Way, now_ms: int) -> None:
        match = way.match(time_limit_s=5)
        assert match.deadline_at is not None
        late = match.deadline_at + now_ms
        assert_refused(match, submit(ANNA), late, Code.TOO_LATE)
        assert_refused(play(match, late + MARGIN_MS, end_overdue()), submit(ANNA), late, Code.TOO_LATE)


CAUSES = pytest.mark.parametrize(("cause", "grace_ms"), [(LOST, 30_000), (CLOSED, 10_000)], ids=["lost", "closed"])


class TestBudget:
    @CAUSES
    @pytest.mark.parametrize("away_ms", [0, 25_000, 49_999, 55_000, 59_999, 60_000])
    def test_grace_is_what_is_left_of_it(self, cause: Cause, grace_ms: int, away_ms: int) -> None:
        before = running()
        before = before.with_seat(0, replace(before.seats[0], away_ms=away_ms))
        match = play(before, GONE_AT, go(ANNA, cause))
        by = GONE_AT + min(grace_ms, 60_000 - away_ms)
        assert match.seats[0].absence == Absence(GONE_AT, cause, by)
        assert play(match, by, come_back(ANNA)).seats[0].away_ms == away_ms + by - GONE_AT <= 60_000
        assert_anna_forfeits(match, by)

    @CAUSES
    def test_budget_that_is_gone_allows_nothing(self, cause: Cause, grace_ms: int) -> None:
        match, now = running(), GONE_AT
        for _ in range(60_000 // grace_ms):
            match = play(play(match, now, go(ANNA, cause)), now + grace_ms, come_back(ANNA))
            now += grace_ms + 100
        assert match.seats[0].away_ms == 60_000
        match = play(match, now, go(ANNA, cause))
        assert_unchanged(match, come_back(ANNA), now + 1)
        assert_anna_forfeits(match, now)

    def test_budget_that_was_lowered_meanwhile_allows_nothing(self) -> None:
        before = running()
        before = before.with_seat(0, replace(before.seats[0], away_ms=60_001))
        assert play(before, GONE_AT, go(ANNA)).seats[0].absence == Absence(GONE_AT, CLOSED, GONE_AT)

    def test_each_has_a_budget_of_their_own(self) -> None:
        before = running()
        before = before.with_seat(0, replace(before.seats[0], away_ms=60_000))
        assert play(before, GONE_AT, go(BEN, LOST)).due_at == GONE_AT + 30_000

    def test_an_operator_may_allow_nothing(self) -> None:
        match = play(running(), GONE_AT, go(ANNA, LOST, Patience(0, 0, 0)))
        assert_anna_forfeits(match, GONE_AT)


def test_player_who_is_done_wins_by_points_though_gone() -> None:
    match = play(running(), GONE_AT, submit(ANNA), complete(ANNA), go(ANNA, CLOSED), leave(ANNA))
    ended = play(match, match.due_at + MARGIN_MS, end_overdue())
    assert (ended.end_reason, outcomes(ended)) == (EndReason.DEADLINE, (Outcome.WON, Outcome.LOST))
