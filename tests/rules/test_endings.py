"""When a match ends, to the millisecond, and how it went for both."""

from itertools import pairwise

import pytest

from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import EndReason, MatchEnded, MatchExpired
from pairquiz_server.rules.match import LIVE, Match, Outcome, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.terms import Pace
from tests.rules.expecting import assert_refused
from tests.rules.matches import (
    ANNA,
    BEN,
    DEADLINE_AT,
    DRAW,
    FIRST,
    MARGIN_MS,
    READY_UNTIL,
    SECOND,
    SITUATIONS,
    STARTED_AT,
    WAITING_UNTIL,
    abandoned,
    complete,
    completed,
    end,
    end_overdue,
    forfeited,
    in_progress,
    join,
    leave,
    never_joined,
    never_started,
    play,
    ready,
    start,
    submit,
    timed_out,
    waiting,
    withdrawn,
)

WON, LOST, DRAWN, NONE = Outcome.WON, Outcome.LOST, Outcome.DRAW, Outcome.NONE


@pytest.mark.parametrize(
    ("match", "due_at"),
    [(waiting(), WAITING_UNTIL), (ready(), READY_UNTIL), (in_progress(), DEADLINE_AT)],
    ids=["waiting", "ready", "in progress"],
)
@pytest.mark.parametrize("margin_ms", [0, 1, MARGIN_MS])
def test_sweeper_ends_match_no_sooner_than_the_margin_after_it_is_due(
    match: Match, due_at: int, margin_ms: int
) -> None:
    early = decide(match, end_overdue(margin_ms), due_at + margin_ms - 1)
    assert (early.match, early.events, early.duplicate) == (match, (), False)
    assert decide(match, end_overdue(margin_ms), due_at + margin_ms).match.ended_at == due_at + margin_ms


@pytest.mark.parametrize(
    ("match", "command", "due_at", "code"),
    [
        (waiting(), join(BEN), WAITING_UNTIL, Code.NOT_FOUND),
        (ready(), start(BEN), READY_UNTIL, Code.WRONG_STATE),
        (in_progress(), submit(BEN), DEADLINE_AT, Code.TOO_LATE),
    ],
    ids=["join", "start", "answer"],
)
def test_command_is_in_time_at_the_very_end_and_not_one_millisecond_later(
    match: Match, command: Command, due_at: int, code: Code
) -> None:
    assert decide(match, command, due_at).events
    with pytest.raises(Refused) as refused:
        decide(match, command, due_at + 1)
    assert refused.value.code is code


@pytest.mark.parametrize("match", [waiting(), ready()], ids=["waiting", "ready"])
def test_player_can_still_leave_a_match_that_is_overdue(match: Match) -> None:
    assert decide(match, leave(ANNA), match.due_at + 1).match.status is Status.ABANDONED


@pytest.mark.parametrize("player", [ANNA, BEN], ids=["creator", "opponent"])
def test_player_who_leaves_after_the_deadline_loses_nothing(player: Player) -> None:
    match = in_progress(submit(player))
    assert decide(match, leave(player), DEADLINE_AT).match.forfeited_by == match.seat_of(player.id)
    late = decide(match, leave(player), DEADLINE_AT + 1)
    assert (late.match, late.events, late.duplicate) == (match, (), False)


def test_player_who_has_completed_loses_nothing_by_leaving() -> None:
    match = in_progress(submit(ANNA), complete(ANNA))
    left = decide(match, leave(ANNA), STARTED_AT + 2_000)
    assert (left.match, left.events) == (match, ())
    ended = play(left.match, STARTED_AT + 3_000, complete(BEN))
    assert (ended.outcome(0), ended.outcome(1)) == (WON, LOST)


def test_opponent_of_a_player_who_left_after_completing_can_still_win() -> None:
    match = play(in_progress(complete(ANNA)), STARTED_AT + 2_000, leave(ANNA), submit(BEN, FIRST), submit(BEN, SECOND))
    assert match.status is Status.COMPLETED
    assert (match.outcome(0), match.outcome(1)) == (LOST, WON)


def test_players_end_match_in_either_way_each() -> None:
    everything = in_progress(*(submit(ANNA, question) for question in DRAW), complete(BEN))
    assert (everything.status, everything.end_reason) == (Status.COMPLETED, EndReason.ALL_ANSWERED)


