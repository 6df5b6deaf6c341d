"""The whole engine under faults: fresh seeds at every run, and one seed that is always the same."""

import os
import secrets
import subprocess
import sys
from collections import Counter

import pytest
from msgspec.structs import replace

from tests.simulation.plan import Fault, Kind, drawn_plan
from tests.simulation.story import smallest, told
from tests.simulation.world import Report, simulate

FRESH_SEEDS = 5
FRESH_MATCHES = 250
MATCHES = 400

PROGRAM = """
from tests.simulation.plan import drawn_plan
from tests.simulation.world import simulate
print(simulate(drawn_plan(7, matches=120)).digest)
"""


def require_whole(report: Report) -> None:
    """Fail with the story where an invariant is broken."""
    if report.broken is not None:
        story = "\n".join(told(smallest(report, lambda plan: simulate(plan, keep_story=True))))
        pytest.fail(f"{story}\nagain: scripts/simulate --seed {report.plan.seed} --matches {len(report.plan.pairs)}")


@pytest.mark.parametrize("_", range(FRESH_SEEDS))
def test_engine_keeps_its_invariants_whatever_fails(_: int) -> None:
    require_whole(simulate(drawn_plan(secrets.randbelow(1_000_000_000), matches=FRESH_MATCHES)))


def test_simulation_meets_what_it_is_there_for() -> None:
    """A simulation in which nothing goes wrong, or nothing is played, would show nothing."""
    plan = drawn_plan(5, matches=MATCHES)
    report = simulate(plan)
    require_whole(report)
    assert {fault.kind for fault in plan.faults} == set(Kind)
    counts = report.counts
    assert counts.answers > 4 * MATCHES
    assert counts.ended >= MATCHES
    assert counts.rematches > MATCHES / 20
    assert counts.found > MATCHES / 5
    assert counts.rated > MATCHES / 5
    also = ("cancelled", "unrated", "unavailable", "duplicates", "conflicts", "gaps", "rounds", "rounds_timed_out")
    for name in ("refusals", *also):
        assert getattr(counts, name) > 5, name


def test_a_node_that_starts_just_after_the_stores_clock_was_set_takes_that_for_no_outage() -> None:
    """No drawn plan is likely to have both within half a second."""
    plan = drawn_plan(10, matches=100)
    faults = [
        fault
        for at in range(3, 36, 8)
        for fault in (Fault(Kind.CRASH, 1, at, at + 3.0), Fault(Kind.STEP, 0, at + 2.8, at + 20.0))
    ]
    report = simulate(replace(plan, faults=tuple(faults)))
    require_whole(report)
    assert report.counts.moved == 0


def test_same_seed_gives_the_same_trace_in_every_process() -> None:
    def digest(hash_seed: str) -> str:
        environ = os.environ | {"PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True
        ).stdout

    first = digest("1")
    assert len(first.strip()) == 16
    assert digest("2") == first


def test_another_seed_gives_another_trace() -> None:
    assert len({simulate(drawn_plan(seed, matches=5)).digest for seed in (1, 2, 3)}) == 3


def test_every_wide_fault_occurs_in_each_few_runs() -> None:
    """What two nodes are there for: a dead one, one without the store, no relay, and a COMMIT whose answer is lost."""
    met: Counter[str] = Counter()
    for seed in range(1, FRESH_SEEDS + 1):
        report = simulate(drawn_plan(seed, matches=FRESH_MATCHES), keep_story=True)
        require_whole(report)
        met.update(line.what for line in report.story)
        met["lost commit"] += report.counts.lost_commits
        met.update(f"fault {line.text.split()[0]}" for line in report.story if line.what == "fault")
    for what in (
        "fault cut",
        "fault partition",
        "fault lost_after",
        "fault crash",
        "fault crash_of_all",
        "lost commit",
    ):
        assert met[what] > 0, what
