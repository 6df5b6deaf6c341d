"""A load test as one page of HTML, that loads nothing and keeps well. Pure."""

from collections.abc import Iterable, Sequence
from html import escape

from pairquiz_server.loadtest.charts import Line, bar_chart, line_chart
from pairquiz_server.loadtest.course import Second
from pairquiz_server.loadtest.histogram import merged
from pairquiz_server.loadtest.outcome import Figures, Outcome, Verdict
from pairquiz_server.loadtest.scrape import Look
from pairquiz_server.loadtest.words import of_outcome

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6670; --ground: #fff; --card: #f5f6f8; --rule: #dfe3e8;
  --c1: #2563c9; --c2: #c2570c; --c3: #7a2fb0; --c4: #6b7280; --good: #17803d; --bad: #c01c28; --odd: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4af; --ground: #14171b; --card: #1d2126;
  --rule: #333a42; --c1: #6ea8ff; --c2: #ff9d5c; --c3: #c792ea; --c4: #8b949e; --good: #4cc38a; --bad: #ff6b6b;
  --odd: #e3b341; } }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 1500px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.verdict { border-left: 6px solid var(--odd); padding: .6rem 1rem; background: var(--card); font-size: 1.1rem; }
.verdict.held { border-color: var(--good); } .verdict.faulty { border-color: var(--bad); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .75rem; background: var(--card); border-radius: 6px; } svg { width: 100%; height: auto; }
.unit, .mark { color: var(--soft); fill: var(--soft); font-size: 12px; } .grid { stroke: var(--rule); }
.line { fill: none; stroke-width: 1.8; } .bar { fill: var(--c1); } .key { margin-left: .9em; font-size: 12px; }
.key::before { content: "■ "; } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
.line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); stroke-dasharray: 4 3; }
.dot.c1 { fill: var(--c1); } .dot.c2 { fill: var(--c2); } .dot.c3 { fill: var(--c3); } .dot.c4 { fill: var(--c4); }
.key.c1 { color: var(--c1); } .key.c2 { color: var(--c2); } .key.c3 { color: var(--c3); } .key.c4 { color: var(--c4); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; } th:last-child, td:last-child, .text td { text-align: left; }
pre { background: var(--card); padding: .75rem; overflow-x: auto; border-radius: 6px; }
"""


def page(outcome: Outcome, seconds: Sequence[Second], looks: Sequence[Look]) -> str:
    """Return the page."""
    parts = [
        f"<h1>Load test of {escape(outcome.url)}</h1>",
        f"<p>{outcome.pairs:,} pairs by {escape(outcome.transport)}, played by {outcome.processes} "
        f"{'process' if outcome.processes == 1 else 'processes'}. Latency is counted from the moment at which an "
        "answer was due, whenever it could be sent.</p>",
        f'<p class="verdict {outcome.verdict!s}"><b>{outcome.verdict!s}</b>: {escape(outcome.why)}</p>',
        f"<pre>{escape(chr(10).join(of_outcome(outcome)))}</pre>",
        f'<h2>While it ran</h2><div class="charts">{"".join(_charts(outcome, seconds, looks))}</div>',
        f"<h2>Steps</h2>{_table(outcome.steps)}",
    ]
    if outcome.findings:
        rows = "".join(
            f"<tr><td>{one.fault!s}</td><td>{escape(one.match)}</td><td>{escape(one.text)}</td></tr>"
            for one in outcome.findings
        )
        parts.append(f'<h2>Faults</h2><div class="wide"><table class="text">{rows}</table></div>')
    title = f"Load test: {outcome.verdict!s}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _charts(outcome: Outcome, seconds: Sequence[Second], looks: Sequence[Look]) -> Iterable[str]:
    at = [float(number + 1) for number in range(len(seconds))]
    windows = [second.window for second in seconds]
    latencies = [
        Line("p50", [one.latency.percentile(50) for one in windows], 1),
        Line("p99", [one.latency.percentile(99) for one in windows], 2),
        Line("max", [one.latency.longest_ms for one in windows], 3),
        Line("generator's own p99", [one.slip.percentile(99) for one in windows], 4),
    ]
    yield line_chart("Latency", "ms", at, latencies, across="seconds", powers=True)
    rates = [
        Line("meant", [second.rate for second in seconds], 4),
        Line("due", [float(one.due) for one in windows], 2),
        Line("acknowledged", [float(one.acknowledged) for one in windows], 1),
    ]
    yield line_chart("Rate", "answers/s", at, rates, across="seconds", powers=False)
    yield bar_chart("Distribution", "ms until the acknowledgement", list(merged(w.latency for w in windows).bars()))
    if len(outcome.steps) > 1:
        steps = sorted(outcome.steps, key=lambda step: step.rate)
        knee = [Line("p50", [one.p50_ms for one in steps], 1), Line("p99", [one.p99_ms for one in steps], 2)]
        rates_tried = [one.rate for one in steps]
        yield line_chart("Latency by rate", "ms", rates_tried, knee, across="answers/s", powers=True)
    if len(looks) > 1:
        told_at = [one.at_s for one in looks]
        core = [Line("share of a core", [one.core * 100 for one in looks], 1)]
        yield line_chart("The server's CPU", "%", told_at, core, across="seconds", powers=False)
        waits = [Line("commit", [one.commit_ms for one in looks], 1)]
        if any(one.lag_ms for one in looks):  # older servers do not tell it
            waits.append(Line("loop lag", [one.lag_ms for one in looks], 2))
        yield line_chart("Inside the server, on average", "ms", told_at, waits, across="seconds", powers=False)
        batches = [Line("commands in a batch", [one.batch for one in looks], 1)]
        yield line_chart("Batches", "commands", told_at, batches, across="seconds", powers=False)


def _table(steps: Sequence[Figures]) -> str:
    heads = ("rate/s", "acknowledged/s", "p50 ms", "p90", "p99", "p99.9", "max", "opponent p99", "generator p99", "")
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{value}</td>" for value in _row(step))
        + f"<td>{'' if step.verdict is Verdict.HELD else escape(step.verdict + ': ' + step.why)}</td></tr>"
        for step in steps
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _row(step: Figures) -> list[str]:
    latencies = (
        step.p50_ms, step.p90_ms, step.p99_ms, step.p999_ms, step.max_ms, step.opponent_p99_ms, step.slip_p99_ms,
    )  # fmt: skip
    return [f"{step.rate:,.0f}", f"{step.achieved_per_s:,.0f}", *(f"{ms:.1f}" for ms in latencies)]
