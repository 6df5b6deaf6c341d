"""A websocket's handshake takes a short way past aiohttp's site: it is answered there as on the long way.

The long way is that of each request on a line that had one before.
"""

import re
from typing import Any

import pytest

from pairquiz_server.web.http_line import HttpLine
from tests.client import connected
from tests.conftest import Server, StartServer
from tests.web.raw import Raw
from tests.web.test_arrivals import until

PATH = "/socket.io/?EIO=4&transport=websocket"
HEADERS = {
    "Host": "localhost",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "WebSocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Origin": "http://localhost",
}
TAKEN: list[tuple[str, dict[str, str]]] = [
    (PATH, {}),
    (PATH + "&t=1", {"Sec-WebSocket-Extensions": "permessage-deflate", "Sec-WebSocket-Protocol": "chat"}),
    ("/ws/", {}),
    ("/ws/?EIO=4", {}),
    ("http://localhost" + PATH, {}),
]
REFUSED: list[tuple[str, dict[str, str]]] = [
    (PATH, {"Origin": "null"}),
    (PATH, {"Connection": "keep-alive"}),
    (PATH, {"Upgrade": "h2c"}),
    (PATH, {"Sec-WebSocket-Version": "12"}),
    (PATH, {"Sec-WebSocket-Key": "short"}),
    (PATH, {"Sec-WebSocket-Key": "Ünïcode"}),
    (PATH, {"Expect": "a miracle"}),
    (PATH + "&EIO=4", {}),
    (PATH + "&j=0", {}),
    (PATH + "&sid=unknown", {}),
    ("/socket.io/?EIO=3&transport=websocket", {}),
    ("/socket.io/?transport=websocket", {}),
    ("/socket.io/?EIO=4&transport=smoke", {}),
    ("/ws/?EIO=3", {}),
    ("/socket.io?EIO=4&transport=websocket", {}),
    ("/api/?EIO=4&transport=websocket", {}),
]

together = pytest.mark.asyncio(loop_scope="session")


def head(path: str, headers: dict[str, str], method: str = "GET") -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**HEADERS, **headers}.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


async def answered(raw: Raw) -> tuple[str, set[str], str]:
    """Return the status line, the headers, and the body or the first frame, without what differs each time."""
    status, *lines = (await raw.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    sizes = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length")]
    body = await raw.reader.readexactly(sizes[0]) if sizes else await raw.reader.readuntil(b"}")
    return status, {line for line in lines if not line.startswith("Date")}, re.sub(r'"sid":"[^"]*"', "", str(body))


async def both_ways(server: Server, request: bytes) -> list[Any]:
    answers = []
    lines = len(server.running.arrivals.lines)
    for before in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        async with Raw(server.url) as raw:
            if before:
                await raw.send(before)
                assert (await answered(raw))[0].endswith("200 OK")
            await raw.send(request)
            answers.append(await answered(raw))
        await until(lambda: len(server.running.arrivals.lines) <= lines)  # there may be room for few
    return answers


@together
@pytest.mark.parametrize(("path", "headers"), TAKEN)
async def test_both_ways_take_the_same(shared_server: Server, path: str, headers: dict[str, str]) -> None:
    short, long = await both_ways(shared_server, head(path, headers))
    assert short == long
    assert short[0] == "HTTP/1.1 101 Switching Protocols"
    assert "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=" in short[1]


@together
@pytest.mark.parametrize(("path", "headers"), REFUSED)
async def test_both_ways_refuse_the_same(shared_server: Server, path: str, headers: dict[str, str]) -> None:
    short, long = await both_ways(shared_server, head(path, headers))
    assert short == long
    assert short[0].split()[1] in {"400", "403", "404", "417"}


@together
async def test_no_other_method_takes_it(shared_server: Server) -> None:
    short, long = await both_ways(shared_server, head(PATH, {"Content-Length": "0"}, method="POST"))
    assert short == long
    assert short[0].split()[1] == "400"


async def test_both_ways_refuse_a_foreign_origin(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_SERVER__ALLOWED_ORIGINS='["https://quiz.example"]')
    for origin, status in (("https://quiz.example", "101"), ("https://elsewhere.example", "403")):
        short, long = await both_ways(server, head(PATH, {"Origin": origin}))
        assert short == long
        assert short[0].split()[1] == status


async def test_both_ways_refuse_while_the_server_stops(server: Server) -> None:
    server.running.drain.begin()
    short, long = await both_ways(server, head(PATH, {}))
    assert short == long
    assert short[0].split()[1] == "503"


@pytest.mark.parametrize(
    ("limit", "status"),
    [("PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS", "429"), ("PAIRQUIZ_LIMITS__CONNECTIONS", "503")],
)
async def test_both_ways_refuse_where_all_places_are_taken(start_server: StartServer, limit: str, status: str) -> None:
    server = await start_server(**{limit: "1"})
    async with connected(server.url):
        short, long = await both_ways(server, head(PATH, {}))
    assert short == long
    assert short[0].split()[1] == status
    assert any(line.startswith("Retry-After") for line in short[1])
    await until(lambda: len(server.running.arrivals.connections) == 0)


async def test_new_connections_of_an_address_are_paid_for_once(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__ARRIVALS_PER_MINUTE_PER_ADDRESS="3")
    statuses = []
    for _ in range(3):
        async with Raw(server.url) as raw:
            await raw.send(head(PATH, {}))
            statuses.append((await answered(raw))[0].split()[1])
    assert statuses == ["101"] * 3


async def test_a_websocket_needs_nothing_of_aiohttp(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(line: HttpLine) -> None:
        pytest.fail("a task has begun")

    monkeypatch.setattr(HttpLine, "start", start)
    async with connected(server.url) as client:
        assert (await client.ask("sync_clock"))["ok"]


async def test_a_handshake_of_which_nothing_comes_keeps_no_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(HttpLine, "hand_over", lambda self, successor: asked.append(successor))  # the client is gone
    async with Raw(server.url) as raw:
        await raw.send(head("/ws/", {}))
        await until(lambda: bool(asked))
        assert len(server.running.arrivals.connections) == 0
    await until(lambda: len(server.running.arrivals.lines) == 0)
