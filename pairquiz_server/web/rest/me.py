"""`/api/me/`: what people may know of themselves, be called, take with them, and have forgotten."""

import asyncio
from contextlib import aclosing

from aiohttp import hdrs, web

from pairquiz_server.engine.people import People, Profile
from pairquiz_server.protocol import payloads, reading, records
from pairquiz_server.protocol.events import Erasing
from pairquiz_server.rules.errors import Refused
from pairquiz_server.web.guard.limits import ABOUT_ONESELF
from pairquiz_server.web.rest.compressing import takes_gzip
from pairquiz_server.web.rest.routes import Route, by_contract, json_answer, json_body
from pairquiz_server.web.rest.visitors import Visitors

PIECE_S = 10.0
"""An export is given up whose next piece takes longer, because somebody else may wait for its place: a reader that
stalls."""
_ATTACHMENT = 'attachment; filename="pairquiz-export.json"'


class Me:
    """The handlers of what is somebody's own. Who is banned may still export and erase what is stored about them."""

    def __init__(self, people: People, visitors: Visitors) -> None:
        self._people = people
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """Return every route."""
        return by_contract(
            show_me=self._show,
            change_me=self._change,
            erase_me=self._erase,
            export_me=self._export,
        )

    async def _show(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitors.player(request, ABOUT_ONESELF)
        return await self._profile(await self._people.profile(visitor.player))

    async def _change(self, request: web.Request) -> web.StreamResponse:
        visitor = await self._visitors.player(request, ABOUT_ONESELF)
        payload = reading.parse(payloads.SetProfile, await json_body(request))
        changed = await self._people.set_profile(
            visitor.player, display_name=payload.display_name, record_runs=payload.record_runs
        )
        return await self._profile(changed)

    async def _profile(self, own: Profile) -> web.StreamResponse:
        return json_answer(records.profile(own, await self._people.memory.record(own.user_id)))

    async def _erase(self, request: web.Request) -> web.StreamResponse:
        owner = await self._visitors.owner(request, ABOUT_ONESELF)
        await self._people.erase(owner.player.id)
        return json_answer(Erasing("erasing"), 202)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        owner = await self._visitors.owner(request, ABOUT_ONESELF)
        async with aclosing(self._people.export(owner.player.id)) as pieces:
            first = await anext(pieces)  # what may be refused is refused before anything is sent
            response = web.StreamResponse(headers={"Content-Disposition": _ATTACHMENT, hdrs.VARY: hdrs.ACCEPT_ENCODING})
            response.content_type = "application/json"
            if request.method != "HEAD" and takes_gzip(request):  # aiohttp would end a HEAD with an empty archive
                response.enable_compression(web.ContentCoding.gzip)
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            try:
                async with asyncio.timeout(PIECE_S) as limit:
                    await response.write(first)
                    async for piece in pieces:
                        limit.reschedule(asyncio.get_running_loop().time() + PIECE_S)
                        await response.write(piece)
                    await response.write_eof()
            except (Refused, TimeoutError, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()  # half an export must not look like a whole one
        return response
