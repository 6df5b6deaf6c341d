"""What `top` makes of its looks: levels as they are now, rates of the last seconds, refusals of the last minute."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf

from msgspec import Struct

from pairquiz_server.protocol.admin import Overview
from pairquiz_server.store.vitals import NodeVitals, Vitals

RATES_OF_MS = 10_000
"""Rates and percentiles are of so long: less jumps, more comes late."""
REFUSALS_OF_MS = 60_000
SILENT_MS = 5000
"""A node that is silent for longer counts as dead."""


class Fare(Struct, frozen=True, kw_only=True):
    """How one process fares, or all of them together. What is not known yet, or has not happened, is None.

    `refusals` are those of the last minute, by code, the most frequent first; `failing` are checks that do not hold. A
    percentile that is infinite is above the largest bound.
    """

    id: str
    name: str
    version: str
    region: str
    silent_ms: int
    players: int
    connections: int
    connections_limit: int | None
    websockets: int
    polling: int
    seekers: int
    matches: int
    commands_per_s: float | None
    answers_per_s: float | None
    p50_ms: float | None
    p99_ms: float | None
    loop_lag_p99_ms: float | None
    cpu_percent: float | None
    memory_bytes: int
    queued: int
    queued_age_s: float
    pool_lent: int
    pool_limit: int
    pool_waiting: int
    failing: tuple[str, ...]
    refusals: dict[str, int]


class _Window:
    """What one process said in the last minute, the oldest first."""

    def __init__(self) -> None:
        self._said: deque[Vitals] = deque()

    def note(self, vitals: Vitals) -> None:
        """Keep what was said, unless it was the same as before."""
        said = self._said
        if said and said[-1].at == vitals.at:
            return
        said.append(vitals)
        while len(said) > 2 and vitals.at - said[1].at >= REFUSALS_OF_MS:
            said.popleft()

    @property
    def now(self) -> Vitals:
        """What was said last."""
        return self._said[-1]

    def before(self, span_ms: int) -> Vitals | None:
        """Return what was said so long ago, or the first thing since; None where nothing was."""
        return next((one for one in self._said if one.at >= self.now.at - span_ms and one is not self.now), None)


class Fares:
    """Makes figures of one look after the other."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def note(self, overview: Overview) -> None:
        """Take in a look. Who is not in it any more is forgotten."""
        told = {node.id: node.vitals for node in overview.nodes if node.vitals is not None}
        self._windows = {node_id: self._windows.get(node_id) or _Window() for node_id in told}
        for node_id, vitals in told.items():
            self._windows[node_id].note(vitals)

    def of(self, nodes: Iterable[NodeVitals]) -> list[Fare]:
        """Return how each of these processes fares that has said something."""
        return [self._fare(node) for node in nodes if node.id in self._windows]

    def together(self, nodes: Iterable[NodeVitals]) -> Fare:
        """Return how these processes fare as one: percentiles are of all their commands."""
        living = [node for node in nodes if node.silent_ms <= SILENT_MS]
        fares = self.of(living)
        # Another version's may be other bounds: percentiles are of those who share the newest process's.
        windows = [self._windows[node.id] for node in living if node.id in self._windows]
        bounds = windows[-1].now.bounds if windows else []
        alike = [window for window in windows if window.now.bounds == bounds]
        commands, lags = _steps(alike, "command_seconds"), _steps(alike, "loop_lag_seconds")
        refusals = Counter[str]()
        for fare in fares:
            refusals.update(fare.refusals)
        return Fare(
            id="",
            name="all",
            version="",
            region="",
            silent_ms=0,
            players=sum(fare.players for fare in fares),
            connections=sum(fare.connections for fare in fares),
            connections_limit=None,
            websockets=sum(fare.websockets for fare in fares),
            polling=sum(fare.polling for fare in fares),
            seekers=sum(fare.seekers for fare in fares),
            matches=sum(fare.matches for fare in fares),
            commands_per_s=_sum(fare.commands_per_s for fare in fares),
            answers_per_s=_sum(fare.answers_per_s for fare in fares),
            p50_ms=percentile_ms(bounds, commands, 0.5),
            p99_ms=percentile_ms(bounds, commands, 0.99),
            loop_lag_p99_ms=percentile_ms(bounds, lags, 0.99),
            cpu_percent=_sum(fare.cpu_percent for fare in fares),
            memory_bytes=sum(fare.memory_bytes for fare in fares),
            queued=sum(fare.queued for fare in fares),
            queued_age_s=max((fare.queued_age_s for fare in fares), default=0.0),
            pool_lent=sum(fare.pool_lent for fare in fares),
            pool_limit=sum(fare.pool_limit for fare in fares),
            pool_waiting=sum(fare.pool_waiting for fare in fares),
            failing=tuple(sorted({check for fare in fares for check in fare.failing})),
            refusals=dict(refusals.most_common()),
        )

    def _fare(self, node: NodeVitals) -> Fare:
        window = self._windows[node.id]
        now, before, minute_ago = window.now, window.before(RATES_OF_MS), window.before(REFUSALS_OF_MS)
        commands, lags = _steps([window], "command_seconds"), _steps([window], "loop_lag_seconds")
        refused = Counter(now.refusals) - Counter(minute_ago.refusals if minute_ago else now.refusals)
        cpu = _rate(before, now, "cpu_s")
        return Fare(
            id=node.id,
            name=name_of(now),
            version=now.version,
            region=now.region,
            silent_ms=node.silent_ms,
            players=now.players,
            connections=now.connections,
            connections_limit=now.connections_limit,
            websockets=now.sockets.get("websocket", 0),
            polling=now.sockets.get("polling", 0),
            seekers=now.seekers,
            matches=now.matches,
            commands_per_s=_rate(before, now, "commands"),
            answers_per_s=_rate(before, now, "answers"),
            p50_ms=percentile_ms(now.bounds, commands, 0.5),
            p99_ms=percentile_ms(now.bounds, commands, 0.99),
            loop_lag_p99_ms=percentile_ms(now.bounds, lags, 0.99),
            cpu_percent=None if cpu is None else cpu * 100,
            memory_bytes=now.memory_bytes,
            queued=now.queued,
            queued_age_s=now.queued_age_s,
            pool_lent=now.pool.get("lent", 0),
            pool_limit=now.pool_limit or 0,
            pool_waiting=now.pool_waiting,
            failing=tuple(name for name, holds in now.checks.items() if not holds),
            refusals=dict(refused.most_common()),
        )


