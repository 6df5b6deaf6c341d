"""Everything that can be wrong on the way to a server is found, by its name: behind a real nginx, set up wrongly."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pairquiz_server import __version__
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.outside import duel, line, look, quiet
from pairquiz_server.doctor.outside.health import look_at_readiness, look_at_version
from pairquiz_server.doctor.outside.line import certificate_found, look_at_line
from pairquiz_server.doctor.outside.pages import look_at_origin
from pairquiz_server.doctor.outside.sockets import look_at_polling, look_at_upgrade
from pairquiz_server.doctor.outside.target import Target
from tests.certificates import Authority
from tests.conftest import Server, StartServer, execute
from tests.doctor.looking import all_of, answering, outside, told
from tests.doctor.nginx import UPGRADE, nginx
from tests.ports import OwnPort

HERE = "127.0.0.1"
PAGE = "https://quiz.example"
QUICK = {"PAIRQUIZ_SERVER__PING_INTERVAL_S": "1", "PAIRQUIZ_LIMITS__KEEPALIVE_S": "5"}
"""The server's pings are waited for."""
StartProxy = Callable[..., str]
WELL = {
    "address": "ok",
    "certificate": "skipped",
    "server": "ok",
    "proxies": "ok",
    "readiness": "ok",
    "version": "ok",
    "origin: sockets": "ok",
    "origin: REST": "ok",
    "polling": "ok",
    "websocket": "ok",
    "quiet websocket": "ok",
    "quiet polling": "ok",
    "server clock": "ok",
    "duel": "ok",
    "answers": "ok",
    "session": "skipped",
}


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server(**QUICK)


@pytest.fixture
def start_proxy(tmp_path: Path) -> Iterator[StartProxy]:
    with ExitStack() as proxies:

        def start(*servers: str, **config: object) -> str:
            return proxies.enter_context(nginx(tmp_path, *servers, **config))  # type: ignore[arg-type]

        yield start


async def test_a_healthy_one_is_well_as_it_is_and_behind_a_proxy(
    server: Server, start_proxy: StartProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "LATE_MS", 60_000)  # this machine may have much else to do
    monkeypatch.setattr(duel, "SLOW_MS", 60_000)
    for url in (server.url, start_proxy(server.url)):
        assert await outside(url, origin=PAGE) == WELL


async def by(look: Callable[[Target, ClientSession], Findings], url: str) -> dict[str, str]:
    """What is found by one look."""
    async with ClientSession() as http:
        return told(await all_of(look(Target(url, PAGE), http)))


async def first(url: str) -> dict[str, str]:
    """What is found on the way, where nothing else can be tried."""
    found = await outside(url)
    return {check: fault for check, fault in found.items() if fault not in ("ok", "skipped")}


async def test_nobody_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await first("http://nobody.invalid") == {"address": "url-host-unknown"}
    with closing(OwnPort()) as port:
        assert await first(f"http://{HERE}:{port.number}") == {"address": "url-refused"}
    with monkeypatch.context() as impatient, full_port() as silent:
        impatient.setattr(line, "ANSWER_S", 0.2)
        assert await first(f"http://{HERE}:{silent}") == {"address": "url-silent"}
    monkeypatch.setattr(look, "ANSWER_S", 0.2)
    async with answering(None) as hanging:
        assert await first(f"http://{HERE}:{hanging}") == {"server": "url-silent"}


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """A port where so many wait to be let in that the kernel answers nobody else."""
    with contextlib.ExitStack() as waiting:
        listener = waiting.enter_context(socket.socket())
        listener.bind((HERE, 0))
        listener.listen(0)
        for _ in range(3):
            knocking = waiting.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"server": "location = /healthz { return 200 hello; }"}, "url-not-ours"),
        ({"server": "location = /healthz { return 301 https://quiz.example$request_uri; }"}, "url-redirects"),
        ({}, "url-no-upstream"),
    ],
)
async def test_somebody_else_is_reached(start_proxy: StartProxy, config: dict[str, str], fault: str) -> None:
    assert await first(start_proxy(**config)) == {"server": fault}


async def test_what_is_reached_speaks_no_http() -> None:
    async with answering(b"220 mail.example\r\n") as port:
        assert await first(f"http://{HERE}:{port}") == {"server": "url-not-ours"}


async def test_a_certificate_is_not_taken(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)

    async def certificate(host: str, *, expired: bool = False) -> str:
        folder = tmp_path / f"{host}{expired}"
        folder.mkdir()
        with nginx(folder, server.url, tls=authority.issue(host, expired=expired)) as url:
            return told(await all_of(look_at_line(Target(url))))["certificate"]

    assert told(await all_of(look_at_line(Target(server.url.replace("http", "https")))))["certificate"] == "url-no-tls"
    assert await certificate("untrusted.example") == "url-certificate-untrusted"
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert await certificate("another.example") == "url-certificate-hostname"
    assert await certificate(HERE, expired=True) == "url-certificate-expired"
    assert await certificate(HERE) == "url-certificate-ending"  # it holds for a day
    assert certificate_found("quiz.example", 80, "TLSv1.3").fault == ""


