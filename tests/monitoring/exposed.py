"""What `GET /metrics` says, taken apart, and what its labels may be."""

import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pairquiz_server.config.sections import Limits
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.rules import events
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.errors import Code
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import LIVE
from pairquiz_server.store.queries import load, sql_folder
from pairquiz_server.web.guard.limits import ABOUT_ONESELF, LOOKING_BACK

WEB = Path(__file__).parents[2] / "pairquiz_server" / "web"

Series = tuple[str, frozenset[tuple[str, str]]]


def _refusals() -> set[str]:
    """Codes, and the names that are written where something else than a command is refused."""
    sources = "".join(path.read_text(encoding="utf-8") for path in WEB.rglob("*.py"))
    written = re.findall(r'(?:note|refused)\(\s*"(\w+)"', sources)
    return {*Code, *(f"line_{code}" for code in Code), *written}


def _queries() -> set[str]:
    modules = [path.stem for path in (sql_folder() / "queries").glob("*.sql")]
    return {"other", *(f"{module}.{name}" for module in modules for name in load(module))}


CLOSED: dict[str, set[str]] = {
    "cause": set(Cause),
    "check": {"database", "migrations", "durability", "redis", "draining"},
    "code": _refusals(),
    "command": {*COMMANDS, ABOUT_ONESELF, LOOKING_BACK, "unknown"},
    "event": {kind.__name__ for kind in events.Event.__args__},
    "generation": {"0", "1", "2"},
    "limit": {*Limits.__struct_fields__, "commands_per_s_by_player", "failed_joins_per_minute_by_address"},
    "outcome": {"right", "wrong", "repeated", *Code, "done", "late", "failed"},
    "query": _queries(),
    "reason": set(EndReason),
    "result": {"ok", "failed"},
    "state": {
        *("lent", "idle", "active", "other", "disabled", "fastpath function call"),
        *("idle in transaction", "idle in transaction (aborted)"),
    },
    "status": set(LIVE),
    "transport": {"websocket", "polling"},
}
"""Each label, and all values that it may have. (`le` and those of the build are not told by anybody.)"""
OPEN = {"le", "version", "python", "region"}


def series(text: str) -> set[Series]:
    """Return every series of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def names() -> set[str]:
    """Return what series may be called: all metrics, counted or not yet, as Prometheus stores them."""
    found = {"up"}
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    text = generate_latest(Metrics().registry).decode()
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE):
        stem = name.removesuffix("_total") if kind == "counter" else name
        found |= {stem + ending for ending in kinds[kind]}
    return found


def unknown_names(expression: str, known: Iterable[str]) -> set[str]:
    """Return which metrics of an expression there are not."""
    outside_labels = re.sub(r"\{[^}]*\}|(?:without|by|on|ignoring|group_left|group_right) ?\([^)]*\)", "", expression)
    used = set(
        re.findall(r"\b(?:(?:pairquiz|process|python)_\w+|up)\b(?!:)", re.sub(r"\w+:[\w:]+", "", outside_labels))
    )
    return used - set(known)


def wrong_labels(expression: str) -> set[tuple[str, str]]:
    """Return the labels of an expression, with the value asked for, that nothing will ever have."""
    wrong = set()
    for label, values in re.findall(r'\b(\w+) ?(?:=|!=|=~|!~) ?"([^"]*)"', expression):
        if label in CLOSED:
            wrong |= {(label, value) for value in values.split("|") if value not in CLOSED[label]}
        elif label not in {"job", "instance", "region"}:
            wrong.add((label, values))
    return wrong
