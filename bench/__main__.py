"""`scripts/bench`: measure, and print the table."""

import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from bench import machine, programs, report
from bench.goals import Round
from bench.players import Fault
from bench.plot import plot
from bench.scenarios import QUICK, SCENARIOS, SLOW, SPARSE, SPARSE_EVERY, Effort
from bench.servers import Contest


@click.command()
@click.option(
    "--quick", is_flag=True, help="One round with less of everything, and none of `restart`: about two minutes."
)
@click.option("--rounds", type=click.IntRange(1, 100), help="How many rounds [default: 5, with --quick 1].")
@click.option(
    "--only",
    multiple=True,
    metavar="SCENARIO[,…]",
    callback=lambda _context, _option, values: _scenarios(values),
    help=f"Only these, of {', '.join(SCENARIOS)}; may be repeated.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to this file too.")
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path),
    default=programs.BUILD / "load",
    show_default="build/bench/load",
    help="Where the plot goes, without .svg and .png.",
)
def main(quick: bool, rounds: int | None, only: tuple[str, ...], json_file: Path | None, plot_file: Path) -> None:
    """Measure this server beside others that carry the same duels, and print what was reached."""
    effort = QUICK if quick else Effort()
    cores = machine.Cores()
    machine.settle(cores)
    names = only or tuple(name for name in SCENARIOS if not quick or name not in SLOW)
    started_at, busy = time.time(), machine.load_average()
    try:
        programs.compiled("load")
        measured = _measure(effort, cores, rounds or (1 if quick else 5), names)
    except (programs.Missing, Fault, RuntimeError, TimeoutError) as error:
        raise click.ClickException("\n".join([str(error), *getattr(error, "__notes__", ())])) from None
    about: dict[str, Any] = {
        "quick": quick,
        "rounds": max(len(kept) for kept in measured.values()),
        "server_core": cores.server,
        "other_core": cores.rest,
        "load_average_before": round(busy, 1),
        "load_average_after": round(machine.load_average(), 1),
        "minutes": round((time.time() - started_at) / 60, 1),
    }
    _print(measured, about)
    if not cores.apart:
        click.echo("\nThis machine has one core: the server shares it with all else, and the figures say little.")
    if measured.get("loads"):
        click.echo("\nPlot: " + ", ".join(str(path) for path in plot(measured, plot_file)))
    if json_file:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report.as_json(measured, about))))


def _measure(effort: Effort, cores: machine.Cores, rounds: int, names: tuple[str, ...]) -> report.Rounds:
    measured: report.Rounds = {name: [] for name in names}
    with Contest(cores) as contest:
        for number in range(rounds):
            for name in names:
                if name in SPARSE and number % SPARSE_EVERY:
                    continue
                click.echo(f"round {number + 1} of {rounds}: {name} …", err=True, nl=False)
                began = time.monotonic()
                found = {(server, measure): value for server, measure, value in SCENARIOS[name](contest, effort)}
                measured[name].append(found)
                click.echo(f" {time.monotonic() - began:.0f} s{_glance(found)}", err=True)
    return measured


def _glance(found: Round) -> str:
    """What a round has found, in a few words for whoever waits."""
    costs = [f"{server} {value:.0f} µs" for (server, measure), value in found.items() if measure == "server_us"]
    return f" ({', '.join(costs)})" if costs else ""


def _scenarios(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is named, in any of its forms. Raises `click.BadParameter`."""
    names = tuple(name for value in values for name in value.split(","))
    if unknown := [name for name in names if name not in SCENARIOS]:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(SCENARIOS)}")
    return names


def _print(measured: report.Rounds, about: dict[str, Any]) -> None:
    click.echo(
        f"{about['rounds']} round(s){', quick' if about['quick'] else ''}, {about['minutes']} minutes, server on core"
        f" {about['server_core']}, load and PostgreSQL on core {about['other_core']}, load average"
        f" {about['load_average_before']} before and {about['load_average_after']} after\n"
    )
    tables = (
        report.verdicts(measured),
        report.costs(measured),
        report.bounded(measured),
        report.clusters(measured),
        report.others(measured),
    )
    for lines in tables:
        if lines:
            click.echo("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
