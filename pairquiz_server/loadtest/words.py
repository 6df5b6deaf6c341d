"""A load test in lines of text."""

from collections.abc import Iterator

from pairquiz_server.loadtest.course import Course
from pairquiz_server.loadtest.outcome import Figures, Outcome
from pairquiz_server.loadtest.tally import Window


def under_way(course: Course) -> str:
    """Say how it stands, in one line."""
    order, window = course.order, course.newest()
    if course.rate is None:
        return f"{order.pairs} pairs connect to {order.url} and begin their matches …"
    if window is None:
        return f"{course.rate:,.0f} answers/s …"
    return f"{window.second + 1:3d} s of {order.seconds:g}  {_second(course.rate, window)}"


def of_step(step: Figures) -> str:
    """Say how a step went, in one line."""
    return (
        f"{step.rate:,.0f} answers/s for {step.seconds:g} s: {step.achieved_per_s:,.0f}/s acknowledged, "
        f"p50 {step.p50_ms:.1f} ms, p99 {step.p99_ms:.1f} ms, max {step.max_ms:.1f} ms: {step.verdict!s}"
    )


def of_outcome(outcome: Outcome) -> Iterator[str]:
    """Say what came of it."""
    if outcome.steps:
        step = next((one for one in outcome.steps if one.rate == outcome.knee), outcome.steps[-1])
        yield f"answers     {step.acknowledged:,} of {step.due:,} that were due, {step.achieved_per_s:,.0f} a second"
        yield (
            f"latency     p50 {step.p50_ms:.1f} ms, p90 {step.p90_ms:.1f} ms, p99 {step.p99_ms:.1f} ms, "
            f"p99.9 {step.p999_ms:.1f} ms, max {step.max_ms:.1f} ms, from when an answer was due"
        )
        yield f"opponent    p50 {step.opponent_p50_ms:.1f} ms, p99 {step.opponent_p99_ms:.1f} ms until the other heard"
        yield (
            f"generator   late by p50 {step.slip_p50_ms:.1f} ms, p99 {step.slip_p99_ms:.1f} ms; "
            f"{step.generator_core:.0%} of a core a process"
        )
    lost, doubled = outcome.found.get("lost", 0), outcome.found.get("doubled", 0)
    wrong = outcome.found.get("wrong_score", 0)
    yield (
        f"checked     {outcome.answers:,} answers of {outcome.matches:,} matches: {lost} lost, {doubled} doubled, "
        f"{wrong} wrong scores" + _others(outcome)
    )
    for trouble, count in sorted(_troubles(outcome).items()):
        yield f"trouble     {trouble}: {count:,} times, asked again"
    for finding in outcome.findings[:10]:
        yield f"fault       {finding.fault!s} {finding.match}: {finding.text}"
    for text in outcome.advice:
        yield f"advice      {text}"
    if outcome.knee is not None:
        yield f"knee        {outcome.knee:,.0f} answers/s is the largest rate that held"
    yield f"verdict     {outcome.verdict!s}: {outcome.why}"


def _second(rate: float, window: Window) -> str:
    faults = f"  {window.faults} FAULTS" if window.faults else ""
    troubles = f"  {sum(window.troubles.values())} asked again" if window.troubles else ""
    return (
        f"{window.acknowledged:,}/s of {rate:,.0f}  p50 {window.latency.percentile(50):.1f} ms  "
        f"p99 {window.latency.percentile(99):.1f} ms  max {window.latency.longest_ms:.1f} ms{troubles}{faults}"
    )


def _others(outcome: Outcome) -> str:
    shown = {"lost", "doubled", "wrong_score"}
    return "".join(f", {count} {fault}" for fault, count in sorted(outcome.found.items()) if fault not in shown)


def _troubles(outcome: Outcome) -> dict[str, int]:
    troubles: dict[str, int] = {}
    for step in outcome.steps:
        for what, count in step.troubles.items():
            troubles[what] = troubles.get(what, 0) + count
    return troubles
