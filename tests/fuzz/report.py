"""What a run has found, and what it has seen."""

import re
from collections.abc import Iterator

from tests.fuzz.run import Outcome

MIB = 1 << 20
GROWTH_MAX = 32 * MIB
"""How much larger the server may be at the end than it was when it was warm."""
SLOWEST_MAX_S = 10.0
SHOWN = 5
_LOUD = re.compile(r'"level": "(?:error|critical)"')


def findings(outcome: Outcome) -> list[str]:
    """Return what is wrong, nothing where all is well."""
    return list(_findings(outcome))


def _findings(outcome: Outcome) -> Iterator[str]:
    if "Traceback" in outcome.log:
        yield "a traceback is in the server's log: " + outcome.log[outcome.log.index("Traceback") - 200 :][:3000]
    for line in _errors(outcome.log)[:SHOWN]:
        yield f"an error is in the server's log: {line[:1000]}"
    if outcome.frames < outcome.plan.frames:
        yield f"only {outcome.frames} frames were sent"
    for wrong in outcome.wrongs[:SHOWN]:
        yield f"the neighbours' match was harmed: {wrong}"
    if not outcome.matches:
        yield "the neighbours finished no match"
    if outcome.slowest_s > SLOWEST_MAX_S:
        yield f"a neighbour waited for {outcome.slowest_s:.1f} s"
    if outcome.stuck:
        yield f"{len(outcome.stuck)} sessions were neither served nor closed"
    if outcome.rss_end - outcome.rss_warm > GROWTH_MAX:
        yield f"memory grew from {outcome.rss_warm / MIB:.0f} to {outcome.rss_end / MIB:.0f} MiB"
    for name, count in outcome.left.items():
        yield f"{count:.0f} {name} are left"
    if not outcome.refusals.get("bad_frame") or not outcome.refusals.get("unknown_command"):
        yield "nothing was refused: the frames did not arrive"


def _errors(log: str) -> list[str]:
    return [line for line in log.splitlines() if _LOUD.search(line)]


def text(outcome: Outcome) -> str:
    """Return the run in a few lines."""
    found = findings(outcome)
    sessions = ", ".join(f"{count} by {name}" for name, count in sorted(outcome.sessions.items()))
    refusals = ", ".join(
        f"{count:.0f} {code}" for code, count in sorted(outcome.refusals.items(), key=lambda row: -row[1])
    )
    closed = ", ".join(f"{count} {how}" for how, count in sorted(outcome.closed.items(), key=lambda row: -row[1]))
    return "\n".join([
        f"seed {outcome.plan.seed}: {outcome.frames} frames in {sum(outcome.sessions.values())} sessions ({sessions}), "
        f"{outcome.seconds:.0f} s",
        f"memory: {outcome.rss_start / MIB:.0f} MiB at the start, {outcome.rss_warm / MIB:.0f} after the first fifth, "
        f"{outcome.rss_end / MIB:.0f} at the end",
        f"neighbours: {outcome.matches} matches, the slowest answer after {outcome.slowest_s * 1000:.0f} ms, "
        f"{outcome.repeated} commands repeated because the database did not answer in time",
        f"refused: {refusals}",
        f"sessions ended: {closed}",
        *(found or ["nothing was found"]),
    ])  # fmt: skip
