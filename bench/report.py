"""What was measured, as tables in Markdown and as JSON."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any

from bench import nodes
from bench.goals import GOALS, Goal, Round
from bench.servers import TITLES

Rounds = dict[str, list[dict[tuple[str, str], float]]]
FULL = 0.9  # of a core: what is used so far could not do much more
_COSTS = ("saturation", "rate", "duels")
_NODES = "nodes"


def verdicts(rounds: Rounds) -> list[str]:
    """The table of goals, of those whose scenario was measured."""
    lines = ["| figure | goal | min – median – max | |", "|---|---|---|---|"]
    for goal in GOALS:
        if not rounds.get(goal.scenario):
            continue
        low, middle, high = spread([goal.figure(one) for one in rounds[goal.scenario]])
        verdict = "reached" if goal.holds(middle) else "**not reached**"
        values = f"{number(low)} – **{number(middle)}** – {number(high)} {goal.unit}"
        lines.append(f"| {goal.title} | {goal.relation} {number(goal.bound)} {goal.unit} | {values} | {verdict} |")
    return lines


def costs(rounds: Rounds) -> list[str]:
    """Medians of what each server did, and of what an answer took: of this machine, in this hour alone."""
    names = (
        "answers/s",
        "duels/s",
        "its core",
        "others on it",
        "the other core",
        "CPU µs",
        "kernel µs",
        "PostgreSQL µs",
        "load µs",
        "p50 ms",
        "p99 ms",
        "refused",
        "delayed",
    )
    lines = [f"| scenario | server | {' | '.join(names)} |", "|---|---|" + "---:|" * len(names)]
    for scenario in _COSTS:
        for server, measures in medians(rounds.get(scenario, [])).items():
            values = [
                f"{measures['answers_per_s']:,.0f}",
                f"{measures['duels_per_s']:,.0f}",
                f"{measures['busy']:.0%}",
                f"{measures['others']:.0%}",
                f"{measures['rest_busy']:.0%}",
                f"{measures['server_us']:.0f}",
                f"{measures['kernel_us']:.0f}",
                f"{measures['postgres_us']:.0f}" if measures["postgres_us"] else "–",
                f"{measures['load_us']:.0f}",
                f"{measures['p50_ms']:.2f}",
                f"{measures['p99_ms']:.1f}",
                f"{measures['refused']:.0f}",
                f"{measures['delayed']:.0f}",
            ]
            lines.append(f"| {scenario} | {TITLES[server]} | {' | '.join(values)} |")
    return lines if len(lines) > 2 else []


def bounded(rounds: Rounds) -> list[str]:
    """What was not bounded by its server's core, and by what else."""
    lines = []
    for scenario in ("saturation", "duels"):
        for server, measures in medians(rounds.get(scenario, [])).items():
            if measures["busy"] >= FULL:
                continue
            who = "others had some of it" if measures["others"] >= 1 - FULL else "it waited"
            rest = ", and the other core was full" if measures["rest_busy"] >= FULL else ""
            lines.append(
                f"{scenario}: {TITLES[server]} had {measures['busy']:.0%} of its core ({who}{rest}): its answers/s show"
                " what that left, its CPU µs what it costs."
            )
    return lines


def clusters(rounds: Rounds) -> list[str]:
    """Medians of what an answer took of all nodes, of Redis and of PostgreSQL together."""
    names = ("answers/s", "nodes µs", "Redis µs", "PostgreSQL µs", "together µs", "p50 ms", "p99 ms")
    lines = [f"| nodes | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for title, measures in medians(rounds.get(_NODES, [])).items():
        lines.append(f"| {title} | {' | '.join(number(measures[name]) for name in nodes.MEASURES)} |")
    return lines if len(lines) > 2 else []


def others(rounds: Rounds) -> list[str]:
    """The figures of the other scenarios, as medians."""
    lines = ["| scenario | server | figure | median |", "|---|---|---|---:|"]
    for scenario, kept in rounds.items():
        if scenario in (*_COSTS, _NODES):
            continue
        for server, measures in medians(kept).items():
            lines += [
                f"| {scenario} | {TITLES[server]} | {name} | {number(value)} |" for name, value in measures.items()
            ]
    return lines if len(lines) > 2 else []


def medians(rounds: Iterable[Round]) -> dict[str, dict[str, float]]:
    """The median of each measure, by server."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in rounds:
        for key, value in one.items():
            values[key].append(value)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (server, measure), kept in values.items():
        found[server][measure] = median(kept)
    return found


def as_json(rounds: Rounds, about: dict[str, Any]) -> dict[str, Any]:
    """All that was measured, round by round, and what became of the goals."""
    return {
        "about": about,
        "goals": [_as_json(goal, rounds[goal.scenario]) for goal in GOALS if rounds.get(goal.scenario)],
        "rounds": {
            scenario: [
                [{"server": who, "measure": what, "value": value} for (who, what), value in one.items()] for one in kept
            ]
            for scenario, kept in rounds.items()
        },
    }


def spread(values: list[float]) -> tuple[float, float, float]:
    """The least, the middle and the greatest."""
    return min(values), median(values), max(values)


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _as_json(goal: Goal, rounds: list[dict[tuple[str, str], float]]) -> dict[str, Any]:
    values = [goal.figure(one) for one in rounds]
    return {
        "title": goal.title,
        "goal": f"{goal.relation} {goal.bound:g} {goal.unit}",
        "values": values,
        "median": median(values),
        "reached": goal.holds(median(values)),
    }
