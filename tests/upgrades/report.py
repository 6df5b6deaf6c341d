"""A rolling upgrade in figures, as Markdown."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.history import ACKNOWLEDGED, REFUSED, Command, History
from tests.upgrades.rolling import Outcome

ASKS = frozenset({"create_pair_quiz", "join_pair_quiz", "start_quiz", "submit_answer"})
SHOWN_MAX = 40


@dataclass(frozen=True)
class Wish:
    """What a player wanted once, however often it was sent, and in how many seconds it was acknowledged."""

    attempts: int
    took_s: float | None


def wishes(history: History) -> Iterator[Wish]:
    """Yield what players wanted, by the attempts that were made of each."""
    attempts: dict[tuple[str, ...], list[Command]] = defaultdict(list)
    for command in history.commands:
        if command.kind in ASKS:
            names = ("session_id", "join_code", "request_id", "question_id")
            attempts[command.player, command.kind, *(str(command.payload.get(name)) for name in names)].append(command)
    for commands in attempts.values():
        settled = [one.settled_at for one in commands if one.outcome == ACKNOWLEDGED and one.settled_at is not None]
        refused_for_good = any(one.final for one in commands)
        if settled or not refused_for_good:
            yield Wish(len(commands), settled[0] - commands[0].invoked_at if settled else None)


def _offline(history: History) -> Iterator[float]:
    """Yield for how long players were without a connection, each time that they were."""
    last: dict[str, int] = {}
    for heard in history.heard:
        if heard.name == "welcome":
            if heard.player in last:
                yield heard.at - history.connections[last[heard.player]].closed_at
            last[heard.player] = heard.connection


def markdown(outcome: Outcome) -> str:
    """Return the verdict, the restarts, and how long players waited."""
    wanted = list(wishes(outcome.history))
    times = sorted(wish.took_s for wish in wanted if wish.took_s is not None)
    again = sorted(wish.took_s for wish in wanted if wish.attempts > 1 and wish.took_s is not None)
    codes = Counter(one.reply["code"] for one in outcome.history.commands if one.outcome == REFUSED)
    answers = sum(len(match.answers) for match in outcome.stored.matches.values())
    kinds = Counter(finding.kind for finding in outcome.findings)
    lines = [
        f"Found: {_counted(kinds) or 'nothing that must not be'}.",
        f"{len(outcome.stored.matches)} matches, {answers} answers.",
        f"How the matches ended: {_counted(outcome.ends)}.",
        f"Not acknowledged in the end: {sum(1 for wish in wanted if wish.took_s is None)} of {len(wanted)} wishes.",
        f"From the first attempt until it was acknowledged: {_spread(times)}.",
        f"Sent more than once: {len(again)} wishes; these: {_spread(again)}.",
        f"Refusals: {_counted(codes) or 'none'}.",
        f"Without a connection, from its end to the next `welcome`: {_spread(sorted(_offline(outcome.history)))}.",
        "",
        "| to | node | duels under way | until stopped, s | until ready, s |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.version} | {one.node} | {one.under_way} | {one.stopped_s:.1f} | {one.started_s:.1f} |"
        for one in outcome.restarts
    ]
    lines += ["", *(f"- {one.kind}: {one.text}" for one in outcome.findings[:SHOWN_MAX])]
    return "\n".join(lines)


def _spread(sorted_s: Sequence[float]) -> str:
    if not sorted_s:
        return "none"
    p50, p99 = (sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * share))] for share in (0.5, 0.99))
    return f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, max {sorted_s[-1] * 1000:.0f} ms"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
