"""The life of a node: its parts are built and started, and stopped in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from msgspec import Struct

from pairquiz_server.config import Settings
from pairquiz_server.database import prepared_database
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.heartbeat import find_time
from pairquiz_server.engine.people import People
from pairquiz_server.metrics import Metrics
from pairquiz_server.node.loop_lag import LoopLag
from pairquiz_server.node.parts import Parts
from pairquiz_server.node.shared import authenticator, open_relay
from pairquiz_server.node.tasks import Tasks
from pairquiz_server.protocol.cursors import Cursors
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.server import BAN_SECRET, CURSOR_SECRET, ServerState
from pairquiz_server.web.admin.desk import Desk
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.edge import Edge
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.http_lines import HttpLines
from pairquiz_server.web.identity.jwks import IssuerKeys
from pairquiz_server.web.sockets.connections import Connections
from pairquiz_server.web.sockets.transport import Transports

log = structlog.get_logger("pairquiz.node")

LET_GO_S = 0.5


class Running(Struct, frozen=True):
    """A server whose parts work, before it listens."""

    site: web.Application
    admin_site: web.Application
    """What listens to the operator alone, on this machine."""
    game: Game
    people: People
    database: Database
    health: Health
    drain: Drain
    transports: Transports
    arrivals: Arrivals
    lines: HttpLines
    metrics: Metrics
    failed: asyncio.Event
    """Set when a part that must never end has ended: the process is of no use any more."""


@asynccontextmanager
async def running(settings: Settings, url: str) -> AsyncIterator[Running]:
    """Yield a server that works: connected, migrated, with questions, committing and sweeping.

    Afterwards it takes no more commands, finishes those that it has, and lets go of the database.
    Raises `StorageUnavailable` and `MigrationError`.
    """
    metrics = Metrics(settings.server.region)
    async with prepared_database(settings, url, metrics) as database:
        server, tasks = ServerState(database), Tasks()
        if lax := await server.lax_settings():
            log.warning("answers_can_be_lost", settings=lax, hint="turn them on: readyz stays red until then")
        parts = await _parts(settings, database, server, tasks, metrics)
        issuer_keys = IssuerKeys(settings.auth.jwks_url, metrics) if settings.auth.jwks_url else None
        edge = Edge(
            settings,
            parts.game,
            parts.people,
            parts.challenges,
            parts.searches,
            parts.leaderboards,
            Cursors(await server.shared(CURSOR_SECRET)),
            parts.clock,
            parts.health,
            parts.census,
            parts.connections,
            await authenticator(settings, database, issuer_keys),
            metrics,
            Desk(
                parts.node,
                settings.server.region,
                parts.clock,
                parts.health,
                parts.connections,
                parts.searches,
                parts.operating,
            ),
        )
        parts.dismiss = edge.sockets.dismiss_player

        await parts.enter()
        watching = [tasks.start(work) for work in (*edge.watches(), LoopLag(metrics).run())]
        committing = tasks.start(parts.committer.run())
        agents = [tasks.start(agent.run()) for agent in parts.agents()]
        if issuer_keys:
            tasks.beside(issuer_keys.run())
        relay = parts.relay
        relaying = tasks.start(relay.run(parts.catch_up.run)) if relay else None
        drain = Drain(
            parts.health,
            parts.game,
            parts.matchmaker,
            parts.committer,
            committing,
            parts.presence,
            parts.connections,
            edge.transports,
            metrics,
        )
        try:
            yield Running(
                edge.site(drain),
                edge.admin_site(),
                parts.game,
                parts.people,
                database,
                parts.health,
                drain,
                edge.transports,
                edge.arrivals,
                edge.lines,
                metrics,
                tasks.failed,
            )
        finally:
            for agent in parts.agents():
                agent.stop()
            await drain.close()
            for task in watching:
                task.cancel()
            tasks.cancel()
            # They may still hold a connection, which is cut if it does not answer.
            await asyncio.wait({committing, *agents}, timeout=LET_GO_S)
            for task in agents:
                task.cancel()
            if relay and relaying:
                await relay.finish()
                relaying.cancel()
                await asyncio.wait({relaying})
            await edge.sockets.shutdown()


async def _parts(settings: Settings, database: Database, server: ServerState, tasks: Tasks, metrics: Metrics) -> Parts:
    clock = Clock(await find_time(Nodes(database), Matches(database)))
    connections = Connections()
    relay = await open_relay(settings, server, connections, metrics)
    return Parts(settings, database, clock, connections, relay, await server.shared(BAN_SECRET), tasks, metrics)