@pytest.mark.parametrize(
    ("match", "first", "second"),
    [
        (completed(), DRAWN, DRAWN),
        (in_progress(submit(ANNA), submit(BEN), complete(ANNA), complete(BEN)), DRAWN, DRAWN),
        (in_progress(submit(ANNA), submit(BEN, FIRST, 0), complete(ANNA), complete(BEN)), WON, LOST),
        (in_progress(submit(BEN), complete(ANNA), complete(BEN)), LOST, WON),
        (timed_out(), DRAWN, DRAWN),
        (timed_out(submit(BEN)), LOST, WON),
        (timed_out(submit(ANNA)), WON, LOST),
        (forfeited(ANNA, submit(ANNA)), LOST, WON),
        (forfeited(BEN, submit(BEN)), WON, LOST),
        (forfeited(BEN), WON, LOST),
        (withdrawn(), NONE, None),
        (abandoned(), NONE, NONE),
        (never_joined(), NONE, None),
        (never_started(), NONE, NONE),
        (waiting(), NONE, None),
        (ready(), NONE, NONE),
        (in_progress(submit(ANNA)), NONE, NONE),
    ],
)
def test_outcome_for_both(match: Match, first: Outcome, second: Outcome | None) -> None:
    assert match.outcome(0) is first
    assert len(match.seats) == 1 or match.outcome(1) is second


def test_one_point_decides() -> None:
    running = in_progress(now=STARTED_AT)
    match = play(play(running, STARTED_AT, submit(ANNA)), STARTED_AT + 1, submit(BEN))
    ended = play(match, STARTED_AT + 2, complete(ANNA), complete(BEN))
    assert [seat.score for seat in ended.seats] == [150, 149]
    assert (ended.outcome(0), ended.outcome(1)) == (WON, LOST)


@pytest.mark.parametrize("match", SITUATIONS.values(), ids=list(SITUATIONS))
def test_match_has_an_end_exactly_when_it_is_over(match: Match) -> None:
    over = match.status in (Status.COMPLETED, Status.ABANDONED, Status.EXPIRED)
    assert (match.ended_at is not None) == (match.end_reason is not None) == over
    assert (match.started_at is None) == (not match.questions)
    assert (match.deadline_at is not None) == (match.started_at is not None and match.pace is Pace.FREE)
    assert (match.tick_at, match.closes_at) == (None, None) or not over
    times = [match.created_at, match.joined_at, match.started_at, match.ended_at]
    assert all(earlier <= later for earlier, later in pairwise(at for at in times if at is not None))


LIVE_SITUATIONS = {name: match for name, match in SITUATIONS.items() if match.status in LIVE}


@pytest.mark.parametrize("match", LIVE_SITUATIONS.values(), ids=list(LIVE_SITUATIONS))
def test_operator_ends_a_match_and_nobody_has_lost_by_it(match: Match) -> None:
    decision = decide(match, end(), STARTED_AT)
    over = decision.match
    assert decision.events == (MatchExpired(match.version + 1, EndReason.OPERATOR),)
    assert (over.status, over.end_reason, over.ended_at) == (Status.ABANDONED, EndReason.OPERATOR, STARTED_AT)
    assert (over.forfeited_by, over.tick_at, over.closes_at) == (None, None, None)
    assert {over.outcome(seat) for seat in range(len(over.seats))} == {NONE}
    assert decide(over, end(), STARTED_AT + 1).duplicate


@pytest.mark.parametrize("winner", [0, 1])
def test_operator_names_who_has_won_a_match_that_runs(winner: int) -> None:
    decision = decide(in_progress(), end(winner), STARTED_AT)
    assert decision.events == (MatchEnded(in_progress().version + 1, EndReason.OPERATOR),)
    assert [decision.match.outcome(seat) for seat in (winner, 1 - winner)] == [WON, LOST]


@pytest.mark.parametrize("match", [waiting(), ready()], ids=["waiting", "ready"])
def test_nobody_has_won_what_never_began(match: Match) -> None:
    assert_refused(match, end(winner=0), STARTED_AT, Code.WRONG_STATE)
