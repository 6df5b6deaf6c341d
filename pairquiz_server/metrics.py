"""What one process counts and measures, in a registry of its own: several servers in one process never mix.

Every metric is an attribute with its docstring. What a label may be is always a closed set of ours, never a client's
text, so that no client can make the registry grow.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
_TRIP_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0)
_CREDIT_S = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside every counter, which nobody asks for


class Metrics:
    """The metrics of one process. Built once, and handed to whoever counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        self.refusals = self._counter("refusals", "Refusals and cut connections, by code.", "code")
        """What was refused. Counted by `web.guard.refusals` alone."""
        self.commands = self._counter("commands", "Commands that arrived, by name.", "command")
        """What players ask for over sockets and REST; what has no row in COMMANDS is `unknown`."""
        self.match_events = self._counter("match_events", "What was committed, by kind of event.", "event")
        """Matches created, joined, started and ended, answers, absences: after COMMIT, counted once a deployment."""
        self.limited = self._counter("limited", "What a limit has stopped, by limit.", "limit")
        """Which of the settings [limits] was reached, and how often; also in `refusals`, by code."""
        self.batch_size = self._histogram("batch_size", "Commands in one batch.", _BATCH_SIZES)
        """How many commands share a COMMIT."""
        self.commit_seconds = self._histogram("commit_seconds", "Reading, deciding and committing a batch.", _COMMIT_S)
        """How long a batch takes, from its first read until it is committed."""
        self.connections = self._gauge("connections", "Socket.IO connections, whatever their transport.")
        """Places that are taken of `limits.connections`."""
        self.lines = self._gauge("lines", "TCP lines, whatever is said on them.")
        """With idle ones, and those of REST and of polls."""
        self.round_trip_seconds = self._histogram("round_trip_seconds", "Round trips of websockets.", _TRIP_S)
        """How long players' lines are, each measured every few seconds (`web.sockets.pings`)."""
        self.lag_credit_seconds = self._histogram("lag_credit_seconds", "Lag credit of answers.", _CREDIT_S)
        """What committed answers were credited for a slow line."""
        self.answers_too_fast = self._counter("answers_too_fast", "Answers that came sooner than a person can read.")
        """A hint at scripts; each is marked in the database, and costs nobody a point."""
        self.key_fetches = self._counter("key_fetches", "Fetches of the issuer's keys, by result.", "result")
        """`ok` or `failed`; while they fail, the keys that are there stay (`web.identity.jwks`)."""
        self.tokens_ended = self._counter("tokens_ended", "Connections that ended because their token did.")
        """Clients that did not refresh their tokens in time, or whose issuer let them go."""
        self.players = self._gauge("players", "Players who are connected to this process.")
        """Players, not connections: one may have several."""
        self.sessions = self._gauge("sessions", "Engine.IO sessions of this process, open or not yet cleared away.")
        """Sessions over any transport; whoever has not said who it is counts too."""

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"pairquiz_{name}", documentation, labels, registry=self.registry)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"pairquiz_{name}", documentation, labels, registry=self.registry)

    def _histogram(self, name: str, documentation: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"pairquiz_{name}", documentation, buckets=buckets, registry=self.registry)


class Family:
    """A counter with one label. Its children are kept, because to find one by its label costs more than to count."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._count: dict[str, Callable[[], None]] = {}

    def count(self, label: str) -> None:
        """Count one more of this label, which must be one of a closed set."""
        count = self._count.get(label)
        if count is None:
            count = self._count[label] = self._counter.labels(label).inc
        count()
