"""`scripts/profile`: where the server's time goes while pairs play."""

import io
import pstats
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from bench import machine, programs
from bench.players import Fault, Run, play
from bench.scenarios import PAIRS, QUESTIONS, RATE
from bench.servers import OURS, Contest


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 600), default=5.0, show_default=True, help="For how long.")
@click.option(
    "--rate", type=click.IntRange(0), default=RATE, show_default=True, help="Answers a second; 0 is saturation."
)
@click.option("--pairs", type=click.IntRange(1, 5000), default=PAIRS, show_default=True, help="How many pairs play.")
@click.option("--lines", type=click.IntRange(1), default=40, show_default=True, help="The length of the call table.")
@click.option("--flame", type=click.Path(path_type=Path), help="Draw a flame graph (SVG) by py-spy instead.")
def main(seconds: float, rate: int, pairs: int, lines: int, flame: Path | None) -> None:
    """Print a call table of the server under load (cProfile: calls are counted, and seem dearer than they are)."""
    cores = machine.Cores()
    machine.settle(cores)
    options = {"pairs": pairs, "questions": QUESTIONS, "rate": rate, "seconds": seconds}
    try:
        with Contest(cores) as contest:
            if flame:
                run = _draw(contest, flame, options)
                table = f"The flame graph is in {flame}."
            else:
                run, table = _count(contest, lines, options)
    except (programs.Missing, Fault, RuntimeError, TimeoutError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(table)
    click.echo(f"{run.answers_per_s:,.0f} answers/s, {run.server_us:.0f} µs of CPU each (and the profiler's work)")


def _count(contest: Contest, lines: int, options: dict[str, float]) -> tuple[Run, str]:
    kept = contest.folder / "profile"
    with contest.database() as url:
        with contest.serving(OURS, url, sys.executable, "-m", "cProfile", "-o", str(kept)) as server:
            run = play(server, contest.cores, **options)
        # The server has ended in order, and with it the profile was written.
        out = io.StringIO()
        pstats.Stats(str(kept), stream=out).strip_dirs().sort_stats("tottime").print_stats(lines)
    return run, out.getvalue()


def _draw(contest: Contest, flame: Path, options: dict[str, float]) -> Run:
    spy = str(Path(sys.executable).with_name("py-spy"))
    with ExitStack() as stack:
        server = stack.enter_context(contest.server(OURS))
        duration = str(max(int(options["seconds"]), 1))
        command = [
            spy,
            "record",
            "--pid",
            str(server.pid),
            "--duration",
            duration,
            "--rate",
            "250",
            "--output",
            str(flame),
        ]
        # It looks while the load connects and begins, too.
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        stack.enter_context(process)
        stack.enter_context(machine.ended(process))
        run = play(server, contest.cores, **options)
        _, told = process.communicate()
        if process.returncode:
            raise RuntimeError(told.decode(errors="replace").strip())
    return run


if __name__ == "__main__":
    sys.exit(main())
