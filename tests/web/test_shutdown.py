"""A server that stops: every client is told at once, and comes back by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from aiohttp import ClientConnectionResetError, web

from pairquiz_server import app, config, node
from pairquiz_server.web.runner import Runner
from tests.client import Client, connected
from tests.pace import patient
from tests.web.polling import polling

HANDLERS_MAY_TAKE_S = 60
"""So long that a connection which is not closed, but waited for, cannot be overseen."""


@asynccontextmanager
async def stopping(database_url: str) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Yield the address of a server, and what stops it as `serve` does."""
    listener = app.bind("127.0.0.1", 0)
    async with node.running(config.load(environ={}), database_url) as running:
        runner = Runner(running.site, running.lines, shutdown_timeout=HANDLERS_MAY_TAKE_S)
        await runner.setup()
        await web.SockSite(runner, listener).start()

        async def stop() -> None:
            await running.drain.run()
            await runner.cleanup()

        yield f"http://127.0.0.1:{listener.getsockname()[1]}", stop


async def test_a_server_that_stops_closes_200_sockets_with_1012_at_once(database_url: str) -> None:
    async with stopping(database_url) as (url, stop), AsyncExitStack() as clients:
        sockets = [await clients.enter_async_context(connected(url)) for _ in range(200)]
        polls = [await clients.enter_async_context(polling(url)) for _ in range(5)]
        for poll in polls:
            await poll.event("welcome")
        closing = [asyncio.create_task(client.closed()) for client in sockets]
        waiting = [asyncio.create_task(poll.next_packet("1")) for poll in polls]
        async with connected(url) as last:
            await last.settled()  # by now the server has read the polls
        began, worked = time.monotonic(), time.process_time()
        await stop()
        assert time.process_time() - worked < patient(1.5)
        assert time.monotonic() - began < patient(10)
        assert await asyncio.gather(*closing) == [1012] * 200
        assert await asyncio.gather(*waiting) == ["1"] * 5


async def test_clients_that_answer_no_close_do_not_hold_the_server_up(database_url: str) -> None:
    async with stopping(database_url) as (url, stop), AsyncExitStack() as clients:
        for _ in range(20):
            await clients.enter_async_context(connected(url))  # and never read from again
        began = time.monotonic()
        await stop()
        assert time.monotonic() - began < patient(10)


async def test_clients_that_are_sending_when_the_server_stops_read_why(database_url: str) -> None:
    """A line that is dropped while something is on its way takes the close code with it."""

    async def send_on(client: Client) -> None:
        with suppress(ClientConnectionResetError):
            while not client.socket.closed:
                await client.emit("no_such_command", {"filler": "x" * 1000})
                await asyncio.sleep(0.001)  # a pace, and no wait for anything

    async with stopping(database_url) as (url, stop), AsyncExitStack() as clients:
        players = [await clients.enter_async_context(connected(url)) for _ in range(20)]
        sending = [asyncio.create_task(send_on(player)) for player in players]
        closing = [asyncio.create_task(player.closed()) for player in players]
        await stop()
        assert await asyncio.gather(*closing) == [1012] * 20
        await asyncio.gather(*sending)
