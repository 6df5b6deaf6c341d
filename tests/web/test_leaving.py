"""What is left of a connection that is gone: nothing, at once, and without Python's garbage collection."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any
from weakref import ref

import pytest
from aiohttp import ClientSession, WSMsgType

from pairquiz_server.web.sockets.connections import Connection
from tests.client import PATIENCE_S, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.raw import Raw


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - memory tells nobody
            await asyncio.sleep(0.01)


def connections(*players: str) -> int:
    """Count what is in memory of these players, whoever holds it."""
    return sum(type(one) is Connection and one.player.id in players for one in gc.get_objects())


async def test_a_connection_that_is_gone_leaves_nothing_to_collect(start_server: StartServer) -> None:
    # A closed websocket is forgotten when its next ping would be due.
    server = await start_server(PAIRQUIZ_SERVER__PING_INTERVAL_S="1")
    gc.collect()
    gc.disable()
    try:
        async with connected(server.url) as first, connected(server.url) as second:
            await started_match(first, second)
            players = first.user_id, second.user_id
            assert connections(*players) == 2
            sessions = [ref(session) for session in server.running.transports.sessions()]
            assert len(sessions) == 2
            await first.close()
            second.cut()
            await until(lambda: connections(*players) == 0)
            await until(lambda: not any(session() for session in sessions))
    finally:
        gc.enable()


async def test_the_library_keeps_no_rooms_which_it_would_look_through_for_each_who_leaves(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url, token=None) as second:
        sockets: Any = server.running.transports.take.__self__  # type: ignore[attr-defined]
        assert not sockets.manager.rooms
        assert not sockets.manager.pending_connect
        assert list(sockets.environ.values()) == [None, None]
        await first.close()
        await second.close()
        await until(lambda: not sockets.environ)
    assert not sockets.manager.pending_disconnect


@pytest.mark.parametrize(
    ("header", "value"),
    [("Sec-WebSocket-Key", "short"), ("Sec-WebSocket-Version", "12"), ("Sec-WebSocket-Key", "Ünïcode")],
)
async def test_a_handshake_that_fails_leaves_no_session(server: Server, header: str, value: str) -> None:
    headers = {
        "Host": "localhost",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        header: value,
    }
    head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + "".join(
        f"{name}: {text}\r\n" for name, text in headers.items()
    )
    async with Raw(server.url) as raw:
        await raw.send(f"{head}\r\n".encode())
        status, error = await raw.error()
    assert (status, error["code"]) == (400, "invalid_payload")
    assert not server.running.transports.sessions()
    assert len(server.running.arrivals.connections) == 0


async def test_an_older_engine_is_told_what_is_wrong(server: Server) -> None:
    async with ClientSession() as session:
        answer = await session.get(
            f"{server.url}/socket.io/?EIO=3&transport=websocket",
            headers={"Connection": "Upgrade", "Upgrade": "websocket"},
        )
        assert answer.status == 400
        assert "unsupported version" in await answer.text()
    assert not server.running.transports.sessions()


async def test_who_only_says_goodbye_again_and_again_is_nobody(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__UNAUTHENTICATED_S="0.5")
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"

    async def say_goodbye(socket: Any) -> None:
        while not socket.closed:
            await socket.send_str("41")
            await asyncio.sleep(0.05)

    async with ClientSession() as session, session.ws_connect(url) as socket:
        saying = asyncio.create_task(say_goodbye(socket))
        async with asyncio.timeout(PATIENCE_S):
            while (await socket.receive()).type is WSMsgType.TEXT:
                pass
        assert socket.close_code == 1008
        await asyncio.gather(saying, return_exceptions=True)
