"""Stands between players and a server, and changes what the server says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

Mend = Callable[[str], list[str]]
"""Makes of a packet to a player those that the player gets."""


class Meddler:
    """A proxy for websockets. `mend` is asked about each packet to a player; while `flowing` is not set, all wait."""

    def __init__(self, server_url: str) -> None:
        self.mend: Mend = lambda packet: [packet]
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.url = ""
        self._server_url = server_url
        self._lines: set[web.WebSocketResponse] = set()

    async def stall(self, seconds: float) -> None:
        """Hold back all that the server says for a while."""
        self.flowing.clear()
        await asyncio.sleep(seconds)
        self.flowing.set()

    async def cut(self) -> None:
        """End all connections."""
        for line in list(self._lines):
            await line.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Meddler"]:
        application = web.Application()
        application.router.add_get("/socket.io/", self._carry)
        application.router.add_get("/{path:.*}", self._pass_on)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _carry(self, request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(compress=False)
        await near.prepare(request)
        self._lines.add(near)
        async with ClientSession() as session, session.ws_connect(self._server_url + request.path_qs) as far:
            back = asyncio.create_task(self._back(far, near))
            async for message in near:
                if message.type is WSMsgType.TEXT:
                    await far.send_str(message.data)
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
        self._lines.discard(near)
        return near

    async def _pass_on(self, request: web.Request) -> web.Response:
        async with ClientSession() as session, session.get(self._server_url + request.path_qs) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    async def _back(self, far: ClientWebSocketResponse, near: web.WebSocketResponse) -> None:
        async for message in far:
            if message.type is WSMsgType.TEXT:
                await self.flowing.wait()
                for packet in self.mend(message.data):
                    await near.send_str(packet)
        await near.close()


@asynccontextmanager
async def meddling(server_url: str) -> AsyncIterator[Meddler]:
    """Start a meddler before a server."""
    async with Meddler(server_url).running() as meddler:
        yield meddler
