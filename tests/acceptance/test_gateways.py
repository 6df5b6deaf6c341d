"""Two nodes behind what deploy/ puts before them: whatever clients do, they play, over TLS."""

import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from aiohttp import ClientSession, TCPConnector
from yarl import URL

from tests.acceptance.gateways import GATEWAYS, WITH_TLS, Gateway, gateway
from tests.acceptance.player import playing
from tests.acceptance.test_duel import TRANSPORTS, answer_all
from tests.conftest import Server, StartServer
from tests.web.valkey import valkey

PROXIED = {"PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1", "PAIRQUIZ_SERVER__ALLOWED_ORIGINS": '["*"]'}
Nodes = list[Server]


@pytest.fixture
async def nodes(start_server: StartServer, tmp_path: Path) -> AsyncIterator[Nodes]:
    with valkey(tmp_path) as redis:
        yield [await start_server(REDIS_URL=redis.url, **PROXIED) for _ in range(2)]


@pytest.fixture
def wide_open_folder(open_folder: Path) -> Path:
    """For whom root has nginx's workers be."""
    folder = Path(mkdtemp(dir=open_folder))
    folder.chmod(0o777)
    return folder


@pytest.fixture(params=GATEWAYS)
async def entrance(request: pytest.FixtureRequest, nodes: Nodes, wide_open_folder: Path) -> AsyncIterator[Gateway]:
    addresses = [node.url.removeprefix("http://") for node in nodes]
    async with gateway(request.param, wide_open_folder, addresses) as started:
        yield started


async def test_two_play_through_a_gateway_by_every_transport(
    entrance: Gateway, nodes: Nodes, client_folder: Path, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(entrance.vouches))
    for transports in TRANSPORTS.values():
        async with (
            playing(client_folder, node, entrance.url, transports=transports) as first,
            playing(client_folder, node, entrance.url, transports=transports) as second,
        ):
            if len(transports) == 2:
                assert [await player.event("upgraded") for player in (first, second)] == ["websocket"] * 2
            if transports == ["websocket"]:
                assert [len(one.running.transports.sessions()) for one in nodes] == [1, 1], "each at another node"
            created = await first.ask("create_pair_quiz", {"question_count": 2})
            session = {"session_id": created["session_id"]}
            assert (await second.ask("join_pair_quiz", session))["ok"]
            await second.emit("start_quiz", session)
            started = [await player.event("quiz_started") for player in (first, second)]
            scores = [await answer_all(player, started[0], option) for option, player in enumerate((first, second))]
            assert [(await player.event("quiz_results"))["your_score"] for player in (first, second)] == scores
            assert not {"disconnect", "connect_error"} & {*first.names, *second.names}


@pytest.mark.parametrize("entrance", WITH_TLS, indirect=True)
async def test_a_gateway_shows_what_is_for_players_and_nothing_else(entrance: Gateway, nodes: Nodes) -> None:
    trusting = ssl.create_default_context(cafile=str(entrance.vouches))
    async with ClientSession(entrance.url, connector=TCPConnector(ssl=trusting)) as session:
        # As the server itself takes it: with a slash, and by any spelling.
        for path in ("/metrics", "/metrics/", "/%6Detrics"):
            async with session.get(URL(f"{entrance.url}{path}", encoded=True)) as metrics:
                assert metrics.status == 404, path
                assert "pairquiz_" not in await metrics.text()
        async with session.get("/openapi.json", headers={"Accept-Encoding": "gzip"}) as contract:
            assert (contract.status, contract.headers.get("Content-Encoding")) == (200, "gzip")
            assert contract.headers["Strict-Transport-Security"].startswith("max-age=")
        async with session.get(f"{entrance.plain_url}/pair-quiz/x?y=1", allow_redirects=False) as sent_on:
            assert sent_on.status == 308
            assert re.fullmatch(r"https://localhost(:\d+)?/pair-quiz/x\?y=1", sent_on.headers["Location"])
        for _ in nodes:
            async with session.get("/api/topics/") as topics:
                assert topics.status == 200
