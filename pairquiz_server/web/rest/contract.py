"""`/openapi.json` and `/asyncapi.json`: the contract that this server speaks."""

import asyncio
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import ETag, web

from pairquiz_server.contract.asyncapi import asyncapi
from pairquiz_server.contract.openapi import openapi
from pairquiz_server.web.rest.routes import Route, RouteHandler, by_contract


def contract_routes() -> list[Route]:
    """Return the two routes."""
    return by_contract(openapi=_shown(openapi), asyncapi=_shown(asyncapi))


def _shown(make: Callable[[], dict[str, Any]]) -> RouteHandler:
    """Make the handler of a document, which is made when somebody first asks for it: aside, as it takes a while."""

    @cache
    def document() -> tuple[bytes, ETag]:
        body = msgspec.json.encode(make())
        return body, ETag(sha256(body).hexdigest()[:32])

    async def show(request: web.Request) -> web.StreamResponse:
        body, etag = await asyncio.to_thread(document)
        response = web.Response(content_type="application/json", headers={"Cache-Control": "no-cache"})
        response.etag = etag
        if any(known.value in (etag.value, "*") for known in request.if_none_match or ()):
            response.set_status(304)
        else:
            response.body = body
        return response

    return show
