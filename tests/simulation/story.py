"""From a run that broke an invariant to the least that still breaks it, and to a story that people can read."""

import time
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tests.simulation.plan import Plan
from tests.simulation.world import Report

Run = Callable[[Plan], Report]
PATIENCE_S = 20.0
"""So long we look for a smaller one (of real time)."""
NEAR_S = 60
"""Who came longer before the break has rarely to do with it (of virtual time)."""


def smallest(report: Report, run: Run) -> Report:
    """Return a run of few pairs and faults that breaks the same invariant; `run` plays a plan and keeps its story."""
    assert report.broken is not None
    best = run(report.plan)
    began = time.perf_counter()

    def better(plan: Plan) -> bool:
        nonlocal best
        assert report.broken is not None
        if time.perf_counter() - began > PATIENCE_S:
            return False
        found = run(plan)
        if found.broken is None or found.broken.invariant is not report.broken.invariant:
            return False
        best = found
        return True

    at = report.broken.at
    better(replace(best.plan, faults=tuple(fault for fault in best.plan.faults if fault.at <= at)))
    if report.pair is None or not better(replace(best.plan, pairs=(report.pair,))):
        near = range(round(at) - NEAR_S, round(at) + 1)
        better(
            replace(best.plan, pairs=tuple(pair for pair in best.plan.pairs if int(best.plan.arrival(pair)) in near))
        )
        for pairs in _halves(lambda: best.plan.pairs):
            better(replace(best.plan, pairs=pairs))
    if not better(replace(best.plan, faults=())):
        first = next((line.at for line in best.story if line.whose == best.broken.match_id), 0.0)
        better(replace(best.plan, faults=tuple(fault for fault in best.plan.faults if fault.until > first - NEAR_S)))
        for faults in _halves(lambda: best.plan.faults):
            better(replace(best.plan, faults=faults))
    return best


def told(report: Report) -> Iterator[str]:
    """Yield a broken run line by line: the seed, the invariant, what goes wrong, and what became of the match."""
    broken = report.broken
    assert broken is not None
    yield f"BROKEN: {broken.invariant}"
    yield f"  seed {report.plan.seed}, at {broken.at:.3f} s, session {broken.match_id} of pair {report.pair}"
    yield f"  {broken.detail}"
    ours = [
        line.whose is not None and (line.whose == broken.match_id or _pair_of(line.whose) == report.pair)
        for line in report.story
    ]
    first = next((line.at for line, is_ours in zip(report.story, ours, strict=True) if is_ours), broken.at)
    faults = [fault for fault in report.plan.faults if fault.until > first - NEAR_S]
    yield f"The least found that still breaks it: {len(report.plan.pairs)} pairs, {len(report.plan.faults)} faults"
    yield from (f"  {fault}" for fault in faults)
    yield "What happened:"
    for line, is_ours in zip(report.story, ours, strict=True):
        if is_ours or (line.whose is None and line.at > first - NEAR_S):
            yield f"  {line.at:10.4f}  {line.what:10}  {line.text}"


def _pair_of(whose: str) -> int | None:
    """The pair of a player who has no match yet: `h7` and `g7.0` are of the same. A match's id has neither letter."""
    return int(whose[1:].partition(".")[0]) if whose[0] in "gh" else None


def _halves(now: Callable[[], tuple]) -> Iterator[tuple]:
    """Yield what remains of what is there `now` when a part is left out: first large parts, in the end single ones."""
    size = len(now())
    while size > 1:
        size = (size + 1) // 2
        place = 0
        while place < len(now()):
            before = now()
            yield (*before[:place], *before[place + size :])
            if now() == before:
                place += size
    if len(now()) == 1:
        yield ()
