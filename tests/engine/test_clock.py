import time

import pytest

from pairquiz_server.engine.clock import ADOPTED_WITHIN_MS, Clock, starting_time


def test_clock_runs_by_the_monotonic_clock_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks_ns = 123_456_789_000_000

    def forbidden() -> float:
        raise AssertionError("the wall clock was asked")

    monkeypatch.setattr(time, "time", forbidden)
    monkeypatch.setattr(time, "time_ns", forbidden)
    monkeypatch.setattr(time, "monotonic_ns", lambda: ticks_ns)
    clock = Clock(1_700_000_000_000)
    assert clock.now() == 1_700_000_000_000
    ticks_ns += 999_999
    assert clock.now() == 1_700_000_000_000
    ticks_ns += 1
    assert clock.now() == 1_700_000_000_001
    ticks_ns += 3_600_000_000_000
    assert clock.now() == 1_700_003_600_001


def test_clock_never_runs_backwards() -> None:
    clock = Clock(5)
    readings = [clock.now() for _ in range(10_000)]
    assert readings == sorted(readings)
    assert readings[0] >= 5


class TestStart:
    """At which time a node begins, whatever the wall clocks have done. All clocks but the game's may step."""

    GAME_AT = 1_700_000_000_000
    HOUR = 3_600_000

    def test_first_node_ever_has_the_databases_time(self) -> None:
        assert starting_time(None, None, self.GAME_AT) == self.GAME_AT

    @pytest.mark.parametrize("offset_ms", [-HOUR, 0, HOUR], ids=["behind", "alike", "ahead"])
    @pytest.mark.parametrize("age_ms", [0, 1, 499, ADOPTED_WITHIN_MS])
    def test_node_that_joins_running_ones_has_their_time(self, offset_ms: int, age_ms: int) -> None:
        """The database's clock has stepped long ago, and they have not minded."""
        beaten_at = self.GAME_AT + offset_ms
        assert starting_time(self.GAME_AT, beaten_at, beaten_at + age_ms) == self.GAME_AT + age_ms

    @pytest.mark.parametrize("silence_ms", [ADOPTED_WITHIN_MS + 1, HOUR])
    def test_node_that_starts_after_a_silence_has_the_databases_time(self, silence_ms: int) -> None:
        assert starting_time(self.GAME_AT, self.GAME_AT, self.GAME_AT + silence_ms) == self.GAME_AT + silence_ms

    def test_a_silence_is_seen_where_the_game_runs_ahead_of_the_databases_clock(self) -> None:
        """It was set back by an hour, some time ago; else nobody would be credited the minute without any node."""
        beaten_at = self.GAME_AT - self.HOUR
        assert starting_time(self.GAME_AT, beaten_at, beaten_at + 60_000) == self.GAME_AT + 60_000

    def test_database_clock_that_has_just_stepped_back_costs_nothing(self) -> None:
        assert starting_time(self.GAME_AT, self.GAME_AT, self.GAME_AT - self.HOUR) == self.GAME_AT

    def test_database_clock_that_has_just_stepped_ahead_is_taken_for_a_silence(self) -> None:
        """That nobody runs beside it was found out before; the first beat credits it to all matches."""
        assert starting_time(self.GAME_AT, self.GAME_AT, self.GAME_AT + self.HOUR) == self.GAME_AT + self.HOUR

    @pytest.mark.parametrize("step_ns", [-HOUR * 1_000_000, HOUR * 1_000_000], ids=["back", "ahead"])
    def test_step_of_the_nodes_wall_clock_moves_nothing(self, monkeypatch: pytest.MonkeyPatch, step_ns: int) -> None:
        wall_ns = time.time_ns()
        clock = Clock(starting_time(None, None, self.GAME_AT))
        monkeypatch.setattr(time, "time_ns", lambda: wall_ns + step_ns)
        monkeypatch.setattr(time, "time", lambda: (wall_ns + step_ns) / 1e9)
        assert 0 <= clock.now() - self.GAME_AT < self.HOUR // 60


def test_clock_adopts_a_time_ahead_and_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic_ns", lambda: 77_000_000_000)
    clock = Clock(1_000)
    clock.advance_to(999)
    assert clock.now() == 1_000
    clock.advance_to(5_000)
    assert clock.now() == 5_000
    clock.advance_to(1_000)
    assert clock.now() == 5_000
