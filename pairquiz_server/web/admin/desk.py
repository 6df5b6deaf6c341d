"""The handlers of the operator's routes."""

import os

from aiohttp import web

from pairquiz_server import __version__
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.searches import Searches
from pairquiz_server.protocol.admin import ADMIN_ROUTES, Node
from pairquiz_server.web.rest.routes import Route, RouteHandler, json_answer
from pairquiz_server.web.sockets.connections import Connections


class Desk:
    """Answers the operator for one process."""

    def __init__(
        self,
        node: str,
        region: str,
        clock: Clock,
        health: Health,
        connections: Connections,
        searches: Searches,
    ) -> None:
        self._node = node
        self._region = region
        self._clock = clock
        self._health = health
        self._connections = connections
        self._searches = searches
        self._started_at = clock.now()

    def routes(self) -> list[Route]:
        """Return every route."""
        return admin_routes(show_node=self._show_node)

    async def _show_node(self, request: web.Request) -> web.StreamResponse:
        return json_answer(
            Node(
                id=self._node,
                version=__version__,
                region=self._region,
                pid=os.getpid(),
                started_at=self._started_at,
                server_time=self._clock.now(),
                connections=len(self._connections),
                players=sum(1 for _ in self._connections.players()),
                seekers=len(self._searches),
                checks=await self._health.checks(),
            )
        )


def admin_routes(**handlers: RouteHandler) -> list[Route]:
    """Return the routes that the table has by these names."""
    return [(ADMIN_ROUTES[name].method, ADMIN_ROUTES[name].path, handler) for name, handler in handlers.items()]