def _steps(windows: Iterable[_Window], name: str) -> list[int]:
    """Return how many of the last seconds fell between two bounds each, of processes that have the same ones."""
    steps: list[int] = []
    for window in windows:
        before = window.before(RATES_OF_MS)
        if before is None:
            continue
        then, now = getattr(before, name), getattr(window.now, name)
        grown = [after - earlier for earlier, after in zip(then, now, strict=True)]
        own = [after - earlier for earlier, after in pairwise([0, *grown])]
        steps = [one + other for one, other in zip(steps, own, strict=True)] if steps else own
    return steps


def name_of(vitals: Vitals) -> str:
    """Return what a process is called: its machine, and its number there."""
    return f"{vitals.host}:{vitals.pid}"


def percentile_ms(bounds: Sequence[float], steps: Sequence[int], share: float) -> float | None:
    """Return below what (milliseconds) a share of all amounts lies, None where there are none.

    `steps` are how many amounts lie between two of `bounds` (seconds) each, the last above all of them, where it is
    infinite. Between two bounds amounts count as evenly spread, as for Prometheus' `histogram_quantile`.
    """
    wanted = share * sum(steps)
    if not wanted:
        return None
    below, lower = 0, 0.0
    for step, upper in zip(steps, (*bounds, inf), strict=True):
        if below + step >= wanted:
            return inf if upper == inf else (lower + (upper - lower) * (wanted - below) / step) * 1000
        below, lower = below + step, upper
    return inf


def _rate(before: Vitals | None, now: Vitals, name: str) -> float | None:
    if before is None:
        return None
    return float(getattr(now, name) - getattr(before, name)) / (now.at - before.at) * 1000


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
