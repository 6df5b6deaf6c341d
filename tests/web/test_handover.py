"""Nothing of a websocket's handshake stays beside the connection."""

import asyncio
import gc
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from pairquiz_server.web.http_line import HttpLine
from pairquiz_server.web.sockets.line import Line
from tests.client import PATIENCE_S, connected
from tests.conftest import Server, StartServer
from tests.web.stalls import text_frame
from tests.web.test_arrivals import until
from tests.web.test_polling import HANDSHAKE

CONNECTIONS = 20


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(one, kinds) for one in gc.get_objects())


def lines_of(server: Server) -> int:
    """Count those of this server: some of others may still be there."""
    return sum(isinstance(one, Line) and one._transports is server.running.transports for one in gc.get_objects())


async def test_a_websocket_has_no_task_no_request_and_no_http_line(server: Server) -> None:
    tasks, http = len(asyncio.all_tasks()), alive(web.Request, HttpLine)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(server.url)) for _ in range(CONNECTIONS)]
        for client in clients:
            await client.settled()
        assert len(server.running.arrivals.lines) == CONNECTIONS
        await until(lambda: len(server.running.lines) == 0)
        await until(lambda: len(asyncio.all_tasks()) < tasks + CONNECTIONS // 2)  # some come and go
        await until(lambda: lines_of(server) == CONNECTIONS)
        await until(lambda: alive(web.Request, HttpLine) < http + CONNECTIONS // 2)  # none a connection
    await until(lambda: len(server.running.arrivals.lines) == 0)
    gc.collect()
    await until(lambda: lines_of(server) == 0)
    await until(lambda: server.running.transports.sessions() == [])


async def test_a_connection_that_ends_leaves_nothing_for_the_garbage_collection(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PING_INTERVAL_S="100")  # until then, no clock must hold it
    async with connected(server.url) as other:
        gc.collect()
        gc.disable()
        try:
            async with connected(server.url) as client:
                assert (await client.ask("sync_clock"))["ok"]
            await until(lambda: len(server.running.arrivals.lines) == 1)
            await other.ask("sync_clock")
            await until(lambda: lines_of(server) == 1)
        finally:
            gc.enable()


@pytest.mark.asyncio(loop_scope="session")
async def test_what_comes_with_the_handshake_in_one_segment_is_carried_out(shared_server: Server) -> None:
    address = urlsplit(shared_server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    path = "/socket.io/?EIO=4&transport=websocket"
    frames = ("40", '421["sync_clock",{}]', '422["sync_clock",{}]')
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: server\r\n{HANDSHAKE}".encode() + b"".join(text_frame(one) for one in frames)
    )
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        for awaited in (b'0{"sid"', b"40{", b'["welcome"', b"431[", b"432["):
            await reader.readuntil(awaited)
    writer.transport.abort()
