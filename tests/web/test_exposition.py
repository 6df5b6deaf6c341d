"""`GET /metrics`: what is in it, and who may read it."""

import re
from collections.abc import Mapping

import pytest
from aiohttp import ClientSession

from tests.client import connected, ready_match
from tests.conftest import StartServer

TOKEN = "a token of whoever collects metrics"
AFAR = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"Origin": "https://page.example"},
]


async def exposed(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    async with ClientSession() as session, session.get(f"{url}/metrics", headers=headers) as response:
        return response.status, await response.text()


async def sample(url: str, name: str) -> float:
    """Return the value of one series, 0 where there is none yet."""
    status, text = await exposed(url, {"Authorization": f"Bearer {TOKEN}"})
    assert status == 200
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_metrics_count_what_happens_and_only_in_this_server(start_server: StartServer) -> None:
    server, other = await start_server(), await start_server()
    async with connected(server.url) as creator, connected(server.url) as joiner:
        await ready_match(creator, joiner)
        await creator.ask("no_such_command_as_this")
        assert await sample(server.url, "pairquiz_players") == 2
    async with ClientSession() as session:
        for path in ("/no/such/path", "/nor/this"):
            await session.get(server.url + path)
    for name, count in {
        'pairquiz_match_events_total{event="MatchCreated"}': 1,
        'pairquiz_match_events_total{event="PlayerJoined"}': 1,
        'pairquiz_refusals_total{code="not_found"}': 2,
        'pairquiz_refusals_total{code="unknown_command"}': 1,
        'pairquiz_commands_total{command="create_pair_quiz"}': 1,
        'pairquiz_commands_total{command="unknown"}': 1,
    }.items():
        assert (await sample(server.url, name), await sample(other.url, name)) == (count, 0), name
    assert await sample(server.url, "pairquiz_commit_seconds_count") >= 2
    _, text = await exposed(server.url)
    assert "no_such_command_as_this" not in text, "no label has a client's text"


@pytest.mark.parametrize("slash", ["", "/"])
async def test_without_a_token_metrics_are_for_this_machine_alone(start_server: StartServer, slash: str) -> None:
    server = await start_server()
    async with ClientSession() as session, session.get(f"{server.url}/metrics{slash}") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
    for headers in AFAR:
        status, text = await exposed(server.url, {**headers, "Authorization": f"Bearer {TOKEN}"})
        assert (status, "PAIRQUIZ_METRICS__TOKEN" in text) == (403, True), text


async def test_with_a_token_whoever_has_it_reads_them(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_METRICS__TOKEN=TOKEN, PAIRQUIZ_SERVER__TRUSTED_PROXIES="1")
    for headers in AFAR:
        assert (await exposed(server.url, {**headers, "Authorization": f"Bearer {TOKEN}"}))[0] == 200
        for wrong in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": TOKEN}):
            status, text = await exposed(server.url, {**headers, **wrong})
            assert (status, "pairquiz_" in text) == (401, False)
        status, _ = await exposed(server.url, {**headers, "Authorization": "Bearer wröng\udcff"})
        assert status == 401
    assert (await exposed(server.url))[0] == 401, "a proxy on this machine may add no header at all"


async def test_a_token_is_not_asked_of_this_machine_where_no_proxy_stands(start_server: StartServer) -> None:
    server = await start_server(PAIRQUIZ_METRICS__TOKEN=TOKEN)
    assert (await exposed(server.url))[0] == 200
