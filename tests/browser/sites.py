"""Pages at an address of their own, as frontends are served that are not the server's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """Serve a folder's files, and return where."""

    async def no_icon(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    site = web.Application()
    site.router.add_get("/favicon.ico", no_icon)
    site.router.add_static("/", folder)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
