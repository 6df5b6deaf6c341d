"""`/api/me/`: what people may know of themselves, be called, take with them, and have forgotten."""

import asyncio
from contextlib import aclosing

from aiohttp import web

from pairquiz_server.engine.people import People
from pairquiz_server.protocol import payloads, views
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.address import client_address
from pairquiz_server.web.admission import Admission, bearer_token
from pairquiz_server.web.auth import Identity
from pairquiz_server.web.rest import Route, json_answer, json_body

EXPORT_S = 60.0
"""An export that takes longer is given up, because somebody else may wait for its place: a reader that stalls."""
_ATTACHMENT = 'attachment; filename="pairquiz-export.json"'


class Me:
    """The handlers of what is somebody's own. Who is banned may still export and erase what is stored about them."""

    def __init__(self, people: People, admission: Admission, *, trusted_proxies: int) -> None:
        self._people = people
        self._admission = admission
        self._trusted_proxies = trusted_proxies

    def routes(self) -> list[Route]:
        """Return method, path without the trailing slash, and handler of every route."""
        return [
            ("GET", "/api/me", self._show),
            ("PATCH", "/api/me", self._change),
            ("DELETE", "/api/me", self._erase),
            ("GET", "/api/me/export", self._export),
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        identity = await self._admission.admit(*self._presented(request))
        return json_answer(views.profile(await self._people.profile(identity.player)))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        identity = await self._admission.admit(*self._presented(request))
        payload = payloads.parse(payloads.SetProfile, await json_body(request))
        return json_answer(views.profile(await self._people.set_profile(identity.player, payload.display_name)))

    async def _erase(self, request: web.Request) -> web.StreamResponse:
        identity = await self._owner(request)
        await self._people.erase(identity.player.id)
        return json_answer({"status": "erasing"}, 202)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        identity = await self._owner(request)
        async with aclosing(self._people.export(identity.player.id)) as pieces:
            first = await anext(pieces)  # what may be refused is refused before anything is sent
            response = web.StreamResponse(headers={"Content-Disposition": _ATTACHMENT})
            response.content_type = "application/json"
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            try:
                async with asyncio.timeout(EXPORT_S):
                    await response.write(first)
                    async for piece in pieces:
                        await response.write(piece)
                    await response.write_eof()
            except (Refused, TimeoutError, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()  # half an export must not look like a whole one
        return response

    async def _owner(self, request: web.Request) -> Identity:
        return await self._admission.prove(*self._presented(request))

    def _presented(self, request: web.Request) -> tuple[str, str]:
        token = bearer_token(request.headers.get("Authorization"))
        if token is None:
            raise Refused(Code.UNAUTHORIZED, "A token is required: send it as Authorization: Bearer TOKEN")
        return token, client_address(request, self._trusted_proxies)
