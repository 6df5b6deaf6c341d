"""Heads and bodies that are too long, too slow, or no HTTP: refused in JSON, soon, and without a traceback."""

import asyncio
import io

import pytest

from tests.client import connected
from tests.conftest import Server, StartServer
from tests.web.raw import Raw
from tests.web.rest import CREATE

SHARED = pytest.mark.asyncio(loop_scope="session")
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
FILLER = b"".join(b"X-%04d: %s\r\n" % (number, b"x" * 1000) for number in range(15))

NO_HTTP = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "nonsense": b"nonsense\r\n\r\n",
    "a header without a colon": HEAD + b"nonsense\r\n\r\n",
    "two lengths": b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a length and chunks": b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a NUL": b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@SHARED
@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP.keys())
async def test_what_is_no_http_is_answered_in_json(shared_server: Server, sent: bytes) -> None:
    async with Raw(shared_server.url) as raw:
        await raw.send(sent)
        status, error = await raw.error()
        assert (status, error["code"], error["retry"]) == (400, "invalid_payload", False)


@SHARED
async def test_an_expectation_that_nobody_knows_is_refused_in_json(shared_server: Server) -> None:
    async with Raw(shared_server.url) as raw:
        await raw.send(b"POST %s HTTP/1.1\r\nHost: x\r\nExpect: x\r\nContent-Length: 2\r\n\r\n{}" % CREATE.encode())
        status, error = await raw.error()
        assert (status, error["code"]) == (417, "invalid_payload")


@SHARED
async def test_a_websocket_that_asks_for_a_protocol_is_not_logged(shared_server: Server, log: io.StringIO) -> None:
    async with connected(shared_server.url, Sec_WebSocket_Protocol="of-my-own") as client:
        await client.settled()
    assert "of-my-own" not in log.getvalue()


@SHARED
@pytest.mark.parametrize("pieces", [1, 20])
@pytest.mark.parametrize("ends", [True, False])
async def test_a_head_over_the_limit_is_refused_whether_or_not_it_ends(
    shared_server: Server, pieces: int, ends: bool
) -> None:
    head = HEAD + FILLER + FILLER + (b"\r\n" if ends else b"")
    assert len(head) > shared_server.settings.limits.header_bytes
    async with Raw(shared_server.url) as raw:
        size = -(-len(head) // pieces)
        for start in range(0, len(head), size):
            await raw.send(head[start : start + size])
            await asyncio.sleep(0)
        status, error = await raw.error()
        assert (status, error["code"]) == (431, "payload_too_large")
        assert "16384 bytes" in error["message"]


@SHARED
async def test_a_head_over_the_limit_behind_a_body_is_refused(shared_server: Server) -> None:
    async with Raw(shared_server.url) as raw, connected(shared_server.url) as other:
        await raw.send(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        await other.settled()  # by now the server has read it
        await raw.send(b"{}" + HEAD + FILLER + FILLER + b"\r\n")
        assert (await raw.error())[0] == 405
        assert (await raw.error())[0] == 431


@SHARED
async def test_a_head_within_the_limit_is_taken_again_and_again(shared_server: Server) -> None:
    async with Raw(shared_server.url) as raw:
        for _ in range(3):
            await raw.send(HEAD + FILLER + b"\r\n")
            assert b" 200 " in await raw.reader.readuntil(b"}")


@SHARED
@pytest.mark.parametrize("head", [HEAD + b"X: %s\r\n\r\n", b"GET /healthz?%s HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_one_line_may_be_as_long_as_a_head_and_no_longer(shared_server: Server, head: bytes) -> None:
    limit = shared_server.settings.limits.header_bytes
    async with Raw(shared_server.url) as raw:
        await raw.send(head % (b"x" * (limit - 200)))
        assert b" 200 " in await raw.reader.readuntil(b"}")
        await raw.send(head % (b"x" * limit))
        status, error = await raw.error()
        assert (status, error["code"]) == (431, "payload_too_large")


@SHARED
async def test_heads_that_wait_behind_a_poll_are_few(shared_server: Server) -> None:
    async with Raw(shared_server.url) as raw:
        await raw.send(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
        opened = await raw.reader.readuntil(b"}")
        sid = opened.partition(b'"sid":"')[2].partition(b'"')[0]
        poll = b"GET /socket.io/?EIO=4&transport=polling&sid=" + sid + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        await raw.send(poll + (HEAD + b"\r\n") * 100)
        await raw.send((HEAD + b"\r\n") * 100)
        async with connected(shared_server.url) as last:
            await last.settled()
        (line,) = [
            line for line in shared_server.running.lines if line.peername == raw.writer.get_extra_info("sockname")
        ]
        assert len(line._messages) <= 32


async def test_what_comes_too_slowly_ends_and_what_is_idle_too(start_server: StartServer, log: io.StringIO) -> None:
    server = await start_server(
        PAIRQUIZ_LIMITS__FIRST_REQUEST_S="0.5", PAIRQUIZ_LIMITS__REST_BODY_S="0.5", PAIRQUIZ_LIMITS__KEEPALIVE_S="1"
    )
    async with connected(server.url) as player:
        token = player.token.encode()

        async def silent() -> None:
            async with Raw(server.url) as raw:
                assert await raw.ended() == b""

        async def slow_head() -> None:
            async with Raw(server.url) as raw:
                dripping = asyncio.create_task(raw.drip(HEAD + b"X-Slow: " + b"x" * 3000))
                status, error = await raw.error()
                assert (status, error["code"]) == (408, "too_slow")
                await dripping

        async def slow_second_head() -> None:
            async with Raw(server.url) as raw:
                await raw.send(HEAD + b"\r\n")
                assert b" 200 " in await raw.reader.readuntil(b"}")
                dripping = asyncio.create_task(raw.drip(HEAD + b"X-Slow: " + b"x" * 3000))
                status, _ = await raw.error()
                assert status == 408
                await dripping

        async def slow_body(path: str, length: bytes, status: int) -> None:
            async with Raw(server.url) as raw:
                await raw.send(
                    b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % path.encode()
                    + b"Authorization: Bearer %s\r\n%s\r\n\r\n" % (token, length)
                )
                dripping = asyncio.create_task(raw.drip(b"1\r\n{\r\n" + b"1\r\n \r\n" * 1000))
                answer = await raw.ended()
                assert answer.startswith(b"HTTP/1.1 %d " % status), answer
                await dripping

        async def endless_trailers() -> None:
            async with Raw(server.url) as raw:
                head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % CREATE.encode()
                await raw.send(head + b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % token)
                await raw.send(b"2\r\n{}\r\n0\r\n" + (b"X-T: " + b"x" * 8000 + b"\r\n") * 100 + b"\r\n")
                assert (await raw.error())[0] == 408

        async def idle() -> None:
            async with Raw(server.url) as raw:
                await raw.send(HEAD + b"\r\n")
                answer = await raw.ended()
                assert answer.startswith(b"HTTP/1.1 200 ")

        chunked, sized = b"Transfer-Encoding: chunked", b"Content-Length: 60000"
        await asyncio.gather(
            silent(), slow_head(), slow_second_head(), idle(), endless_trailers(),
            slow_body(CREATE, chunked, 408), slow_body(CREATE, sized, 408),
            slow_body("/healthz", sized, 405), slow_body("/nothing", chunked, 404),
            slow_body("/socket.io/?EIO=4&transport=polling&sid=x", sized, 408),
        )  # fmt: skip
        await player.settled()
    assert "request_failed" not in log.getvalue()
