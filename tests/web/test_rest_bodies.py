"""Bodies of every kind: taken, refused, or broken off."""

import asyncio

import pytest

from tests.client import Client
from tests.web.rest import CREATE, Rest

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "invalid_payload"),
        (b"{}x", {}, 400, "invalid_payload"),
        (b"[]", {}, 400, "invalid_payload"),
        (b'"x"', {}, 400, "invalid_payload"),
        (b"NaN", {}, 400, "invalid_payload"),
        (b"[" * 30_000, {}, 400, "invalid_payload"),
        (b'{"x":' + b"[" * 30_000, {}, 400, "invalid_payload"),
        (b'{"topic":"\xff"}', {}, 400, "invalid_payload"),
        (b"\xff", {}, 400, "invalid_payload"),
        (b'{"topic":"\\ud800"}', {}, 400, "invalid_payload"),
        (b'{"topic":7}', {}, 400, "invalid_payload"),
        (b'{"topic":"a\\u0000b"}', {}, 400, "invalid_payload"),
        (b'{"topic":"General"}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"topic=General", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (b"{}", {"Content-Type": "nonsense"}, 415, "unsupported_media_type"),
        (b'{"x":"' + b"x" * 65536 + b'"}', {}, 413, "payload_too_large"),
        (b"x" * 300_000, {}, 413, "payload_too_large"),
        (b"{}", {"Content-Encoding": "gzip"}, 400, "invalid_payload"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_cannot_be_taken_is_refused(
    rest: Rest, player: Client, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    await rest.refused(status, code, "POST", CREATE, token=player.token, body=body, headers=headers)
    assert await player.settled() == []


CUT_BODIES = {
    "shorter than it says": b"Content-Length: 100\r\n\r\n{}",
    "a chunk without a size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "chunks without an end": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "gzip without an end": b"Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b{}",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a header without a colon": b"nonsense\r\n\r\n",
    "a huge header": b"X: " + b"x" * 20_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("body", CUT_BODIES.values(), ids=CUT_BODIES.keys())
@pytest.mark.parametrize("path", [CREATE, "/healthz", "/socket.io/?EIO=4&sid=x"])
async def test_a_client_that_breaks_off_leaves_no_traceback(rest: Rest, player: Client, path: str, body: bytes) -> None:
    host, _, port = rest.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {player.token}\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    await player.settled()  # by now the server has read it
    writer.transport.abort()
    assert await player.settled() == []


async def test_json_with_a_charset_is_json(rest: Rest, player: Client) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    status, _ = await rest.call("POST", CREATE, token=player.token, body={}, headers=headers)
    assert status == 201
