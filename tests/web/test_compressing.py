"""What is compressed on its way, what is not, and who may keep an answer."""

import gzip
import json
import zlib

import pytest
from aiohttp import ClientSession

from tests.client import Client, started_match
from tests.conftest import Server
from tests.web.answered import ask, request
from tests.web.rest import PAGE

pytestmark = pytest.mark.asyncio(loop_scope="session")
GZIP = "Accept-Encoding: gzip, deflate, br"
WORTH_BYTES = 1400


async def both(url: str, path: str, *headers: str) -> tuple[dict[str, str], bytes, dict[str, str], bytes]:
    """Ask as whoever takes no coding, and as a browser."""
    plain = await ask(url, request(f"GET {path}", *headers))
    packed = await ask(url, request(f"GET {path}", *headers, GZIP))
    assert (plain.status, packed.status) == (200, 200)
    assert "content-encoding" not in plain.headers
    return plain.headers, plain.body, packed.headers, packed.body


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json"])
async def test_the_contract_is_compressed_and_has_a_mark_for_each_coding(shared_server: Server, path: str) -> None:
    plain, body, packed, smaller = await both(shared_server.url, path)
    assert packed["content-encoding"] == "gzip"
    assert gzip.decompress(smaller) == body
    assert len(smaller) * 5 < len(body)
    assert "Accept-Encoding" in packed["vary"]
    assert "Accept-Encoding" in plain["vary"]
    assert plain["etag"] != packed["etag"]
    for headers, coding in ((plain, ()), (packed, (GZIP,))):
        known = await ask(shared_server.url, request(f"GET {path}", f"If-None-Match: {headers['etag']}", *coding))
        assert (known.status, known.body) == (304, b"")


async def test_a_running_match_is_compressed_and_is_for_no_cache(
    shared_server: Server, player: Client, other: Client
) -> None:
    started = await started_match(player, other, question_count=20)
    whose = f"Authorization: Bearer {player.token}"
    path = f"/api/pair-quiz/{started['session_id']}"
    _, body, packed, smaller = await both(shared_server.url, path, whose)
    assert len(body) >= WORTH_BYTES
    assert (packed["content-encoding"], packed["cache-control"]) == ("gzip", "no-store")
    assert json.loads(gzip.decompress(smaller))["session_id"] == started["session_id"]
    assert len(smaller) < len(body)
    head = await ask(shared_server.url, request(f"HEAD {path}", whose, GZIP))
    assert (head.status, head.headers["content-encoding"]) == (200, "gzip")
    refused = await ask(shared_server.url, request(f"GET {path}", whose, "Accept-Encoding: gzip;q=0, *;q=0"))
    assert "content-encoding" not in refused.headers


async def test_what_fits_one_packet_is_sent_as_it_is(shared_server: Server) -> None:
    plain, body, packed, same = await both(shared_server.url, "/healthz")
    assert len(body) < WORTH_BYTES
    assert ("content-encoding" in packed, same) == (False, body)
    assert "vary" not in plain


async def test_an_answer_to_a_command_is_never_compressed(shared_server: Server, player: Client) -> None:
    body = json.dumps({"topic": "General"}).encode()
    whose = (f"Authorization: Bearer {player.token}", "Content-Type: application/json", GZIP)
    created = await ask(shared_server.url, request("POST /api/pair-quiz/create/", *whose, body=body))
    assert created.status == 201
    assert "content-encoding" not in created.headers
    assert "join_code" in json.loads(created.body)


async def test_an_export_is_compressed_while_it_is_read(shared_server: Server, player: Client) -> None:
    headers = {"Authorization": f"Bearer {player.token}", "Accept-Encoding": "gzip"}
    async with ClientSession(auto_decompress=False) as session:
        async with session.get(f"{shared_server.url}/api/me/export", headers=headers) as export:
            assert export.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in export.headers["Vary"]
            told = json.loads(zlib.decompress(await export.read(), wbits=31))
        headers["Accept-Encoding"] = "identity"
        async with session.get(f"{shared_server.url}/api/me/export", headers=headers) as export:
            assert "Content-Encoding" not in export.headers
            assert json.loads(await export.read()).keys() == told.keys()


async def test_what_is_the_same_for_everybody_may_be_kept_for_a_while(shared_server: Server, player: Client) -> None:
    for path, seconds in (("/api/topics/", 60), ("/api/leaderboards/all", 5)):
        answer = await ask(shared_server.url, request(f"GET {path}", f"Origin: {PAGE}"))
        assert (answer.status, answer.headers["cache-control"]) == (200, f"public, max-age={seconds}")
        assert {"Authorization", "Origin"} <= set(answer.headers["vary"].replace(",", " ").split())
    own = await ask(shared_server.url, request("GET /api/leaderboards/all", f"Authorization: Bearer {player.token}"))
    assert own.headers["cache-control"] == "no-store", "somebody's own place is in it"
