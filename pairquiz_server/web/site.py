"""The aiohttp application: sockets, REST, a page, and who may call them."""

from collections.abc import Sequence

import aiohttp_cors
from aiohttp import web

from pairquiz_server.protocol.admin import PREFIX
from pairquiz_server.web.draining import Drain
from pairquiz_server.web.gate import SOCKET_PATHS, Gate
from pairquiz_server.web.guard.bodies import REST_BODY_MAX
from pairquiz_server.web.guard.headers import guard_answers
from pairquiz_server.web.guard.origins import Origins
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.rest.compressing import compressing
from pairquiz_server.web.rest.routes import Route, RouteHandler, error_middleware, no_such_path, wrong_method
from pairquiz_server.web.sockets.server import SocketServer

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def build_site(
    sockets: SocketServer,
    routes: Sequence[Route],
    admin: web.Application,
    gate: Gate,
    origins: Origins,
    refusals: Refusals,
    drain: Drain,
) -> web.Application:
    """Put the parts behind their paths."""
    site = web.Application(
        middlewares=[error_middleware(refusals), gate.pass_gate],
        client_max_size=REST_BODY_MAX,
    )
    for path in SOCKET_PATHS:
        sockets.attach(site, socketio_path=path)

    async def close_sockets(_: web.Application) -> None:
        await drain.close()

    site.on_shutdown.append(close_sockets)
    guard_answers(site)
    site.add_subapp(PREFIX, admin)
    _add_routes(site, routes, origins)
    return site


def _add_routes(site: web.Application, routes: Sequence[Route], origins: Origins) -> None:
    options = aiohttp_cors.ResourceOptions(allow_headers="*", allow_methods="*", max_age=600)  # type: ignore[no-untyped-call]
    cors = aiohttp_cors.setup(site, defaults=dict.fromkeys(origins.listed, options))
    table: dict[str, dict[str, RouteHandler]] = {}
    for method, path, handler in routes:
        if method == "GET":
            handler = compressing(handler)
            table.setdefault(path, {})["HEAD"] = handler
        table.setdefault(path, {})[method] = handler
    # Every path takes every method, if only to refuse it: a path or a method without a route gets no headers from
    # aiohttp-cors, and a browser then hides the answer from the page.
    for path, handlers in table.items():
        for spelling in {path, path.rstrip("/") + "/"}:
            resource = cors.add(site.router.add_resource(spelling))
            for method in METHODS:
                cors.add(resource.add_route(method, handlers.get(method, wrong_method(handlers))))
    anything = cors.add(site.router.add_resource("/{path:.*}"))
    for method in METHODS:
        cors.add(anything.add_route(method, no_such_path))
