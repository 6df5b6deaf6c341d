"""CPU and p99 against load, as SVG and PNG."""

from pathlib import Path

from bench.report import Rounds, medians
from bench.servers import TITLES


def plot(rounds: Rounds, beginning: Path) -> list[Path]:
    """Write `beginning`.svg and .png from the scenario `loads`; returns what was written."""
    import matplotlib as mpl  # here, because it is slow to import and only an extra

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "pairquiz"  # the same figures give the same file
    from matplotlib import pyplot

    figure, (cpu, latency) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for server, measures in medians(rounds["loads"]).items():
        for axes, measure in ((cpu, "server_us_"), (latency, "p99_ms_")):
            points = sorted(
                (int(key.removeprefix(measure)), value) for key, value in measures.items() if measure in key
            )
            axes.plot([load for load, _ in points], [value for _, value in points], marker="o", label=TITLES[server])
    cpu.set(title="CPU of the server", xlabel="answers a second", ylabel="µs an answer", ylim=(0, None))
    latency.set(title="Submit → ack, p99", xlabel="answers a second", ylabel="ms", yscale="log")
    latency.yaxis.set_major_formatter("{x:g}")
    latency.yaxis.set_minor_formatter("{x:g}")  # between the powers of ten, too
    for axes in (cpu, latency):
        axes.grid(alpha=0.3)
    cpu.legend(fontsize="small")
    beginning.parent.mkdir(parents=True, exist_ok=True)
    written = [beginning.with_suffix(suffix) for suffix in (".svg", ".png")]
    for path in written:
        figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
    return written
