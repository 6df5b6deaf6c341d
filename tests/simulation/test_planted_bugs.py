"""The simulation finds bugs: planted ones, by the invariant that they break, and within seconds."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from tests.simulation import story as stories
from tests.simulation.invariants import Invariant
from tests.simulation.plan import Fault, Kind, Plan, drawn_plan
from tests.simulation.plants import (
    accept_no_more_with_time,
    announce_before_commit,
    close_rounds_too_soon,
    count_what_was_lost,
    keep_who_went,
    let_one_player_decide,
    look_only_ahead,
    lose_the_wake_up,
    make_a_match_anew,
    overdraw_the_bank,
    overlook_blocks,
    overlook_results,
    rate_what_we_ended,
    retry_what_was_committed,
    take_answers_to_what_is_not_open,
    trust_old_marks,
)
from tests.simulation.story import smallest, told
from tests.simulation.world import simulate

MATCHES = 150
SEEDS = range(1, 9)
SOONER = 16
"""Of the plans with much that dies, those behind this seed meet sooner what they are there for."""


def usual_times(seed: int) -> Plan:
    """The plan of a seed."""
    return drawn_plan(seed, matches=MATCHES)


def hard_times(seed: int) -> Plan:
    """A plan in which the store also freezes again and again, each time for longer than anybody waits."""
    plan = usual_times(seed)
    frozen = [Fault(Kind.FROZEN, 0, float(at), at + 5.0) for at in range(4, round(plan.span_s), 13)]
    return replace(plan, faults=tuple(sorted((*plan.faults, *frozen), key=lambda fault: fault.at)))


def times_of_the_dead(seed: int) -> Plan:
    """A plan in which a node has a slow line, or none, until the other takes it for dead, again and again."""
    plan = drawn_plan(seed + SOONER, matches=3 * MATCHES)
    faults = list(plan.faults)
    for turn, at in enumerate(range(4, round(plan.span_s), 12)):
        node, cut_at = turn % 2, at + 2 + turn % 3 * 0.7
        faults += [Fault(Kind.SLOW, node, float(at), at + 11.0), Fault(Kind.CUT, node, cut_at, at + 8.5)]
    return replace(plan, faults=tuple(sorted(faults, key=lambda fault: fault.at)))


@pytest.mark.parametrize(
    ("plant", "invariant", "terms"),
    [
        (announce_before_commit, Invariant.ANNOUNCED_IS_STORED, {}),
        (retry_what_was_committed, Invariant.ANSWER_COUNTS_ONCE, {"answers_are_unique": False}),
        (lose_the_wake_up, Invariant.ENDS_IN_TIME, {}),
        (overdraw_the_bank, Invariant.CREDIT_IS_BOUNDED, {}),
        (take_answers_to_what_is_not_open, Invariant.ROUNDS_FOLLOW, {}),
        (close_rounds_too_soon, Invariant.NOT_ENDED_EARLY, {}),
        (let_one_player_decide, Invariant.REMATCH_IS_WANTED, {}),
        (count_what_was_lost, Invariant.SERIES_ADDS_UP, {}),
        (accept_no_more_with_time, Invariant.WHO_MAY_MEET_MEETS, {"strangers_share": 1.0}),
        (overlook_results, Invariant.RATED_ONCE, {"results_are_unique": False}),
    ],
    ids=[
        "announces_before_commit",
        "scores_twice",
        "sleeps_too_long",
        "overdraws_the_bank",
        "answers_what_is_not_open",
        "closes_rounds_too_soon",
        "lets_one_decide",
        "counts_defeats",
        "accepts_no_more_with_time",
        "rates_twice",
    ],
)
def test_simulation_meets_a_planted_bug(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    invariant: Invariant,
    terms: dict[str, Any],
) -> None:
    run = partial(simulate, **terms)
    plant(monkeypatch)
    reports = (run(drawn_plan(seed, matches=MATCHES)) for seed in SEEDS)
    report = next((report for report in reports if report.broken is not None), None)
    assert report is not None
    assert report.broken is not None
    assert report.broken.invariant is invariant

    monkeypatch.setattr(stories, "PATIENCE_S", float("inf"))  # else a loaded machine decides how small it gets
    least = smallest(report, partial(run, keep_story=True))
    assert len(least.plan.pairs) <= 2
    assert len(least.plan.faults) <= 1
    story = "\n".join(told(least))
    assert f"seed {report.plan.seed}" in story
    assert invariant in story
    assert str(least.broken and least.broken.match_id) in story


@pytest.mark.parametrize(
    ("plant", "invariant", "times", "terms"),
    [
        (make_a_match_anew, Invariant.ONE_MATCH_A_SEARCH, hard_times, {"strangers_share": 1.0}),
        (trust_old_marks, Invariant.ONE_MATCH_A_SEARCH, times_of_the_dead, {"strangers_share": 1.0}),
        (overlook_blocks, Invariant.SEEKER_MEETS_WHO_MAY, usual_times, {"strangers_share": 1.0}),
        (keep_who_went, Invariant.NO_ENTRY_IS_LEFT, usual_times, {}),
        (rate_what_we_ended, Invariant.RATED_FAIRLY, usual_times, {}),
        (look_only_ahead, Invariant.EVERY_MATCH_IS_RATED, usual_times, {}),
    ],
    ids=[
        "makes_a_match_anew",
        "trusts_old_marks",
        "overlooks_blocks",
        "keeps_who_went",
        "rates_what_the_service_ended",
        "misses_what_was_late",
    ],
)
def test_simulation_meets_a_planted_bug_that_takes_many(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    invariant: Invariant,
    times: Callable[[int], Plan],
    terms: dict[str, Any],
) -> None:
    """One that few people and one fault alone do not bring about: its story is longer."""
    plant(monkeypatch)
    reports = (simulate(times(seed), keep_story=True, **terms) for seed in SEEDS)
    report = next((report for report in reports if report.broken is not None), None)
    assert report is not None
    assert report.broken is not None
    assert report.broken.invariant is invariant
    assert invariant in "\n".join(told(report))


def test_simulation_meets_no_bug_where_none_is_planted() -> None:
    """The same seeds without the plants: what the test above finds is the plants' doing."""
    for seed in SEEDS[:2]:
        assert simulate(drawn_plan(seed, matches=MATCHES)).broken is None
