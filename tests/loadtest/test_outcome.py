"""Each verdict, by what leads to it."""

import pytest

from pairquiz_server.loadtest.advice import advice
from pairquiz_server.loadtest.messages import Step
from pairquiz_server.loadtest.outcome import Figures, Verdict, figures, verdict_of
from pairquiz_server.loadtest.tally import Window


def window(*, due: int = 1000, acknowledged: int = 1000, latency_ms: float = 5, slip_ms: float = 1) -> Window:
    one = Window(due=due, sent=due, acknowledged=acknowledged, cpu_s=0.1)
    for _ in range(acknowledged):
        one.latency.record(round(latency_ms * 1000))
    for _ in range(due):
        one.slip.record(round(slip_ms * 1000))
    return one


def judged(one: Window, *, unanswered: int = 0, bound_ms: float | None = 50, processes: int = 1) -> Figures:
    return figures(Step(1000, 1), [one], unanswered=unanswered, processes=processes, bound_ms=bound_ms)


def test_all_is_well() -> None:
    told = judged(window())
    assert (told.verdict, told.p99_ms, told.achieved_per_s) == (Verdict.HELD, 5.0, 1000)


def test_a_server_may_be_slow() -> None:
    assert judged(window(latency_ms=60)).verdict is Verdict.SLOW
    assert judged(window(latency_ms=60), bound_ms=None).verdict is Verdict.HELD


def test_a_server_may_fall_behind() -> None:
    assert judged(window(), unanswered=1).verdict is Verdict.BEHIND
    behind = window(due=5000, acknowledged=5000)
    behind.late = 900
    assert judged(behind).verdict is Verdict.HELD  # what is under way at the end is no backlog
    behind.late = 1100
    assert judged(behind).verdict is Verdict.BEHIND
    assert judged(behind).achieved_per_s == 3900


def test_a_generator_that_is_late_blames_nobody_else() -> None:
    assert judged(window(latency_ms=60, slip_ms=40)).verdict is Verdict.GENERATOR
    assert judged(window(latency_ms=600, slip_ms=40)).verdict is Verdict.SLOW


def test_a_generator_that_is_busy_blames_nobody_else() -> None:
    busy = window(latency_ms=60)
    busy.cpu_s = 0.95
    assert judged(busy).verdict is Verdict.GENERATOR
    assert judged(busy, processes=2).verdict is Verdict.SLOW


def test_a_limit_is_neither_slow_nor_a_fault() -> None:
    limited = window(latency_ms=600)
    limited.trouble("create_pair_quiz:rate_limited")
    told = judged(limited)
    assert told.verdict is Verdict.STOPPED
    assert "PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE_PER_ADDRESS=0" in advice(told.troubles)[0]


def test_lost_lines_are_not_passed_over() -> None:
    lost = window()
    for what in ("connection_lost", "submit_answer:rate_limited"):
        lost.trouble(what)
    assert judged(lost).verdict is Verdict.BEHIND


def test_a_fault_is_worse_than_all_else() -> None:
    faulty = window(latency_ms=600, slip_ms=400)
    faulty.faults = 1
    assert judged(faulty).verdict is Verdict.FAULTY
    assert verdict_of([judged(window())], {"lost": 1}, knee=None) == (
        Verdict.FAULTY, "the server broke its promises: 1 lost",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "verdict"),
    [(window(latency_ms=60), Verdict.HELD), (window(latency_ms=60, slip_ms=40), Verdict.GENERATOR)],
    ids=["the server", "the generator"],
)
def test_a_knee_is_the_servers_only_where_the_server_gave_way(failed: Window, verdict: Verdict) -> None:
    assert verdict_of([judged(window()), judged(failed)], {}, knee=1000)[0] is verdict


def test_where_guests_may_not_play_a_secret_is_asked_for() -> None:
    assert "JWT_SECRET" in advice(["connect:unauthorized"])[0]


def test_one_limit_is_advised_about_once() -> None:
    assert len(advice(["submit_answer:rate_limited", "start_quiz:rate_limited", "nothing:known"])) == 1
