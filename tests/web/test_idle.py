"""Sessions that nobody needs: without CONNECT, silent, or never read."""

import asyncio
import json
import time

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.client import PATIENCE_S, connected
from tests.conftest import StartServer
from tests.web.polling import Poller, polling

CONNECT_S = "0.5"


async def test_a_session_that_never_gets_through_connect_is_closed(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__UNAUTHENTICATED_S=CONNECT_S)
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"

    async def close_code(*frames: str) -> int | None:
        async with ClientSession() as session, session.ws_connect(url) as socket:
            for frame in frames:
                await socket.send_str(frame)
            while (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is WSMsgType.TEXT:
                pass
            return socket.close_code

    async def polls_end() -> bool:
        async with ClientSession() as session:
            poller = Poller(session, f"{server.url}/socket.io/")
            poller.sid = json.loads((await poller.next_packet("0"))[1:])["sid"]
            return await poller.ended()

    async with connected(server.url) as player, polling(server.url) as poller:
        await poller.event("welcome")
        said_nothing, refused, disconnected, polls = await asyncio.gather(
            close_code(), close_code('40{"token":"no token"}'), close_code("40", "41"), polls_end()
        )
        assert (said_nothing, refused, disconnected, polls) == (1008, 1008, 1008, True)
        await player.settled()
        await poller.ask("sync_clock")
    counted = server.running.metrics.registry.get_sample_value("pairquiz_refusals_total", {"code": "no_connect"})
    assert counted == 4


async def test_a_step_of_the_wall_clock_ends_no_session(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PING_INTERVAL_S="1")
    async with connected(server.url) as player, polling(server.url) as poller:
        while (await player.socket.receive_str(timeout=PATIENCE_S)) != "2":
            pass
        await poller.next_packet("2")
        (session,) = [one for one in server.running.transports.sessions() if one.sid == poller.sid]
        wall = time.time
        monkeypatch.setattr(time, "time", lambda: wall() + 3600)
        assert session.last_ping is not None
        assert await session.check_ping_timeout()
        await player.settled()
        await poller.ask("sync_clock")
        monkeypatch.undo()


async def test_a_polling_session_that_only_posts_is_ended(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PING_INTERVAL_S="1", PAIRQUIZ_SERVER__PING_TIMEOUT_S="1")
    async with polling(server.url) as silent, polling(server.url) as lives:
        await silent.event("welcome")
        await lives.event("welcome")
        async with asyncio.timeout(PATIENCE_S):
            while (await silent.post("3")).status == 200:
                await lives.next_packet("2")
                await lives.post("3")
        assert (await lives.ask("sync_clock"))["ok"]
