"""A line that a server cuts without a word."""

import asyncio
import socket
import struct

import pytest
from aiohttp import ClientSession

from pairquiz_server.client.errors import NoServer
from pairquiz_server.loadtest.wire import Transport, Wire

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: closing it is a reset."""


@pytest.mark.parametrize("transport", Transport)
async def test_a_line_that_is_cut_without_a_word_names_the_limit_that_does_so(transport: Transport) -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        writer.close()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        async with ClientSession(f"http://{host}:{port}") as session:
            wire = Wire(session, transport, lambda _: None, lambda: None)
            with pytest.raises(NoServer, match="PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS=0"):
                await wire.open(None)
            await wire.close()
