"""A server that is about to stop: what it still does, what it refuses, and what everybody hears."""

import asyncio
import base64
import io
import json
import socket
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, WSServerHandshakeError, web

from pairquiz_server import app, config, node
from pairquiz_server.store.matches import Matches
from pairquiz_server.web import draining
from pairquiz_server.web.draining import RECONNECT_FIRST_MS, reconnect_spread_ms
from pairquiz_server.web.runner import Runner
from tests.client import Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.polling import polling
from tests.web.rest import CREATE, JOIN, Rest
from tests.web.test_arrival import answer_to, held


def listening(*clients: Client) -> asyncio.Future[list[int | None]]:
    """Read on, as every client does, and tell with what each was closed."""
    return asyncio.gather(*(client.closed() for client in clients))


async def test_a_server_that_drains_takes_no_new_session_and_no_new_match(server: Server) -> None:
    async with connected(server.url) as player, ClientSession() as session:
        rest = Rest(session, server.url)
        server.running.drain.begin()
        assert (await rest.call("GET", "/healthz"))[0] == 200
        status, body = await rest.call("GET", "/readyz")
        assert (status, body["checks"]["draining"]) == (503, "failed")

        for path in ("/socket.io/?EIO=4&transport=polling", "/ws/"):
            async with session.get(server.url + path) as response:
                error = (await response.json())["error"]
            assert (response.status, error["code"], error["retry"]) == (503, "draining", True)
        for path in ("/socket.io/?EIO=4&transport=websocket", "/ws/"):
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(server.url + path)
            assert refused.value.status == 503

        answer = await player.ask("create_pair_quiz", {})
        assert (answer["error"]["code"], answer["error"]["retry"]) == ("draining", True)
        await rest.refused(503, "draining", "POST", CREATE, token=player.token)


