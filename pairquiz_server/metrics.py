"""What one process counts and measures, in a registry of its own: several servers in one process never mix.

Every metric is an attribute with its docstring. What a label may be is always a closed set of ours, never a client's
text, so that no client can make the registry grow. What begins with `pairquiz_database_` is looked up in the database,
and so the same at every node: of those the largest counts, of all others the sum.
"""

import platform

from prometheus_client import CollectorRegistry, GCCollector, Info, ProcessCollector

from pairquiz_server import __version__
from pairquiz_server.counting import Count, Counts, Distribution, Distributions, Level, Levels
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.errors import Code
from pairquiz_server.rules.events import EndReason

_WAIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
_QUERY_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1.5)
"""Few, since there are so many queries; the last is the time in which a read is given up."""
_TRIP_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0)
_CREDIT_S = (0.0, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """The metrics of one process. Built once, and handed to whoever counts."""

    def __init__(self, region: str = "") -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = Info("pairquiz_build", "What runs here, and where.", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version(), "region": region})

        # The process.
        self.loop_lag_seconds = self._distribution("loop_lag_seconds", "How late timers of the loop fire.", _WAIT_S)
        """What everything else waits for, too: looked at four times a second (`node.loop_lag`)."""
        self.loop_lag_max_seconds = self._level(
            "loop_lag_max_seconds", "The latest timer of the last minute, or of up to two."
        )
        """One long stop, which the distribution shows as one among many."""
        self.ready = self._levels("ready", "The checks of readyz: 1 where one holds, else 0.", "check")
        """With all of them readyz is green (`engine.health`)."""
        self.draining = self._level("draining", "1 while the server stops, else 0.")
        """It takes no new sessions and no new matches."""
        self.drain_steps = self._counts("drain_steps", "Steps of a server that stops, by outcome.", "outcome")
        """`done`, `late` (it went on at the step's deadline) or `failed`."""

        # Sockets, and what carries them.
        self.sockets = self._levels("sockets", "Engine.IO sessions, by what carries them.", "transport")
        """Sessions that are open or not yet cleared away; whoever has not said who it is counts too."""
        self.connections = self._level("connections", "Places for connections that are taken.")
        """Those of Socket.IO, whatever their transport, and handshakes that are being answered."""
        self.connections_limit = self._level("connections_limit", "Places for connections: limits.connections.")
        """Where there is no limit, there is no sample."""
        self.lines = self._level("lines", "TCP lines, whatever is said on them.")
        """With idle ones, and those of REST and of polls."""
        self.players = self._level("players", "Players who are connected to this process.")
        """Players, not connections: one may have several."""
        self.round_trip_seconds = self._distribution("round_trip_seconds", "Round trips of websockets.", _TRIP_S)
        """How long players' lines are, each measured every few seconds (`web.sockets.pings`)."""
        self.key_fetches = self._counts("key_fetches", "Fetches of the issuer's keys, by result.", "result")
        """`ok` or `failed`; while they fail, the keys that are there stay (`web.identity.jwks`)."""
        self.tokens_ended = self._count("tokens_ended", "Connections that ended because their token did.")
        """Clients that did not refresh their tokens in time, or whose issuer let them go."""

        # Commands.
        self.commands = self._counts("commands", "Commands that arrived, by name.", "command")
        """What players ask for over sockets and REST; what has no row in COMMANDS is `unknown`."""
        self.refusals = self._counts("refusals", "Refusals and cut connections, by code.", "code")
        """What was refused. Counted by `web.guard.refusals` alone."""
        self.limited = self._counts("limited", "What a limit has stopped, by limit.", "limit")
        """Which of the settings [limits] was reached, and how often; also in `refusals`, by code."""
        self.queued_commands = self._level("queued_commands", "Commands that wait for the next batch.")
        """How deep the committer's queue is."""
        self.queued_commands_age_seconds = self._level(
            "queued_commands_age_seconds", "How long the oldest command has waited that is not settled."
        )
        """Nobody waits longer than 3 s (`engine.waiting`)."""
        self.command_seconds = self._distribution(
            "command_seconds", "From a command's way into the queue until it is committed.", _WAIT_S
        )
        """What players feel of the server, without the network and its loop."""
        self.batch_commands = self._distribution("batch_commands", "Commands in one batch.", _BATCH_SIZES)
        """How many commands share a COMMIT."""
        self.commit_seconds = self._distribution("commit_seconds", "Reading, deciding and committing a batch.", _WAIT_S)
        """How long a batch takes, from its first read until it is committed."""

        # The game, after COMMIT: counted once a deployment.
        self.match_events = self._counts("match_events", "What was committed, by kind of event.", "event")
        """Matches created, joined, started and ended, answers, absences."""
        self.answers = self._counts("answers", "Answers, by what became of them.", "outcome")
        """`right`, `wrong`, `repeated` (it stands already), or the code by which the rules have refused it."""
        self.absences = self._counts("absences", "Players who went away from a live match, by cause.", "cause")
        """As `rules.absence` knows them; who came back is in `match_events`."""
        self.matches_ended = self._counts("matches_ended", "Matches that are over, by reason.", "reason")
        """As `rules.events` knows them."""
        self.lag_credit_seconds = self._distribution("lag_credit_seconds", "Lag credit of answers.", _CREDIT_S)
        """What committed answers were credited for a slow line."""
        self.answers_too_fast = self._count("answers_too_fast", "Answers that came sooner than a person can read.")
        """A hint at scripts; each is marked in the database, and costs nobody a point."""
        self.cached_matches = self._level("cached_matches", "Live matches in memory.")
        """Nearly all of what memory is needed for, beside connections (`engine.committer`)."""
        self.seekers = self._level("seekers", "Players of this process who look for an opponent.")
        """The queue itself is all processes' (`engine.matchmaker`)."""
        self.seekers_age_seconds = self._level("seekers_age_seconds", "How long the longest search here goes on.")
        """0 where nobody looks."""
        self.catch_ups = self._count("catch_ups", "States of matches that were sent because something was missed.")
        """While Redis is away, after the database was, or when a node has died (`web.lookout`, `web.catch_up`)."""

        # The service's sign of life.
        self.heartbeat_age_seconds = self._level("heartbeat_age_seconds", "How long ago this node's last beat was.")
        """Due every half a second; after two seconds nothing is decided (`engine.heartbeat`)."""
        self.outages = self._count("outages", "Outages that this node's beat has given back to the players.")
        """Times in which nobody has beaten: counted by the one node that came first."""
        self.outage_seconds = self._count("outage_seconds", "How long those were, together.")
        """By so much the clocks of all live matches were moved."""

        # What this process asks of the database.
        self.query_seconds = self._distributions(
            "query_seconds", "Queries that were answered, by name.", "query", _QUERY_S
        )
        """By `<file>.<name>` in `sql/queries`; the wait for a connection is not in it. `other` has no name."""
        self.query_errors = self._counts("query_errors", "Queries that the database did not answer, by name.", "query")
        """Lost lines, and answers that came too late."""
        self.pool_connections = self._levels("pool_connections", "Connections for reads, by what they do.", "state")
        """`lent` or `idle`; each process has two more, for batches and for heartbeats."""
        self.pool_connections_limit = self._level("pool_connections_limit", "The most there may be: pool_max.")
        """Where all are lent, reads wait."""
        self.pool_waiting = self._level("pool_waiting", "Reads that wait for a connection.")
        """For one that is given back: all that there may be are lent."""
        self.pool_wait_seconds = self._distribution(
            "pool_wait_seconds", "How long reads waited for their turn that found no idle connection.", _WAIT_S
        )
        """Those that found one are not in it, nor is the time in which one is made."""
        self.pool_timeouts = self._count("pool_timeouts", "Reads that got no connection in time.")
        """Their players heard `storage_unavailable`."""

        # What stands in the database, for all nodes.
        self.database_matches = self._levels(
            "database_matches", "Live matches of all nodes (take the max, not the sum), by status.", "status"
        )
        """As `rules.match` knows them. All of `database_…` are counted at most every ten seconds (`engine.census`)."""
        self.database_absent_seats = self._level(
            "database_absent_seats", "Seats of live matches whose player is away, of all nodes (max, not sum)."
        )
        """Who is connected to no node."""
        self.database_seekers = self._level(
            "database_seekers", "Players in the queue for an opponent, of all nodes (max, not sum)."
        )
        """Those for whom a match is just being made are not in it."""
        self.database_seekers_age_seconds = self._level(
            "database_seekers_age_seconds", "How long the longest search goes on, of all nodes (max, not sum)."
        )
        """0 where nobody looks."""
        self.database_nodes = self._level("database_nodes", "Nodes that give a sign of life (max, not sum).")
        """By the database's word: one that cannot reach it is not in it."""
        self.database_rating_lag_seconds = self._level(
            "database_rating_lag_seconds", "How long the oldest match is over that is not rated (max, not sum)."
        )
        """0 where all are."""
        self.database_connections = self._levels(
            "database_connections", "Sessions of this database, of whoever has them (max, not sum), by state.", "state"
        )
        """As PostgreSQL knows them; behind a pooler they are the pooler's."""
        self.database_connections_limit = self._level(
            "database_connections_limit", "The most sessions that PostgreSQL takes (max, not sum)."
        )
        """Of all its databases together: `max_connections`."""
        self.database_longest_query_seconds = self._level(
            "database_longest_query_seconds", "How long the longest query goes on (max, not sum)."
        )
        """Of those in this database that we may look at."""

        # The way to the other nodes.
        self.redis_up = self._level("redis_up", "1 while this node hears itself through Redis, else 0.")
        """Where no Redis is configured, there is no sample of this, nor of the other levels below."""
        self.redis_echo_age_seconds = self._level("redis_echo_age_seconds", "How long ago it last heard itself.")
        """It says something every second; since the start, where it has never heard itself."""
        self.redis_losses = self._count("redis_losses", "Lines to Redis that broke, or could not be opened.")
        """Each ends what was to be published, and whoever has missed something is caught up."""
        self.redis_publications = self._count("redis_publications", "Publications that Redis has taken.")
        """One for all that a batch tells, and signs of life."""
        self.redis_published_bytes = self._count("redis_published_bytes", "How large those were.")
        """Without what Redis' protocol adds."""
        self.redis_received = self._count("redis_received", "Publications that came, with this node's own.")
        """Those of all nodes: what each node has to read."""
        self.redis_received_bytes = self._count("redis_received_bytes", "How large those were.")
        """Without what Redis' protocol adds."""
        self.redis_dropped_packets = self._count("redis_dropped_packets", "Packets that were not published.")
        """Because Redis was away, or too much waited for it."""
        self.redis_gaps = self._count("redis_gaps", "Publications of other nodes before which some were missed.")
        """The first one of each node counts, too. Players here are caught up."""
        self.redis_hearers = self._level("redis_hearers", "Nodes that heard the last publication, with this one.")
        """By Redis' word."""
        self.redis_waiting_bytes = self._level("redis_waiting_bytes", "What waits to be published.")
        """At most 4 MB."""

        self.refusals.begin(Code)
        self.answers.begin(("right", "wrong", "repeated"))
        self.absences.begin(Cause)
        self.matches_ended.begin(EndReason)

    def _count(self, name: str, documentation: str) -> Count:
        return Count(f"pairquiz_{name}", documentation, self.registry)

    def _counts(self, name: str, documentation: str, label: str) -> Counts:
        return Counts(f"pairquiz_{name}", documentation, label, self.registry)

    def _level(self, name: str, documentation: str) -> Level:
        return Level(f"pairquiz_{name}", documentation, self.registry)

    def _levels(self, name: str, documentation: str, label: str) -> Levels:
        return Levels(f"pairquiz_{name}", documentation, label, self.registry)

    def _distribution(self, name: str, documentation: str, bounds: tuple[float, ...]) -> Distribution:
        return Distribution(f"pairquiz_{name}", documentation, bounds, self.registry)

    def _distributions(self, name: str, documentation: str, label: str, bounds: tuple[float, ...]) -> Distributions:
        return Distributions(f"pairquiz_{name}", documentation, label, bounds, self.registry)
