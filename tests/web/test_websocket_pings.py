"""Websockets below Engine.IO: PING and PONG frames of their own."""

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType

from pairquiz_server.web.sockets.transport import Websocket
from tests.client import PATIENCE_S, connected
from tests.conftest import Server
from tests.web.polling import polling

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Watcher:
    """Those that have opened since. What they are measured by hears their PONGs too: the server is everybody's."""

    def __init__(self, server: Server) -> None:
        self.open: set[Websocket] = set()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        server.running.transports.watch(self)

    def websocket_opened(self, websocket: Websocket) -> None:
        measure = websocket.on_pong
        assert measure is not None

        def heard(payload: bytes) -> None:
            self.pongs.put_nowait(payload)
            measure(payload)

        websocket.on_pong = heard
        self.open.add(websocket)

    def websocket_ended(self, websocket: Websocket) -> None:
        self.open.discard(websocket)


async def test_a_clients_ping_is_answered(shared_server: Server) -> None:
    url = f"{shared_server.url}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as session, session.ws_connect(url, autoping=False) as socket:
        await socket.receive_str()
        await socket.ping(b"are you there?")
        message = await asyncio.wait_for(socket.receive(), PATIENCE_S)
        assert (message.type, message.data) == (WSMsgType.PONG, b"are you there?")


async def test_the_servers_ping_frame_is_answered_by_the_websocket_that_it_was_sent_on(shared_server: Server) -> None:
    watcher = Watcher(shared_server)
    async with connected(shared_server.url) as client:
        (websocket,) = watcher.open
        assert websocket.carries
        websocket.ping(b"17")
        await client.settled()
        async with asyncio.timeout(PATIENCE_S):
            while await watcher.pongs.get() != b"17":
                pass  # that of a measure
        await client.close()
    async with connected(shared_server.url) as last:
        await last.settled()
        assert websocket not in watcher.open


async def test_a_websocket_carries_its_session_when_the_upgrade_is_done(shared_server: Server) -> None:
    watcher = Watcher(shared_server)
    async with polling(shared_server.url) as client, ClientSession() as session:
        await client.event("welcome")
        async with session.ws_connect(client.here.replace("=polling", "=websocket")) as socket:
            await socket.send_str("2probe")
            assert await socket.receive_str() == "3probe"
            (websocket,) = watcher.open
            assert (websocket.eio_sid, websocket.carries) == (client.sid, False)
            await client.poll()
            await socket.send_str("5")
            await socket.send_str('421["sync_clock",{}]')
            while not (await socket.receive_str()).startswith("431["):
                pass
            assert websocket.carries
