"""The edge of one node, each part built once: all that stands between the network and the engine."""

from collections.abc import Coroutine, Iterator

from aiohttp import web

from pairquiz_server.config import Settings
from pairquiz_server.engine.census import Census
from pairquiz_server.engine.challenges import Challenges
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.leaderboards import Leaderboards
from pairquiz_server.engine.people import People
from pairquiz_server.engine.searches import Searches
from pairquiz_server.logs import library_loggers
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol.cursors import Cursors
from pairquiz_server.web import seams
from pairquiz_server.web.admin.desk import Desk
from pairquiz_server.web.admin.operators import by_socket, by_token
from pairquiz_server.web.admin.site import admin_part, admin_site
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.gate import Gate
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.guard.origins import Origins
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.http_lines import HttpLines
from pairquiz_server.web.identity.admission import Admission
from pairquiz_server.web.identity.auth import Authenticator
from pairquiz_server.web.rest.contract import contract_routes
from pairquiz_server.web.rest.exposition import Exposition
from pairquiz_server.web.rest.me import Me
from pairquiz_server.web.rest.page import page_routes
from pairquiz_server.web.rest.records import Records
from pairquiz_server.web.rest.routes import Rest
from pairquiz_server.web.rest.visitors import Visitors
from pairquiz_server.web.site import build_site
from pairquiz_server.web.sockets.beats import Beats
from pairquiz_server.web.sockets.commands import Commands
from pairquiz_server.web.sockets.connections import Connections
from pairquiz_server.web.sockets.expiry import Expiry
from pairquiz_server.web.sockets.idle import Idle
from pairquiz_server.web.sockets.pings import Pings
from pairquiz_server.web.sockets.server import SocketServer
from pairquiz_server.web.sockets.transport import Transports


class Edge:
    """The doors of a node, and what watches over whoever comes through them."""

    def __init__(
        self,
        settings: Settings,
        game: Game,
        people: People,
        challenges: Challenges,
        searches: Searches,
        leaderboards: Leaderboards,
        cursors: Cursors,
        clock: Clock,
        health: Health,
        census: Census,
        connections: Connections,
        authenticator: Authenticator,
        metrics: Metrics,
        desk: Desk,
    ) -> None:
        self._origins = Origins(settings.allowed_origins)
        self._refusals = Refusals(metrics)
        limits = Limits(settings.limits, metrics)
        self.arrivals = Arrivals(settings, limits, self._refusals, metrics)
        self.lines = HttpLines(settings.limits, self.arrivals, self._refusals)
        self.transports = Transports(self._refusals, settings.limits, limits.pace, settings.server.ping_interval_s)
        self._pings = Pings(metrics, settings.server.measure_interval_s)
        self.transports.watch(self._pings)
        silence_s = settings.server.ping_interval_s + settings.server.ping_timeout_s
        self._beats = Beats(
            self.transports,
            self._refusals,
            silence_s=silence_s,
            stall_s=settings.limits.stall_s,
        )
        self.transports.watch(self._beats)
        self._idle = Idle(
            self.transports,
            self._refusals,
            silence_s=silence_s,
            unauthenticated_s=settings.limits.unauthenticated_s,
        )
        admission = Admission(authenticator, people, limits)
        self._expiry = Expiry(metrics)
        socketio_logger, engineio_logger = library_loggers()
        self.sockets = SocketServer(
            game,
            admission,
            Commands(game, people, challenges, searches, connections, limits, self._refusals),
            self._expiry,
            connections,
            self.transports,
            self._idle,
            self._origins,
            self._refusals,
            limits,
            self.arrivals,
            settings,
            logger=socketio_logger,
            engineio_logger=engineio_logger,
        )
        seams.install(self.sockets.eio, self.transports)
        self.transports.serve(self.sockets.take, clock.now, self.arrivals.line_lost)
        visitors = Visitors(clock, admission, limits, self.arrivals)
        exposition = Exposition(
            metrics, health, census, settings.metrics_token, proxied=settings.server.trusted_proxies > 0
        )
        self._routes = [
            *page_routes(settings),
            *contract_routes(),
            *Rest(game, people, challenges, searches, visitors, health, limits).routes(),
            *Me(people, visitors).routes(),
            *Records(people.memory, leaderboards, cursors, visitors).routes(),
            *exposition.routes(),
        ]
        self._admin_routes = desk.routes()
        self._admin_door = by_token(settings.admin_token, limits, self.arrivals)
        metrics.players.read = lambda: len(list(connections.players()))
        metrics.seekers.read = lambda: len(searches)
        metrics.seekers_age_seconds.read = lambda: searches.longest_s
        metrics.sockets.read = self.transports.by_carrier

    def site(self, drain: Drain) -> web.Application:
        """Return what listens, until `drain` closes it."""
        gate = Gate(self.transports, self._origins, self.arrivals, drain, self.sockets)
        self.lines.door = gate.take
        admin = admin_part(self._admin_routes, self._admin_door)
        return build_site(self.sockets, self._routes, admin, gate, self._origins, self._refusals, drain)

    def admin_site(self) -> web.Application:
        """Return what listens to the operator alone, on this machine."""
        return admin_site(self._admin_routes, by_socket(), self._refusals)

    def watches(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what must run, until it is cancelled, for as long as anybody is here."""
        yield self._idle.run()
        yield self.lines.run()
        yield self._pings.run()
        yield self._beats.run()
        yield self._expiry.run(self.sockets.dismiss)