@pytest.mark.parametrize("name", ["database", "migrations", "durability", "redis", "draining", "gravity"])
async def test_a_server_says_what_it_lacks(server: Server, start_proxy: StartProxy, name: str) -> None:
    said = f'\'{{"status": "failed", "checks": {{"{name}": "failed"}}}}\''
    url = start_proxy(server.url, server=f"location = /readyz {{ return 503 {said}; }}")
    faults = {"gravity": "ready-other"}
    assert await by(look_at_readiness, url) == {f"readiness: {name}": faults.get(name, f"ready-{name}")}


async def test_a_server_lacks_what_it_says(database_url: str, start_server: StartServer) -> None:
    with closing(OwnPort()) as nobody:
        server = await start_server(**QUICK, REDIS_URL=f"redis://{HERE}:{nobody.number}")
        await execute(database_url, "DELETE FROM pairquiz.schema_migrations WHERE number = 15")
        assert await by(look_at_readiness, server.url) == {
            "readiness: migrations": "ready-migrations",
            "readiness: redis": "ready-redis",
        }


async def test_a_server_has_another_version_or_says_nothing_of_it(server: Server, start_proxy: StartProxy) -> None:
    said = '\'{"info": {"version": "99.0"}}\''
    assert __version__ != "99.0"
    url = start_proxy(server.url, server=f"location = /openapi.json {{ return 200 {said}; }}")
    assert await by(look_at_version, url) == {"version": "version-other"}


async def test_pages_are_blocked(start_server: StartServer) -> None:
    server = await start_server(**QUICK, PAIRQUIZ_SERVER__ALLOWED_ORIGINS='["https://another.example"]')
    found = await outside(server.url, origin=PAGE)
    assert (found["origin"], found["polling"], found["websocket"]) == ("origin-blocked", "ok", "ok")


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ("proxy_hide_header Access-Control-Allow-Origin;", "cors-stripped"),
        ("add_header Access-Control-Allow-Origin * always;", "cors-doubled"),
    ],
)
async def test_a_proxy_meddles_with_what_pages_may(
    server: Server, start_proxy: StartProxy, headers: str, fault: str
) -> None:
    url = start_proxy(server.url, location=UPGRADE + headers)
    assert await by(look_at_origin, url) == {"origin: sockets": fault, "origin: REST": fault}


async def test_a_proxy_does_not_pass_the_upgrade(server: Server, start_proxy: StartProxy) -> None:
    found = await first(start_proxy(server.url, location=""))
    assert found["websocket"] == "upgrade-not-passed"
    assert not found.keys() & {"polling", "quiet polling"}


async def test_a_proxy_refuses_websockets(server: Server, start_proxy: StartProxy) -> None:
    refusing = start_proxy(server.url, location=UPGRADE + "if ($http_upgrade) { return 403; }")
    assert await by(look_at_upgrade, refusing) == {"websocket": "websocket-refused"}


async def test_a_proxy_does_not_know_the_path(server: Server, start_proxy: StartProxy) -> None:
    assert await by(look_at_polling, start_proxy(server.url, server="location /socket.io/ { return 404; }")) == {
        "polling": "polling-refused"
    }


async def test_a_proxy_keeps_answers(server: Server, start_proxy: StartProxy) -> None:
    keeps = "proxy_cache kept; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Expires Vary;"
    assert await by(look_at_polling, start_proxy(server.url, location=UPGRADE + keeps)) == {"polling": "polling-cached"}


async def test_polling_is_sent_to_several_servers(
    server: Server, start_server: StartServer, start_proxy: StartProxy
) -> None:
    two = server.url, (await start_server(**QUICK)).url
    assert await by(look_at_polling, start_proxy(*two)) == {"polling": "polling-not-sticky"}


async def test_a_proxy_ends_what_is_quiet(start_server: StartServer, start_proxy: StartProxy) -> None:
    server = await start_server(PAIRQUIZ_SERVER__PING_INTERVAL_S="3")
    found = await first(start_proxy(server.url, location=UPGRADE + "proxy_read_timeout 1s;"))
    assert (found["quiet websocket"], found["quiet polling"]) == ("line-cut", "line-cut")


async def test_something_holds_back_what_the_server_sends(server: Server) -> None:
    async with holding_back(int(server.url.rpartition(":")[2]), 2.5) as port:
        found = await first(f"http://{HERE}:{port}")
    assert (found["quiet websocket"], found["quiet polling"]) == ("line-late", "line-late")


@asynccontextmanager
async def holding_back(port: int, seconds: float) -> AsyncIterator[int]:
    """Yield a port that leads to a server, and over which what comes after a silence comes so much later."""
    ends: set[asyncio.StreamWriter] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(HERE, port)
        ends.update((writer, back_writer))

        async def forth() -> None:
            while data := await reader.read(65536):
                back_writer.write(data)
            back_writer.close()

        async def back() -> None:
            loop = asyncio.get_running_loop()
            before = loop.time()
            while data := await back_reader.read(65536):
                if loop.time() - before > 0.5:
                    await asyncio.sleep(seconds)
                writer.write(data)
                before = loop.time()
            writer.close()

        with contextlib.suppress(OSError):
            await asyncio.gather(forth(), back())

    relay = await asyncio.start_server(carry, HERE, 0)
    try:
        yield relay.sockets[0].getsockname()[1]
    finally:
        relay.close()
        for end in ends:
            end.close()
