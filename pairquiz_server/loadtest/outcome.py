"""What a load test has found: figures, a verdict, and why. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from pairquiz_server.loadtest.advice import stops_the_test
from pairquiz_server.loadtest.finding import Finding
from pairquiz_server.loadtest.messages import Step
from pairquiz_server.loadtest.tally import LOST_LINE, Window, whole

BUSY = 0.9
"""A process that plays and uses more than this of a core is no measure of others."""
SLIP_MS = 10.0
"""So late the generator may always be; else its p99 may be half of what it measures."""
LATE_S = 1.0
"""A rate has not held if more was still under way at the end of a step than is due in so long."""


class Verdict(StrEnum):
    """How it went, the worst first."""

    FAULTY = "faulty"
    """The server, or what stands before it, has broken a promise."""
    STOPPED = "stopped"
    """A limit of the server, which is there against floods, has stopped the test."""
    GENERATOR = "generator"
    """What was measured is the generator: nothing can be said about the server."""
    BEHIND = "behind"
    """The server did not keep up with the rate."""
    SLOW = "slow"
    """The server kept up, and took longer than it may."""
    INTERRUPTED = "interrupted"
    """Somebody has ended it, before anything was wrong."""
    HELD = "held"
    """All was well."""


class Figures(Struct, frozen=True, kw_only=True):
    """A step in figures. Latencies are from when an answer was due; `generator_core` is of a core, for each process."""

    rate: float
    seconds: float
    due: int
    acknowledged: int
    unanswered: int
    achieved_per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    opponent_p50_ms: float
    opponent_p99_ms: float
    slip_p50_ms: float
    slip_p99_ms: float
    wait_p99_ms: float
    generator_core: float
    troubles: dict[str, int]
    faults: int
    verdict: Verdict
    why: str


class Outcome(Struct, frozen=True, kw_only=True):
    """The whole load test. `knee` is the largest rate that held, where one was looked for."""

    url: str
    pairs: int
    processes: int
    transport: str
    verdict: Verdict
    why: str
    knee: float | None
    steps: list[Figures]
    matches: int
    answers: int
    found: dict[str, int]
    findings: list[Finding]
    advice: list[str] = field(default_factory=list)


def figures(
    step: Step, windows: Sequence[Window], *, unanswered: int, processes: int, bound_ms: float | None
) -> Figures:
    """Return a step in figures, with the verdict about it; `bound_ms` is what its p99 may be."""
    one = whole(windows)
    core = one.cpu_s / max(step.seconds, 0.001) / processes
    verdict, why = _judged(step, one, unanswered=unanswered, core=core, bound_ms=bound_ms)
    return Figures(
        rate=step.rate,
        seconds=step.seconds,
        due=one.due,
        acknowledged=one.acknowledged,
        unanswered=unanswered,
        achieved_per_s=(one.acknowledged - one.late) / max(step.seconds, 0.001),
        p50_ms=one.latency.percentile(50),
        p90_ms=one.latency.percentile(90),
        p99_ms=one.latency.percentile(99),
        p999_ms=one.latency.percentile(99.9),
        max_ms=one.latency.longest_ms,
        opponent_p50_ms=one.opponent.percentile(50),
        opponent_p99_ms=one.opponent.percentile(99),
        slip_p50_ms=one.slip.percentile(50),
        slip_p99_ms=one.slip.percentile(99),
        wait_p99_ms=one.wait.percentile(99),
        generator_core=core,
        troubles=dict(one.troubles),
        faults=one.faults,
        verdict=verdict,
        why=why,
    )


def verdict_of(steps: Sequence[Figures], found: Mapping[str, int], *, knee: float | None) -> tuple[Verdict, str]:
    """Return the verdict about a load test, and why. A step that failed beyond a knee that was looked for is none."""
    if found:
        kinds = ", ".join(f"{count} {fault}" for fault, count in sorted(found.items()))
        return Verdict.FAULTY, f"the server broke its promises: {kinds}"
    if not steps:
        return Verdict.INTERRUPTED, "it ended before anything was measured"
    last = steps[-1]
    if knee is None:
        return last.verdict, last.why
    failed = min((step for step in steps if step.verdict is not Verdict.HELD), key=lambda step: step.rate, default=None)
    at = f"up to {knee:,.0f} answers/s"
    if failed is None:
        return Verdict.INTERRUPTED, f"{at}, and more was not tried"
    if failed.verdict in (Verdict.GENERATOR, Verdict.STOPPED):
        return failed.verdict, f"{at}; at {failed.rate:,.0f} {failed.why}, so the server may take more"
    return Verdict.HELD, f"{at}; at {failed.rate:,.0f} {failed.why}"


def _judged(step: Step, one: Window, *, unanswered: int, core: float, bound_ms: float | None) -> tuple[Verdict, str]:
    p99_ms, slip_ms = one.latency.percentile(99), one.slip.percentile(99)
    if one.faults:
        return Verdict.FAULTY, f"{one.faults} faults were found"
    if lost := one.troubles.get(LOST_LINE):  # who comes back asks for much at once: limits are no cause then
        return Verdict.BEHIND, f"{lost:,} connections were lost, and came back"
    if limited := sorted(what for what in one.troubles if stops_the_test(what)):
        return Verdict.STOPPED, f"a limit of the server was in the way ({', '.join(limited)})"
    if core > BUSY:
        return Verdict.GENERATOR, f"the generator was busy ({core:.0%} of a core a process): --processes takes more"
    if slip_ms > max(SLIP_MS, p99_ms / 2):
        return Verdict.GENERATOR, f"the generator was late itself (p99 {slip_ms:.1f} ms): its machine is too busy"
    if unanswered:
        return Verdict.BEHIND, f"{unanswered:,} of {one.due:,} answers were not acknowledged within the patience"
    if one.due - one.acknowledged + one.late > step.rate * LATE_S:
        return Verdict.BEHIND, f"{one.late:,} of {one.due:,} answers were acknowledged only after the step's end"
    if bound_ms is not None and p99_ms > bound_ms:
        return Verdict.SLOW, f"p99 was {p99_ms:.1f} ms, and may be {bound_ms:g} ms"
    return Verdict.HELD, f"{(one.acknowledged - one.late) / step.seconds:,.0f} answers/s, p99 {p99_ms:.1f} ms"
