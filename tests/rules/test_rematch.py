"""Who may ask for a rematch, what it is like, and how a series stands."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.rematch import Prospect, Standing, follow, prospect, require_askable, wins_after
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from tests.rules.matches import (
    ANNA,
    BEN,
    FIRST,
    MATCH_ID,
    SECOND,
    STARTED_AT,
    complete,
    in_progress,
    leave,
    pair,
    paired,
    play,
    ready,
    submit,
    waiting,
)

HOLD_MS = 600_000
ENDED_AT = STARTED_AT + 1_000
TOPIC = Topic(7, "Sea", 9)
NEXT_ID = "01234567-89ab-4cde-8f01-23456789abcd"


def won_by(player: Player | None, match: Match | None = None) -> Match:
    """A match that a player has won, or that is a draw."""
    answers = [submit(player, FIRST)] if player else []
    return play(match or in_progress(), ENDED_AT, *answers, complete(ANNA), complete(BEN))


def rematch(match: Match) -> Match:
    """The rematch of a match, made and started."""
    command = follow(match, NEXT_ID, TOPIC, start_delay_ms=3_000, ready_ttl_ms=300_000)
    made = decide(None, command, ENDED_AT).match
    return replace(play(in_progress(), ENDED_AT), id=made.id, previous_id=made.previous_id, wins=made.wins)


def refusal(match: Match, now: int = ENDED_AT, seat: int = 0) -> Code | None:
    try:
        require_askable(match, seat, Standing(), now, HOLD_MS)
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("match", [waiting(), ready(), paired(), in_progress(), play(ready(), STARTED_AT, leave(BEN))])
def test_only_a_completed_match_has_a_rematch(match: Match) -> None:
    assert refusal(match) is Code.WRONG_STATE
    assert prospect(match, Standing(), HOLD_MS) is None


@pytest.mark.parametrize("match", [won_by(ANNA), won_by(None), play(in_progress(), ENDED_AT, leave(BEN))])
def test_both_may_ask_until_the_time_is_over(match: Match) -> None:
    assert match.status is Status.COMPLETED
    for seat in (0, 1):
        assert refusal(match, ENDED_AT + HOLD_MS, seat) is None
        assert refusal(match, ENDED_AT + HOLD_MS + 1, seat) is Code.TOO_LATE


def test_a_recorded_run_takes_no_rematch() -> None:
    match = replace(won_by(ANNA), origin=Origin.GHOST, ghost=Ghost(NEXT_ID, 1))
    assert refusal(match) is Code.WRONG_STATE
    assert prospect(match, Standing(), HOLD_MS) is None


def test_who_was_erased_takes_no_rematch() -> None:
    match = won_by(ANNA)
    erased = Player("erased", PlayerKind.ERASED, "Erased player")
    match = match.with_seat(1, replace(match.seats[1], player=erased))
    assert refusal(match) is Code.OPPONENT_UNAVAILABLE


def test_two_of_whom_one_has_blocked_the_other_have_no_rematch_and_who_is_blocked_is_not_told() -> None:
    standing = Standing(blocks=(True, False))
    with pytest.raises(Refused, match="You have blocked") as own:
        require_askable(won_by(ANNA), 0, standing, ENDED_AT, HOLD_MS)
    with pytest.raises(Refused) as others:
        require_askable(won_by(ANNA), 1, standing, ENDED_AT, HOLD_MS)
    assert own.value.code is others.value.code is Code.OPPONENT_UNAVAILABLE
    assert "block" not in others.value.message


def test_a_rematch_is_what_the_match_was() -> None:
    terms = {"scoring": Scoring(10, 5, ScoringProfile.NEGATIVE), "pace": Pace.ROUNDS, "time_limit_s": 77}
    match = replace(won_by(BEN), **terms)
    command = follow(match, NEXT_ID, TOPIC, start_delay_ms=3_000, ready_ttl_ms=300_000)
    assert command == pair(
        match_id=NEXT_ID, origin=Origin.REMATCH, topic=TOPIC, previous_id=MATCH_ID, wins=(0, 1),
        ready_ttl_ms=300_000, **terms,
    )  # fmt: skip


def test_a_series_counts_what_each_has_won() -> None:
    first = won_by(ANNA)
    second = won_by(BEN, rematch(first))
    drawn = won_by(None, rematch(second))
    left = play(rematch(drawn), ENDED_AT, submit(BEN, FIRST), submit(BEN, SECOND), leave(ANNA))
    assert [wins_after(one) for one in (first, second, drawn, left)] == [(1, 0), (1, 1), (1, 1), (1, 2)]
    assert wins_after(rematch(left)) == (1, 2)


def test_a_prospect_tells_who_has_asked_and_what_was_made() -> None:
    match = won_by(ANNA)
    until = ENDED_AT + HOLD_MS
    assert prospect(match, Standing(), HOLD_MS) == Prospect((False, False), until, None)
    assert prospect(match, Standing((None, 5)), HOLD_MS) == Prospect((False, True), until, None)
    assert prospect(match, Standing((None, None), NEXT_ID), HOLD_MS) == Prospect((True, True), until, NEXT_ID)
