"""`/openapi.json` and `/asyncapi.json`: the contract that this server speaks."""

import asyncio
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec
from aiohttp import web

from pairquiz_server.contract.asyncapi import asyncapi
from pairquiz_server.contract.openapi import openapi
from pairquiz_server.web.rest.built import BuiltFile
from pairquiz_server.web.rest.codings import IDENTITY
from pairquiz_server.web.rest.compressing import GZIP, gzipped
from pairquiz_server.web.rest.giving import ASK_AGAIN, file_answer
from pairquiz_server.web.rest.routes import Route, RouteHandler, by_contract


def contract_routes() -> list[Route]:
    """Return the two routes."""
    return by_contract(openapi=_shown(openapi), asyncapi=_shown(asyncapi))


def _shown(make: Callable[[], dict[str, Any]]) -> RouteHandler:
    """Make the handler of a document, which is made when somebody first asks for it: aside, as it takes a while."""

    @cache
    def document() -> BuiltFile:
        body = msgspec.json.encode(make())
        bodies = {GZIP: gzipped(body, level=9), IDENTITY: body}
        return BuiltFile("application/json", bodies, sha256(body).hexdigest()[:32])

    async def show(request: web.Request) -> web.StreamResponse:
        return file_answer(request, await asyncio.to_thread(document), cache=ASK_AGAIN)

    return show
