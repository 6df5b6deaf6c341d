"""What `top` makes of two looks: rates, percentiles, and refusals of the last minute."""

from math import inf

import pytest
from msgspec.structs import replace

from pairquiz_server.cli.fares import Fares, percentile_ms
from pairquiz_server.cli.top_picture import lines
from pairquiz_server.protocol.admin import Overview
from pairquiz_server.store.vitals import LongestQuery, NodeVitals, Vitals

BOUNDS = [0.001, 0.01, 0.1]
FIRST = Vitals(
    at=1_000_000,
    version="1.0.0",
    region="here",
    host="one",
    pid=7,
    cpu_s=5.0,
    memory_bytes=90 * 1024**2,
    checks={"database": True, "draining": True},
    sockets={"websocket": 3, "polling": 1},
    connections=4,
    connections_limit=100,
    players=4,
    seekers=1,
    matches=2,
    commands=100,
    answers=50,
    refusals={"rate_limited": 5},
    bounds=BOUNDS,
    command_seconds=[10, 20, 30, 30],
    loop_lag_seconds=[5, 5, 5, 5],
    queued=0,
    queued_age_s=0.0,
    pool={"lent": 1, "idle": 2},
    pool_limit=8,
    pool_waiting=0,
)


def look(*told: Vitals | None, silent_ms: int = 0) -> Overview:
    nodes = [NodeVitals(str(number), 0, silent_ms, vitals) for number, vitals in enumerate(told)]
    return Overview(
        node="0",
        nodes=nodes,
        matches={"in_progress": 2},
        absent_seats=1,
        seekers=1,
        unrated_ms=0,
        sessions={"idle": 3, "active": 1},
        sessions_limit=100,
        longest=LongestQuery(42, 1.5, "SELECT 1"),
        maintenance=False,
    )


def later(seconds: float, **changed: object) -> Vitals:
    return replace(FIRST, at=FIRST.at + round(seconds * 1000), **changed)


def test_rates_are_of_what_happened_between_two_looks() -> None:
    fares = Fares()
    fares.note(look(FIRST))
    (fare,) = fares.of(look(FIRST).nodes)
    assert (fare.answers_per_s, fare.cpu_percent, fare.p99_ms) == (None, None, None)
    again = look(later(4, answers=90, commands=300, cpu_s=6.0))
    fares.note(again)
    (fare,) = fares.of(again.nodes)
    assert (fare.answers_per_s, fare.commands_per_s, fare.cpu_percent) == (10.0, 50.0, 25.0)


def test_rates_forget_what_was_longer_than_ten_seconds_ago() -> None:
    fares = Fares()
    for at, answers in ((0, 50), (20, 1_050), (25, 1_050), (30, 1_060)):
        seen = look(later(at, answers=answers))
        fares.note(seen)
    assert fares.of(seen.nodes)[0].answers_per_s == 1.0


def test_refusals_are_those_of_the_last_minute_the_most_frequent_first() -> None:
    fares = Fares()
    for at, refusals in (
        (0, {"rate_limited": 5}),
        (30, {"rate_limited": 9}),
        (70, {"rate_limited": 10, "not_found": 3}),
    ):
        seen = look(later(at, refusals=refusals))
        fares.note(seen)
    (fare,) = fares.of(seen.nodes)
    assert list(fare.refusals.items()) == [("not_found", 3), ("rate_limited", 1)]


def test_percentiles_lie_between_the_bounds_that_hold_them() -> None:
    assert percentile_ms(BOUNDS, [0, 0, 0, 0], 0.5) is None
    assert percentile_ms(BOUNDS, [100, 0, 0, 0], 0.5) == pytest.approx(0.5)
    assert percentile_ms(BOUNDS, [50, 50, 0, 0], 0.99) == pytest.approx(1 + 9 * 0.98)
    assert percentile_ms(BOUNDS, [1, 0, 0, 1], 0.99) == inf


def test_all_together_have_the_percentiles_of_all_commands_and_the_sums_of_the_rest() -> None:
    fares = Fares()
    fares.note(look(FIRST, FIRST))
    quick = later(5, command_seconds=[19, 29, 39, 39], answers=100)
    slow = later(5, command_seconds=[10, 20, 31, 31], answers=60)
    seen = look(quick, slow)
    fares.note(seen)
    one, other = fares.of(seen.nodes)
    together = fares.together(seen.nodes)
    assert one.p99_ms is not None
    assert one.p99_ms < 1
    assert other.p99_ms is not None
    assert other.p99_ms > 10
    assert together.p50_ms is not None
    assert together.p50_ms < 1
    assert together.p99_ms is not None
    assert together.p99_ms > 10
    assert (together.players, together.answers_per_s, together.pool_limit) == (8, 12.0, 16)


def test_versions_with_other_bounds_have_percentiles_of_their_own_and_the_newest_ones_for_all() -> None:
    for own, others in ((BOUNDS, [0.001, 0.1]), ([0.001, 0.1], BOUNDS), (BOUNDS, [0.002, 0.02, 0.2])):
        fares = Fares()

        def said(bounds: list[float], seconds: float, more: int = 0) -> Vitals:
            counts = [10 + more] * (len(bounds) + 1)
            return later(seconds, bounds=bounds, command_seconds=counts, loop_lag_seconds=counts)

        fares.note(look(said(others, 0), said(own, 0)))
        seen = look(said(others, 5, 10), said(own, 5, 10))
        fares.note(seen)
        together, (_, newest) = fares.together(seen.nodes), fares.of(seen.nodes)
        assert together.p99_ms == newest.p99_ms is not None


def test_a_silent_node_is_shown_as_such_and_not_counted() -> None:
    fares = Fares()
    seen = look(FIRST, silent_ms=7_000)
    fares.note(seen)
    told = list(lines(seen, fares.of(seen.nodes), fares.together(seen.nodes)))
    assert "silent for 7s" in told[0]
    assert fares.together(seen.nodes).players == 0


def test_what_an_operator_has_to_know_is_told() -> None:
    fares = Fares()
    seen = look(
        later(1, checks={"redis": False, "draining": False}, pool_waiting=3, queued=9, queued_age_s=1.5, connections=95)
    )
    fares.note(seen)
    told = "\n".join(lines(seen, fares.of(seen.nodes), fares.together(seen.nodes)))
    for word in (
        "redis fails",
        "draining",
        "3 reads wait: database.pool_max",
        "9 commands wait, for 1.5 s",
        "95 of 100 connections",
        "4 of 100 connections: 1 active, 3 idle",
        "1.5 s, process 42: SELECT 1",
        "1 players are away",
    ):
        assert word in told, told


def test_a_node_that_has_said_nothing_yet_or_of_another_version_is_named_alone() -> None:
    fares = Fares()
    seen = look(None, FIRST)
    fares.note(seen)
    assert [fare.id for fare in fares.of(seen.nodes)] == ["1"]
    assert "unread     0: serves too" in list(lines(seen, fares.of(seen.nodes), fares.together(seen.nodes)))[-1]
