"""Who may come in: connections and TCP lines by address and in all, and that every place is given back."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from yarl import URL

from tests.client import PATIENCE_S, connected
from tests.conftest import Server, StartServer
from tests.web.polling import polling
from tests.web.test_absence import QUICK_PINGS
from tests.web.test_exposition import TOKEN, sample
from tests.web.test_limits import BEHIND_A_PROXY, HERE, THERE, limited, limits, seen_from

POLL = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = POLL.replace("polling", "websocket")


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what no event tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def turned_away(url: str, address: str) -> tuple[int, str]:
    """Return the status of a websocket's handshake, and the code that a poll hears."""
    async with ClientSession() as session:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(url + WEBSOCKET, headers=seen_from(address))
        async with session.get(url + POLL, headers=seen_from(address)) as response:
            error = (await response.json())["error"]
            assert response.status == refused.value.status
            assert error["retry"] is True
            assert 1 <= int(response.headers["Retry-After"]) <= 60
            return response.status, error["code"]


async def test_connections_are_limited_by_address_and_in_all(start_server: StartServer) -> None:
    server = await start_server(**BEHIND_A_PROXY, **limits(connections=4, connections_per_address=2))
    network = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1::3"]
    async with AsyncExitStack() as here:
        first = await here.enter_async_context(connected(server.url, X_Forwarded_For=network[0]))
        async with polling(server.url) as poller:  # by the proxy's own address
            await poller.event("welcome")
            await here.enter_async_context(connected(server.url, X_Forwarded_For=network[1]))
            assert await turned_away(server.url, network[2]) == (429, "too_many_connections")
            await here.enter_async_context(connected(server.url, X_Forwarded_For=HERE))
            assert await turned_away(server.url, THERE) == (503, "server_full")
            assert (await first.ask("sync_clock"))["ok"], "who is here already stays"
            await poller.post("1")
        await until(lambda: len(server.running.arrivals.connections) == 3)
        await here.enter_async_context(connected(server.url, X_Forwarded_For=THERE))
        await first.close()
        await until(lambda: len(server.running.arrivals.connections) == 3)
        await here.enter_async_context(connected(server.url, X_Forwarded_For=network[2]))
        assert await sample(server.url, "pairquiz_connections") == 4
    for limit in ("connections_per_address", "connections"):
        assert await limited(server.url, limit) == 2


async def test_arrivals_are_limited_by_address(start_server: StartServer) -> None:
    server = await start_server(**BEHIND_A_PROXY, **limits(arrivals_per_minute_per_address=3))
    for _ in range(3):
        async with connected(server.url, X_Forwarded_For=HERE):
            pass
    assert await turned_away(server.url, HERE) == (429, "too_many_connections")
    async with connected(server.url, X_Forwarded_For=THERE):
        assert await limited(server.url, "arrivals_per_minute_per_address") == 2


@pytest.mark.parametrize("valid", [True, False])
async def test_to_connect_again_on_the_same_line_is_an_arrival(start_server: StartServer, valid: bool) -> None:
    server = await start_server(**limits(arrivals_per_minute_per_address=4))
    async with connected(server.url) as client:
        auth = json.dumps({"token": client.token if valid else "x"})
        for _ in range(3):
            await client.send_frame("41")
            await client.send_frame("40" + auth)
            await client.event("welcome" if valid else "connect_error")
        await client.send_frame("41")
        await client.send_frame("40" + auth)
        assert await client.closed() == 1013, "so that a stock client comes back"
    assert (
        server.running.metrics.registry.get_sample_value(
            "pairquiz_limited_total", {"limit": "arrivals_per_minute_per_address"}
        )
        == 1
    )