async def test_a_match_that_there_is_goes_on_while_the_server_drains(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second, ClientSession() as session:
        created = await first.ask("create_pair_quiz", {"question_count": 2, "request_id": "mine"})
        server.running.drain.begin()
        again = await first.ask("create_pair_quiz", {"question_count": 2, "request_id": "mine"})
        assert (again["session_id"], again["duplicate"]) == (created["session_id"], True)
        ids = {"session_id": created["session_id"]}
        assert (await Rest(session, server.url).call("POST", JOIN, body=ids, token=second.token))[0] == 200
        started = await second.ask("start_quiz", ids)
        for player in (first, second):
            for place in (0, 1):
                assert (await player.ask("submit_answer", answer_to(started, place)))["ok"]
        for player in (first, second):
            assert (await player.event("quiz_results"))["reason"] == "all_answered"


async def test_a_session_that_there_is_polls_and_upgrades_while_the_server_drains(server: Server) -> None:
    async with polling(server.url) as poller, ClientSession() as session:
        await poller.event("welcome")
        server.running.drain.begin()
        assert (await poller.event("server_draining"))["reconnect_in_ms"] >= RECONNECT_FIRST_MS
        assert (await poller.ask("sync_clock", {}))["ok"]
        waiting = asyncio.create_task(poller.next_packet("6"))
        upgrade = f"{server.url}/socket.io/?EIO=4&transport=websocket&sid={poller.sid}"
        async with session.ws_connect(upgrade) as websocket:
            await websocket.send_str("2probe")
            assert await websocket.receive_str() == "3probe"
            await waiting
            await websocket.send_str("5")
            client = Client(websocket)
            assert (await client.ask("sync_clock", {}))["ok"]
            closed = listening(client)
            await server.running.drain.close()
            assert await closed == [1012]


async def test_each_connection_hears_once_when_to_come_back_whenever_it_came(server: Server) -> None:
    async with AsyncExitStack() as clients, ClientSession() as session:
        players = [await clients.enter_async_context(connected(server.url)) for _ in range(20)]
        async with session.ws_connect(f"{server.url}/ws/") as websocket:
            assert (await websocket.receive_str()).startswith("0")
            server.running.drain.begin()
            server.running.drain.begin()
            late = Client(websocket)
            await late.send_frame("40")
            assert [name for name, _ in await late.events_until("server_draining")] == ["welcome", "server_draining"]
        heard = [await player.settled() for player in players]
    assert [[name for name, _ in events] for events in heard] == [["server_draining"]] * 20
    delays = [events[0][1]["reconnect_in_ms"] for events in heard]
    assert len(set(delays)) > 10
    assert all(0 <= delay - RECONNECT_FIRST_MS < reconnect_spread_ms(20) for delay in delays)


def test_the_return_of_more_players_is_spread_over_more_time() -> None:
    spreads = [reconnect_spread_ms(connections) for connections in (0, 2, 1000, 10_000, 10**6)]
    assert spreads == [500, 504, 2500, 20_500, 30_000]


async def test_a_server_that_stops_takes_nobody_as_away(server: Server) -> None:
    """Not even a client that hangs up as soon as it hears of it."""
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        closed = listening(second)
        stopping = asyncio.create_task(server.running.drain.run())
        await first.event("server_draining")
        await first.close()
        await stopping
        assert await closed == [1012]
    match = (await Matches(server.running.database).load([started["session_id"]]))[started["session_id"]]
    assert [seat.absence for seat in match.seats] == [None, None]


async def test_commands_behind_a_database_that_hangs_are_refused_and_the_server_goes_on(
    start_server: StartServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "FINISH_S", 0.2)
    server = await start_server(PAIRQUIZ_DATABASE__COMMAND_TIMEOUT_S="60")
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        async with held(database_url, started["session_id"]):
            await first.emit("submit_answer", answer_to(started))
            await first.ask("no_such_command")
            await second.emit("submit_answer", answer_to(started))
            await second.ask("no_such_command")
            closed = listening(first, second)
            await server.running.drain.close()
        assert await closed == [1012, 1012]
        error = await second.event("error")
        assert (error["code"], error["retry"]) == ("draining", True)


async def deaf_client(url: str, token: str) -> socket.socket:
    """Connect a websocket that will never be read from, and send CONNECT."""
    loop = asyncio.get_running_loop()
    deaf = socket.socket()
    deaf.setblocking(False)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    address = urlsplit(url)
    await loop.sock_connect(deaf, (address.hostname, address.port))
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    upgrade += base64.b64encode(bytes(16)).decode()
    await loop.sock_sendall(deaf, f"GET /ws/ HTTP/1.1\r\nHost: server\r\n{upgrade}\r\n\r\n".encode())
    assert (await loop.sock_recv(deaf, 1024)).startswith(b"HTTP/1.1 101")
    await loop.sock_sendall(deaf, text_frame("40" + json.dumps({"token": token})))
    return deaf


def text_frame(text: str) -> bytes:
    """A websocket frame whose mask is zeros."""
    data = text.encode()
    return b"\x81\xfe" + len(data).to_bytes(2) + bytes(4) + data


async def test_a_client_that_reads_nothing_does_not_hold_the_server_up(database_url: str, log: io.StringIO) -> None:
    repeats = 200
    listener = app.bind("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # what it accepts has the same
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    loop = asyncio.get_running_loop()
    # Nobody else cuts it, and neither does its silence.
    patient = {f"PAIRQUIZ_LIMITS__{name}": "0" for name in ("SEND_QUEUE_BYTES", "COMMANDS_PER_S")}
    patient |= {"PAIRQUIZ_LIMITS__STALL_S": "60", "PAIRQUIZ_SERVER__PING_TIMEOUT_S": "3600"}
    async with AsyncExitStack() as stack:
        async with node.running(config.load(environ=patient), database_url) as running:
            runner = Runner(running.site, running.lines, shutdown_timeout=app.CLOSE_REQUESTS_S)
            await runner.setup()
            await web.SockSite(runner, listener).start()
            first, other = [await stack.enter_async_context(connected(url)) for _ in range(2)]
            started = await started_match(first, other, question_count=10)
            deaf = stack.enter_context(await deaf_client(url, first.token))
            resume = "42" + json.dumps(["resume_pair_quiz", {"session_id": started["session_id"]}])
            await loop.sock_sendall(deaf, text_frame(resume) * repeats)
            while log.getvalue().count('"command": "resume_pair_quiz"') < repeats:  # noqa: ASYNC110 - a log wakes nobody
                await asyncio.sleep(0.01)
            closed = listening(first, other)
            began = loop.time()
            await running.drain.run()
            await runner.cleanup()
            assert await closed == [1012, 1012]
        assert loop.time() - began < draining.GRACE_S + draining.WRITE_S + draining.CLOSE_S + 3
    late = [json.loads(line)["unfinished"] for line in log.getvalue().splitlines() if "stopping_went_on" in line]
    assert late == ["replies", "sockets"]
