"""A run as Markdown: the verdict, what was done, and how long the game was away each time."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.chaos.finding import DOUBLED, LOST, NEVER_ENDED, WRONG_SCORE, Finding
from tests.chaos.history import ACKNOWLEDGED, Command, Fault, History

KILLS = frozenset({"kill", "restart", "kill_while_starting"})
MAIN_KINDS = (LOST, DOUBLED, WRONG_SCORE, NEVER_ENDED)
SHOWN_MAX = 60


class Recovery:
    """Finds, after a fault, the first change that was asked for after its start and acknowledged."""

    def __init__(self, history: History) -> None:
        settled = [
            (command.settled_at, command.invoked_at, history.connections[command.connection].node)
            for command in history.commands
            if command.outcome == ACKNOWLEDGED and command.settled_at is not None and _changes(command)
        ]
        self._settled = sorted(settled)

    def first(self, fault: Fault, after: float) -> float | None:
        """Return the seconds from `after` to the first acknowledgement, by the server that was hit."""
        for place in range(bisect_left(self._settled, (after,)), len(self._settled)):
            settled_at, invoked_at, node = self._settled[place]
            if invoked_at >= fault.started_at and fault.node in (None, node):
                return settled_at - after
        return None


def verdict_line(findings: Sequence[Finding], history: History) -> str:
    """Return the verdict in one line."""
    counts = Counter(finding.kind for finding in findings)
    kills = sum(1 for fault in history.faults if fault.kind in KILLS)
    main = ", ".join(f"{counts.pop(kind, 0)} {kind}" for kind in MAIN_KINDS)
    rest = "".join(f", {count} {kind}" for kind, count in sorted(counts.items()))
    return f"{len(history.faults)} faults, {kills} of them ends of our process: {main}{rest}"


def table(history: History) -> list[str]:
    """Return the recovery times, a row for each kind of fault, as a Markdown table."""
    recovery = Recovery(history)
    rows: dict[str, list[Fault]] = defaultdict(list)
    for fault in history.faults:
        rows[fault.kind].append(fault)
    lines = [
        "| fault | count | from its start: p50 | p95 | max | after its end: p50 | p95 | max |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, faults in sorted(rows.items(), key=lambda row: -len(row[1])):
        starts = [recovery.first(fault, fault.started_at) for fault in faults]
        ends = [recovery.first(fault, fault.ready_at or fault.ended_at or fault.started_at) for fault in faults]
        lines.append(f"| {kind.replace('_', ' ')} | {len(faults)} | {_spread(starts)} | {_spread(ends)} |")
    return lines


def markdown(title: str, findings: Sequence[Finding], history: History, facts: Sequence[str]) -> str:
    """Return the whole report."""
    outcomes = Counter(command.outcome for command in history.commands)
    codes = Counter(command.reply["code"] for command in history.commands if command.outcome == "refused")
    shown = [f"- **{finding.kind}** {finding.match or ''}: {finding.text}" for finding in findings[:SHOWN_MAX]]
    if len(findings) > SHOWN_MAX:
        shown.append(f"- … and {len(findings) - SHOWN_MAX} more")
    return "\n".join(
        [
            f"# {title}",
            "",
            f"**{verdict_line(findings, history)}**",
            "",
            *(f"- {fact}" for fact in facts),
            f"- {len(history.commands)} commands over {len(history.connections)} connections: "
            + ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()),
            "- refused with: " + (", ".join(f"{code} {count}" for code, count in codes.most_common()) or "nothing"),
            "",
            "Seconds until a change that was asked for after the start of the fault was acknowledged (by the server "
            "that was hit; a read or a repeat is no change). The end of a kill is when the server serves again.",
            "",
            *table(history),
            "",
            *(["## Findings", "", *shown, ""] if shown else []),
        ]
    )


def _changes(command: Command) -> bool:
    return command.kind != "resume_pair_quiz" and not command.reply.get("duplicate")


def _spread(values: Sequence[float | None]) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return "– | – | –"
    return " | ".join(f"{known[min(int(len(known) * share), len(known) - 1)]:.2f}" for share in (0.5, 0.95, 1.0))
