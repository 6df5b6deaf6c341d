"""scripts/simulate: run the whole engine by a seed, and tell the story of what breaks."""

import secrets
import sys
import time

import click

from tests.simulation.plan import MATCHES_AN_HOUR, drawn_plan
from tests.simulation.story import smallest, told
from tests.simulation.world import simulate


@click.command()
@click.option("--seed", type=int, help="The same seed, the same run. By default a fresh one.")
@click.option("--hours", type=float, help="Hours of virtual time in which pairs arrive.")
@click.option("--matches", type=int, help=f"How many pairs; by default {MATCHES_AN_HOUR} an hour.")
def main(seed: int | None, hours: float | None, matches: int | None) -> None:
    """Simulate duels on two nodes while the store, the nodes and the lines between them fail."""
    seed = secrets.randbelow(1_000_000_000) if seed is None else seed
    if matches is None:
        matches = round((1 if hours is None else hours) * MATCHES_AN_HOUR)
    plan = drawn_plan(seed, matches=matches, hours=hours)
    click.echo(f"seed {seed}: {matches} matches in {plan.span_s / 3600:.2f} h, {len(plan.faults)} faults")
    began = time.perf_counter()
    report = simulate(plan)
    spent = time.perf_counter() - began
    if report.broken is not None:
        for line in told(smallest(report, lambda plan: simulate(plan, keep_story=True))):
            click.echo(line)
        click.echo(f"again: scripts/simulate --seed {seed} --matches {matches} --hours {plan.span_s / 3600:g}")
        sys.exit(1)
    counts = ", ".join(f"{getattr(report.counts, name)} {name}" for name in report.counts.__struct_fields__)
    click.echo(f"all invariants held: {counts}")
    click.echo(f"digest {report.digest}; {report.virtual_s:.0f} s of virtual time in {spent:.1f} s")


if __name__ == "__main__":
    main()
