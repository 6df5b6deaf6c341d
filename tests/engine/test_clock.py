import time

import pytest

from pairquiz_server.engine.clock import Clock


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