@asynccontextmanager
async def line(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP line, on which nothing is said yet."""
    address = URL(server.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def is_dropped(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        (limits(connections_per_address=2), "connections_per_address"),
        (limits(connections=2), "connections"),
        (BEHIND_A_PROXY | limits(connections=2, connections_per_address=1), "connections"),
        (limits(arrivals_per_minute_per_address=4), "arrivals_per_minute_per_address"),
    ],
    ids=["by address", "in all", "behind a proxy in all alone", "by arrival"],
)
async def test_lines_on_which_nothing_is_said_count(
    start_server: StartServer, settings: dict[str, str], limit: str
) -> None:
    server = await start_server(**settings)
    arrivals = server.running.arrivals
    async with AsyncExitStack() as here:
        lines = [await here.enter_async_context(line(server)) for _ in range(4)]
        await until(lambda: len(arrivals.lines) == 4)
        async with line(server) as (reader, _):
            assert await is_dropped(reader)
        reader, writer = lines[0]
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).split()[1] == b"200", "who is here stays"
        lines[1][1].transport.abort()
        await until(lambda: len(arrivals.lines) == 3)
        if "arrivals" not in limit:
            writer.write(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            counted = f'pairquiz_limited_total{{limit="{limit}"}} 1.0\n'.encode()
            await asyncio.wait_for(reader.readuntil(counted), PATIENCE_S)
            async with line(server) as (again, second):
                second.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert (await asyncio.wait_for(again.readline(), PATIENCE_S)).split()[1] == b"200"
    await until(lambda: len(arrivals.lines) == 0)


async def test_every_place_is_given_back_however_a_connection_ends(start_server: StartServer) -> None:
    server = await start_server(**QUICK_PINGS)
    arrivals, url = server.running.arrivals, server.url

    async def closed() -> None:
        async with connected(url) as client:
            await client.close()

    async def cut() -> None:
        async with connected(url) as client:
            client.cut()

    async def said_goodbye() -> None:
        async with connected(url) as client:
            await client.send_frame("41")
            await client.send_frame("1")

    async def sent_bad_frames() -> None:
        async with connected(url) as client:
            for _ in range(5):
                await client.send_frame("broken")
            assert await client.closed() == 1008

    async def sent_too_much() -> None:
        async with connected(url) as client:
            await client.send_frame("4" * (server.settings.limits.message_bytes + 2))
            assert await client.closed() == 1009

    async def was_silent() -> None:
        async with connected(url) as client:
            await client.silent()

    async def never_sent_connect() -> None:
        async with ClientSession() as session, session.ws_connect(url + WEBSOCKET) as socket:
            await socket.receive()

    async def had_a_wrong_token() -> None:
        async with ClientSession() as session, session.ws_connect(url + WEBSOCKET) as socket:
            await socket.send_str('40{"token":"x"}')
            await socket.receive()

    async def closed_its_poll() -> None:
        async with polling(url) as client:
            await client.post("1")

    async def left_its_poll() -> None:
        async with polling(url):
            pass

    async def upgraded() -> None:
        async with (
            polling(url) as client,
            ClientSession() as session,
            session.ws_connect(client.here.replace("polling", "websocket")) as websocket,
        ):
            await websocket.send_str("2probe")
            assert (await websocket.receive()).data == "3probe"
            await websocket.send_str("5")

    async def failed_to_upgrade() -> None:
        async with polling(url) as client, ClientSession() as session:
            async with session.ws_connect(client.here.replace("polling", "websocket")) as websocket:
                await websocket.send_str("no probe")
            await client.post("1")

    async def shook_hands_wrongly() -> None:
        for headers in ({"Upgrade": "websocket"}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
            async with ClientSession() as session, session.get(url + WEBSOCKET, headers=headers) as response:
                assert response.status >= 400

    async def reset() -> None:
        _, writer = await asyncio.open_connection(URL(url).host, URL(url).port)
        writer.write(f"GET {WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\n".encode())
        writer.write(b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
        writer.write(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        await writer.drain()
        linger = struct.pack("ii", 1, 0)  # closing is then a reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def came_to_no_session() -> None:
        async with ClientSession() as session:
            for query in ("", "?EIO=3&transport=polling", "?EIO=4&transport=pigeon", "?EIO=4&transport=polling&sid=x"):
                async with session.get(f"{url}/socket.io/{query}") as response:
                    assert response.status == 400
            async with session.get(url + POLL + "&sid=&sid=x") as response:
                assert response.status == 400

    ends = (
        closed, cut, said_goodbye, sent_bad_frames, sent_too_much, was_silent, never_sent_connect, had_a_wrong_token,
        closed_its_poll, left_its_poll, upgraded, failed_to_upgrade, shook_hands_wrongly, reset, came_to_no_session,
    )  # fmt: skip
    most = 0
    async with connected(url) as stays:
        ending = asyncio.gather(*(end() for end in ends for _ in range(4)))
        async with asyncio.timeout(6 * PATIENCE_S):
            while not ending.done() or len(arrivals.connections) > 1 or len(arrivals.lines) > 1:
                assert (await stays.ask("sync_clock"))["ok"]
                most = max(most, len(arrivals.connections))
                await asyncio.sleep(0.05)
        await ending
        assert most > 1
        assert (arrivals.connections.addresses(), arrivals.lines.addresses()) == (1, 1)
    await until(lambda: not (len(arrivals.connections) or len(arrivals.lines)))
    assert arrivals.connections.addresses() == arrivals.lines.addresses() == 0
