"""What one process counts and measures, in a registry of its own: several servers in one process never mix.

Every metric is an attribute with its docstring. What a label may be is always a closed set of ours, never a client's
text, so that no client can make the registry grow.
"""

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from pairquiz_server.counting import Count, Counts, Distribution

_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
_TRIP_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0)
_CREDIT_S = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """The metrics of one process. Built once, and handed to whoever counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        self.refusals = self._counts("refusals", "Refusals and cut connections, by code.", "code")
        """What was refused. Counted by `web.guard.refusals` alone."""
        self.commands = self._counts("commands", "Commands that arrived, by name.", "command")
        """What players ask for over sockets and REST; what has no row in COMMANDS is `unknown`."""
        self.match_events = self._counts("match_events", "What was committed, by kind of event.", "event")
        """Matches created, joined, started and ended, answers, absences: after COMMIT, counted once a deployment."""
        self.limited = self._counts("limited", "What a limit has stopped, by limit.", "limit")
        """Which of the settings [limits] was reached, and how often; also in `refusals`, by code."""
        self.batch_size = self._distribution("batch_size", "Commands in one batch.", _BATCH_SIZES)
        """How many commands share a COMMIT."""
        self.commit_seconds = self._distribution(
            "commit_seconds", "Reading, deciding and committing a batch.", _COMMIT_S
        )
        """How long a batch takes, from its first read until it is committed."""
        self.connections = self._gauge("connections", "Socket.IO connections, whatever their transport.")
        """Places that are taken of `limits.connections`."""
        self.lines = self._gauge("lines", "TCP lines, whatever is said on them.")
        """With idle ones, and those of REST and of polls."""
        self.round_trip_seconds = self._distribution("round_trip_seconds", "Round trips of websockets.", _TRIP_S)
        """How long players' lines are, each measured every few seconds (`web.sockets.pings`)."""
        self.lag_credit_seconds = self._distribution("lag_credit_seconds", "Lag credit of answers.", _CREDIT_S)
        """What committed answers were credited for a slow line."""
        self.answers_too_fast = self._count("answers_too_fast", "Answers that came sooner than a person can read.")
        """A hint at scripts; each is marked in the database, and costs nobody a point."""
        self.key_fetches = self._counts("key_fetches", "Fetches of the issuer's keys, by result.", "result")
        """`ok` or `failed`; while they fail, the keys that are there stay (`web.identity.jwks`)."""
        self.tokens_ended = self._count("tokens_ended", "Connections that ended because their token did.")
        """Clients that did not refresh their tokens in time, or whose issuer let them go."""
        self.players = self._gauge("players", "Players who are connected to this process.")
        """Players, not connections: one may have several."""
        self.seekers = self._gauge("seekers", "Players of this process who look for an opponent.")
        """The queue itself is all processes' (`engine.matchmaker`)."""
        self.sessions = self._gauge("sessions", "Engine.IO sessions of this process, open or not yet cleared away.")
        """Sessions over any transport; whoever has not said who it is counts too."""

    def _count(self, name: str, documentation: str) -> Count:
        return Count(f"pairquiz_{name}", documentation, self.registry)

    def _counts(self, name: str, documentation: str, label: str) -> Counts:
        return Counts(f"pairquiz_{name}", documentation, label, self.registry)

    def _gauge(self, name: str, documentation: str) -> Gauge:
        return Gauge(f"pairquiz_{name}", documentation, registry=self.registry)

    def _distribution(self, name: str, documentation: str, bounds: tuple[float, ...]) -> Distribution:
        return Distribution(f"pairquiz_{name}", documentation, bounds, self.registry)
