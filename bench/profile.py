"""`scripts/profile`: where the server's time goes while pairs play."""

import io
import pstats
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from bench import machine, parts, programs
from bench.players import Fault, Run, play
from bench.scenarios import PAIRS, QUESTIONS, RATE
from bench.servers import OURS, Contest

SAMPLES_PER_S = 250


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 600), default=5.0, show_default=True, help="For how long.")
@click.option(
    "--rate", type=click.IntRange(0), default=RATE, show_default=True, help="Answers a second; 0 is saturation."
)
@click.option("--pairs", type=click.IntRange(1, 5000), default=PAIRS, show_default=True, help="How many pairs play.")
@click.option("--lines", type=click.IntRange(0), default=40, show_default=True, help="The length of the call table.")
@click.option("--flame", type=click.Path(path_type=Path), help="Draw a flame graph (SVG) instead.")
def main(seconds: float, rate: int, pairs: int, lines: int, flame: Path | None) -> None:
    """Print where an answer's microseconds go, and a call table.

    The first by samples (py-spy), which change nothing but that the server stands for each; the second by cProfile,
    which counts calls, and makes them dearer than they are.
    """
    cores = machine.Cores()
    machine.settle(cores)
    options = {"pairs": pairs, "questions": QUESTIONS, "rate": rate, "seconds": seconds}
    try:
        with Contest(cores) as contest:
            if flame:
                _told(_sampled(contest, flame, "flamegraph", options), f"The flame graph is in {flame}.")
                return
            samples = contest.folder / "samples"
            run = _sampled(contest, samples, "raw", options)
            _told(run, "\n".join(parts.table(samples.read_text().splitlines(), run.server_us)))
            if lines:
                _told(*_counted(contest, lines, options))
    except (programs.Missing, Fault, RuntimeError, TimeoutError) as error:
        raise click.ClickException("\n".join([str(error), *getattr(error, "__notes__", ())])) from None


def _told(run: Run, table: str) -> None:
    click.echo(
        f"{table}\n\n{run.answers_per_s:,.0f} answers/s, {run.server_us:.0f} µs of CPU each,"
        f" {run.kernel_us:.0f} of them in the kernel (and the profiler's work)\n"
    )


def _counted(contest: Contest, lines: int, options: dict[str, float]) -> tuple[Run, str]:
    kept = contest.folder / "profile"
    with contest.database() as url:
        with contest.serving(OURS, url, sys.executable, "-m", "cProfile", "-o", str(kept)) as server:
            run = play(server, contest.cores, **options)
        # The server has ended in order, and with it the profile was written.
        out = io.StringIO()
        pstats.Stats(str(kept), stream=out).strip_dirs().sort_stats("tottime").print_stats(lines)
    return run, out.getvalue()


def _sampled(contest: Contest, kept: Path, style: str, options: dict[str, float]) -> Run:
    """Let py-spy look at the server for as long as it is measured. Raises `RuntimeError` where it may not."""
    with ExitStack() as stack:
        server = stack.enter_context(contest.server(OURS))
        looking: list[subprocess.Popen[bytes]] = []

        def look() -> None:
            command = _spy(server.pid, kept, style, options["seconds"])
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            looking.append(stack.enter_context(process))
            stack.enter_context(machine.ended(process))

        run = play(server, contest.cores, look, **options)
        (process,) = looking
        _, told = process.communicate()
        if process.returncode:
            raise RuntimeError(told.decode(errors="replace").strip())
    return run


def _spy(pid: int, kept: Path, style: str, seconds: float) -> list[str]:
    """The command that samples a process; native frames show what C code, uvloop's above all, does by itself."""
    program = str(Path(sys.executable).with_name("py-spy"))
    options = {
        "--pid": pid, "--output": kept, "--format": style, "--duration": max(int(seconds), 1), "--rate": SAMPLES_PER_S,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (name, str(value))]
    return [program, "record", "--native", *words]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
