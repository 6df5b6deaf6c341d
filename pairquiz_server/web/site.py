"""The aiohttp application: sockets, REST, and who may call them."""

from typing import Any

import aiohttp_cors
from aiohttp import web

from pairquiz_server.web.origins import Origins
from pairquiz_server.web.refusals import Refusals
from pairquiz_server.web.rest import Rest, error_middleware, no_such_path
from pairquiz_server.web.socket import SocketServer
from pairquiz_server.web.transport import ALIAS_PATH, MAIN_PATH, Transports, gate

REST_BODY_MAX = 64 * 1024


def build_site(
    sockets: SocketServer, rest: Rest, transports: Transports, origins: Origins, refusals: Refusals
) -> web.Application:
    """Put the parts behind their paths."""
    site = web.Application(
        middlewares=[error_middleware(refusals), gate(transports, origins)], client_max_size=REST_BODY_MAX
    )
    for path in (MAIN_PATH, ALIAS_PATH):
        sockets.attach(site, socketio_path=path)

    async def close_sockets(_: web.Application) -> None:
        await transports.close_all()

    site.on_shutdown.append(close_sockets)
    _add_rest(site, rest, origins)
    return site


def _add_rest(site: web.Application, rest: Rest, origins: Origins) -> None:
    options = aiohttp_cors.ResourceOptions(allow_headers="*", allow_methods="*", max_age=600)  # type: ignore[no-untyped-call]
    cors = aiohttp_cors.setup(site, defaults=dict.fromkeys(origins.listed, options))
    resources: dict[str, Any] = {}
    for method, path, handler in rest.routes():
        for spelling in (path, path + "/"):
            if spelling not in resources:
                resources[spelling] = cors.add(site.router.add_resource(spelling))
            cors.add(resources[spelling].add_route(method, handler))
    # aiohttp-cors gives no headers to a path without a route, and a browser then hides the 404 from the page.
    anything = cors.add(site.router.add_resource("/{path:.*}"))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        cors.add(anything.add_route(method, no_such_path))
