"""The operator's routes as an application: beside the players' at the network's door, alone at the socket's."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from pairquiz_server.protocol.admin import PREFIX
from pairquiz_server.web.guard.bodies import REST_BODY_MAX
from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.rest.routes import Route, error_middleware


def admin_part(routes: Sequence[Route], door: Middleware) -> web.Application:
    """Return what stands below the operator's prefix, behind a door. It has no CORS: no page is let in."""
    part = web.Application(middlewares=[door])
    for method, path, handler in routes:
        for spelling in (path, path + "/"):
            part.router.add_route(method, spelling.removeprefix(PREFIX), handler)
    return part


def admin_site(routes: Sequence[Route], door: Middleware, refusals: Refusals) -> web.Application:
    """Return the site of a socket that is the operator's alone."""
    site = web.Application(middlewares=[error_middleware(refusals)], client_max_size=REST_BODY_MAX)
    site.add_subapp(PREFIX, admin_part(routes, door))
    return site
