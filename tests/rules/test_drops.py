"""Whatever lines do, nobody gets more time than a grace and the budget."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import (
    EndReason,
    Event,
    PlayerReturned,
)
from tests.rules.matches import (
    ANNA,
    BEN,
    FIRST,
    MARGIN_MS,
    SECOND,
    STARTED_AT,
    come_back,
    complete,
    end_overdue,
    go,
    play,
    running,
    submit,
)

LOST, CLOSED = Cause.CONNECTION_LOST, Cause.CLOSED


@pytest.mark.parametrize("seed", range(20))
def test_cable_buys_no_time(seed: int) -> None:
    """Whatever one pulls, the deadline and what an answer is worth at a moment are as they were."""
    random = Random(seed)
    match, at = running(), STARTED_AT
    answered_at = STARTED_AT + 100_000
    steady = play(running(), answered_at, submit(ANNA)).seats[0].answers
    for cause in random.choices([LOST, CLOSED], k=4):
        at += random.randrange(1, 10_000)
        match = play(match, at, go(ANNA, cause))
        at += random.randrange(1, 10_000)
        match = play(match, at, come_back(ANNA))
        assert match.deadline_at == running().deadline_at
    assert play(match, answered_at, submit(ANNA)).seats[0].answers == steady


class Duel:
    """A match, a clock, and a sweeper that looks as soon as it has to."""

    def __init__(self, random: Random) -> None:
        self.patience = Patience(
            random.choice([30_000, 5_000]), random.choice([10_000, 1_000]), random.choice([60_000, 20_000])
        )
        self.match = running(random.choice([15, 60, 300]))
        self.now = STARTED_AT
        self.events: list[Event] = []
        self.counted = {ANNA.id: 0, BEN.id: 0}

    def wait(self, span_ms: int) -> None:
        self.now += span_ms
        due_at = self.match.due_at + MARGIN_MS
        if self.match.ended_at is None and due_at <= self.now:
            self.carry_out(end_overdue(), due_at)

    def carry_out(self, command: Command, at: int) -> None:
        before = self.match
        try:
            decision = decide(before, command, at)
        except Refused:
            return
        self.match = decision.match
        self.events += decision.events
        for event in decision.events:
            if isinstance(event, PlayerReturned):
                absence = before.seats[event.seat].absence
                assert absence is not None
                self.counted[before.seats[event.seat].player.id] += at - absence.since


def _dropped(random: Random) -> Duel:
    """A duel of two players whose lines break and come back, who answer, or are done, until it is over."""
    duel = Duel(random)
    acts: list[Callable[[], Command]] = [
        lambda: go(random.choice([ANNA, BEN]), random.choice([LOST, CLOSED]), duel.patience),
        lambda: go(random.choice([ANNA, BEN]), random.choice([LOST, CLOSED]), duel.patience),
        lambda: come_back(random.choice([ANNA, BEN])),
        lambda: come_back(random.choice([ANNA, BEN])),
        lambda: submit(random.choice([ANNA, BEN]), random.choice([FIRST, SECOND])),
    ]
    while duel.match.ended_at is None:
        duel.wait(random.choice([1, 300, 2_000, 9_700, 15_000]) * random.randrange(1, 3) // 2)
        if duel.match.ended_at is None:
            duel.carry_out(
                complete(random.choice([ANNA, BEN])) if random.random() < 0.05 else random.choice(acts)(), duel.now
            )
    return duel


def test_thousand_patterns_of_drops_stay_within_grace_and_budget() -> None:
    endings: set[EndReason | None] = set()
    for seed in range(1_000):
        duel = _dropped(Random(seed))
        match, patience = duel.match, duel.patience
        assert match.deadline_at == STARTED_AT + match.span_ms, f"seed {seed}"
        assert match.ended_at is not None
        assert match.ended_at <= match.deadline_at + MARGIN_MS, f"seed {seed}"
        for seat in match.seats:
            assert seat.away_ms == duel.counted[seat.player.id] <= patience.budget_ms, f"seed {seed}"
            if seat.absence:
                assert seat.completed_at is None, f"seed {seed}"
                by = seat.absence.reconnect_by
                assert by is not None
                assert by - seat.absence.since <= patience.budget_ms - seat.away_ms, f"seed {seed}"
        if match.forfeited_by is not None:
            loser = match.seats[match.forfeited_by]
            assert loser.completed_at is None, f"seed {seed}: who is done loses nothing"
            assert loser.absence is not None, f"seed {seed}: nobody loses who is there"
            graces = [seat.absence.reconnect_by or 0 for seat in match.seats if seat.absence]
            assert match.ended_at == max(graces) + MARGIN_MS or match.seats[1 - match.forfeited_by].absence is None
        versions = list(dict.fromkeys(event.version for event in duel.events))
        assert all(later == earlier + 1 for earlier, later in pairwise(versions)), f"seed {seed}"
        assert versions[-1] == match.version
        endings.add(match.end_reason)
    assert endings == {
        EndReason.ALL_ANSWERED, EndReason.DEADLINE, EndReason.PLAYER_ABSENT, EndReason.BOTH_ABSENT,
    }, "the patterns reach every end"  # fmt: skip
