"""An outage of the service: a match's clock stood still, and what came meanwhile is not late."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.absence import Absence, Cause
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code
from pairquiz_server.rules.match import Match
from tests.rules.expecting import assert_refused, assert_unchanged
from tests.rules.matches import (
    ANNA,
    STARTED_AT,
    come_back,
    complete,
    go,
    leave,
    play,
    ready,
    running,
    start,
    submit,
)

LOST, CLOSED = Cause.CONNECTION_LOST, Cause.CLOSED


class TestOutage:
    """The clock stood still until RESUMED_AT, as `beat` leaves a match behind; what came meanwhile is not late."""

    GAP_MS = 600_000
    RESUMED_AT = STARTED_AT + 60_000 + GAP_MS

    def moved(self, match: Match) -> Match:
        """The match whose last sign of life was a minute after its start."""
        assert match.deadline_at is not None
        deadline_at = match.deadline_at + self.GAP_MS
        paused_at = self.RESUMED_AT - self.GAP_MS
        return replace(
            match, deadline_at=deadline_at, due_at=deadline_at, paused_at=paused_at, resumed_at=self.RESUMED_AT
        )

    @pytest.mark.parametrize("before_ms", [1, 700, 30_000])
    def test_answer_that_came_before_the_pause_keeps_the_bonus_of_its_arrival(self, before_ms: int) -> None:
        match = self.moved(running())
        decision = decide(match, submit(ANNA), self.RESUMED_AT - self.GAP_MS - before_ms)
        assert decision.match.seats[0].answers[0].bonus == 50 * (180_000 + before_ms) // 240_000

    def test_answer_that_came_in_time_before_the_pause_stays_in_time(self) -> None:
        match = self.moved(running(time_limit_s=29))  # its deadline was over when the service went away
        decision = decide(match, submit(ANNA), STARTED_AT + 58_000)
        assert decision.match.seats[0].answers[0].bonus == 0
        assert_refused(match, submit(ANNA), STARTED_AT + 58_001, Code.TOO_LATE)

    @pytest.mark.parametrize("before_ms", [0, 1, 300_000, GAP_MS])
    def test_answer_that_came_in_the_pause_has_the_bonus_of_its_beginning(self, before_ms: int) -> None:
        match = self.moved(running())
        decision = decide(match, submit(ANNA), self.RESUMED_AT - before_ms)
        (answer,) = decision.match.seats[0].answers
        assert answer.bonus == match.scoring.speed_bonus * (240_000 - 60_000) // 240_000
        assert answer.arrived_at == self.RESUMED_AT - before_ms

    @pytest.mark.parametrize("after_ms", [0, 1, 60_000, 180_000])
    def test_answer_after_the_pause_has_the_bonus_of_the_clock_that_stood_still(self, after_ms: int) -> None:
        decision = decide(self.moved(running()), submit(ANNA), self.RESUMED_AT + after_ms)
        assert decision.match.seats[0].answers[0].bonus == 50 * (180_000 - after_ms) // 240_000

    def test_match_whose_start_came_in_the_pause_begins_when_it_is_over(self) -> None:
        waiting = replace(ready(), due_at=self.RESUMED_AT + 600_000)
        waiting = replace(waiting, paused_at=self.RESUMED_AT - self.GAP_MS, resumed_at=self.RESUMED_AT)
        started = play(waiting, self.RESUMED_AT - 2_000, start(ANNA))
        assert (started.started_at, started.left_ms(self.RESUMED_AT)) == (self.RESUMED_AT, started.span_ms)

    def test_outage_before_the_start_is_no_part_of_the_match(self) -> None:
        waiting = replace(ready(), due_at=self.RESUMED_AT + 600_000)
        waiting = replace(waiting, paused_at=self.RESUMED_AT - self.GAP_MS, resumed_at=self.RESUMED_AT)
        started = play(waiting, self.RESUMED_AT + 2_000, start(ANNA))
        assert (started.started_at, started.paused_at, started.resumed_at) == (self.RESUMED_AT + 2_000, None, None)

    def test_answer_after_the_moved_deadline_is_too_late(self) -> None:
        assert_refused(self.moved(running()), submit(ANNA), self.RESUMED_AT + 180_001, Code.TOO_LATE)

    def test_pause_revives_no_match_whose_deadline_was_over_before(self) -> None:
        match = self.moved(running(time_limit_s=29))  # 58 s long, and not yet swept when the service went away
        in_the_pause = self.RESUMED_AT - self.GAP_MS + 1
        assert_refused(match, submit(ANNA), in_the_pause, Code.TOO_LATE)
        assert_unchanged(match, leave(ANNA), in_the_pause)
        assert_unchanged(match, go(ANNA), in_the_pause)
        assert decide(match, complete(ANNA), in_the_pause).duplicate

    def test_player_who_was_away_and_came_in_the_pause_spends_nothing(self) -> None:
        match = self.moved(running())
        absence = Absence(self.RESUMED_AT, LOST, self.RESUMED_AT + 30_000)
        match = replace(match.with_seat(0, replace(match.seats[0], absence=absence)), due_at=absence.reconnect_by)
        back = play(match, self.RESUMED_AT - 1_000, come_back(ANNA))
        assert (back.seats[0].absence, back.seats[0].away_ms, back.due_at) == (None, 0, match.deadline_at)
