"""Which completed matches count for ratings, and how much."""

from typing import Any

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.fairness import QUESTIONS_MIN, Circumstances, Worth, weight_of
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin
from pairquiz_server.rules.weeks import WEEK_MS, begins_at, week_of

FAIR = Circumstances(
    origin=Origin.SEARCH,
    root=Origin.SEARCH,
    scoring=ScoringProfile.SPEED_BONUS,
    question_count=5,
    end_reason=EndReason.ALL_ANSWERED,
    kinds=(PlayerKind.USER, PlayerKind.GUEST),
    away=(None, None),
    paused=False,
    answered=True,
)
LOST, CLOSED, NODE = Cause.CONNECTION_LOST, Cause.CLOSED, Cause.NODE_LOST
MONDAY = 1_700_438_400_000
"""20 November 2023, 00:00 UTC."""


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"origin": Origin.REMATCH},
        {"scoring": ScoringProfile.ACCURACY},
        {"scoring": ScoringProfile.NEGATIVE},
        {"scoring": ScoringProfile.DIFFICULTY},
        {"question_count": QUESTIONS_MIN},
        {"end_reason": EndReason.DEADLINE},
        {"end_reason": EndReason.DEADLINE, "away": (LOST, CLOSED)},
        {"end_reason": EndReason.PLAYER_LEFT},
        {"end_reason": EndReason.PLAYER_ABSENT, "away": (CLOSED, None)},
        {"end_reason": EndReason.PLAYER_ABSENT, "away": (None, LOST)},
        {"paused": True},
    ],
)
def test_fair_matches_count(changed: dict[str, Any]) -> None:
    assert weight_of(replace(FAIR, **changed), Worth()) == 1.0


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": Origin.INVITATION, "root": Origin.INVITATION},
        {"origin": Origin.REMATCH, "root": Origin.INVITATION},
        {"origin": Origin.REMATCH, "root": Origin.GHOST},
        {"origin": Origin.REMATCH, "root": None},
        {"scoring": ScoringProfile.PRACTICE},
        {"question_count": QUESTIONS_MIN - 1},
        {"answered": False},
        {"kinds": (PlayerKind.USER, PlayerKind.ERASED)},
        {"end_reason": EndReason.PLAYER_ABSENT, "away": (NODE, None)},
        {"end_reason": EndReason.DEADLINE, "away": (None, NODE)},
        {"end_reason": EndReason.DEADLINE, "paused": True},
        {"end_reason": EndReason.PLAYER_ABSENT, "away": (CLOSED, None), "paused": True},
        {"end_reason": EndReason.PLAYER_LEFT, "paused": True},
    ],
)
def test_others_do_not(changed: dict[str, Any]) -> None:
    assert weight_of(replace(FAIR, **changed), Worth()) == 0.0


def test_whether_guests_count_is_the_operators_choice() -> None:
    assert weight_of(FAIR, Worth(guests=False)) == 0.0
    assert weight_of(replace(FAIR, kinds=(PlayerKind.USER, PlayerKind.USER)), Worth(guests=False)) == 1.0


@pytest.mark.parametrize("origin", [Origin.GHOST, Origin.CHALLENGE])
def test_a_recorded_run_counts_as_much_as_the_operator_says_and_once(origin: Origin) -> None:
    against = replace(FAIR, origin=origin, root=origin)
    assert weight_of(against, Worth()) == 0.5
    assert weight_of(against, Worth(ghosts=0.25)) == 0.25
    assert weight_of(replace(against, replayed=True), Worth()) == 0.0


def test_a_week_begins_on_monday_in_utc() -> None:
    assert begins_at(week_of(MONDAY)) == MONDAY
    assert week_of(MONDAY + WEEK_MS - 1) == week_of(MONDAY) == week_of(MONDAY - 1) + 1
