"""What every answer tells a browser; errors are JSON, whoever makes them."""

import json

import pytest
from aiohttp import ClientSession

from tests.client import Client
from tests.conftest import Server
from tests.web.answered import ask, guarded, request
from tests.web.rest import CREATE, PAGE

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOCKET = "/socket.io/?EIO=4&transport="


JSON = "Content-Type: application/json"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
HANDSHAKE = request(f"GET {SOCKET}websocket", *UPGRADE)
# request → status, and the code of the error if there is one
ANSWERS = {
    "REST": (request("GET /api/topics/"), 200, None),
    "HEAD": (request("HEAD /api/topics/"), 200, None),
    "a preflight": (request("OPTIONS /api/topics", f"Origin: {PAGE}", "Access-Control-Request-Method: GET"), 200, None),
    "OPTIONS alone": (request("OPTIONS /api/topics"), 403, "forbidden"),
    "the handshake of a poll": (request(f"GET {SOCKET}polling"), 200, None),
    "the handshake of a websocket": (HANDSHAKE, 101, None),
    "a key that is no text": (HANDSHAKE.replace(b"dGhl", b"\xff"), 400, "invalid_payload"),
    "a version that is no text": (HANDSHAKE.replace(b"13", b"\xff"), 400, "invalid_payload"),
    "an unknown path": (request("GET /nothing"), 404, "not_found"),
    "a path that climbs": (request("GET /../../etc/passwd"), 404, "not_found"),
    "a path of nonsense": (request("GET /%00%ff%2e%2e"), 404, "not_found"),
    "a wrong method": (request("DELETE /api/topics/"), 405, "method_not_allowed"),
    "a trace": (request("TRACE /api/topics/"), 405, "method_not_allowed"),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 404, "not_found"),
    "another server": (request("GET http://evil.example/nothing"), 404, "not_found"),
    "OPTIONS of everything": (request("OPTIONS *"), 404, "not_found"),
    "OPTIONS of the sockets": (request("OPTIONS /socket.io/"), 400, None),
    "HEAD of the sockets": (request("HEAD /socket.io/"), 400, None),
    "HTTP/1.0": (b"GET /nothing HTTP/1.0\r\n\r\n", 404, "not_found"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "invalid_payload"),
    "HTTP/9.9": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "invalid_payload"),
    "no host": (b"GET /nothing HTTP/1.1\r\n\r\n", 400, "invalid_payload"),
    "two hosts": (request("GET /nothing", "Host: y"), 400, "invalid_payload"),
    "a websocket where none is": (request("GET /api/topics/", *UPGRADE), 200, None),
    "an upgrade to HTTP/2": (request("GET /nothing", "Connection: Upgrade", "Upgrade: h2c"), 404, "not_found"),
    "a wrong method for the sockets": (request("PUT /socket.io/"), 404, "not_found"),
    "no token": (request(f"POST {CREATE}", JSON, body=b"{}"), 401, "unauthorized"),
    "too large": (request("POST /socket.io/?EIO=4&sid=x", body=b"x" * 70_000), 413, "payload_too_large"),
    "an expectation": (request("GET /api/topics/", "Expect: 200-miracle"), 417, None),
    "an expectation of the sockets": (request(f"GET {SOCKET}polling", "Expect: x"), 417, None),
    "a method that nobody knows": (request("BREW /api/topics/"), 400, "invalid_payload"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\r\n\r\n", 400, "invalid_payload"),
    "no path": (b"GET\r\n\r\n", 400, "invalid_payload"),
    "a header without a colon": (b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400, "invalid_payload"),
    "two lengths": (request("POST /", "Content-Length: 1", "Content-Length: 2"), 400, "invalid_payload"),
    "two bodies": (request("POST /", "Content-Length: 1", "Transfer-Encoding: chunked"), 400, "invalid_payload"),
    "a long header": (request("GET /", "X: " + "x" * 20_000), 431, "payload_too_large"),
    "a long path": (request("GET /" + "x" * 20_000), 431, "payload_too_large"),
    "an unknown session": (request(f"GET {SOCKET}polling&sid=x"), 400, None),
    "an unknown transport": (request(f"GET {SOCKET}pigeon"), 400, None),
}  # fmt: skip


async def test_every_answer_is_guarded_and_every_error_is_json(shared_server: Server) -> None:
    for name, (sent, status, code) in ANSWERS.items():
        answer = await ask(shared_server.url, sent)
        assert answer.status == status, (name, answer)
        assert guarded(answer), (name, answer)
        kept = name in ("REST", "HEAD", "a websocket where none is")  # the topics, which are the same for everybody
        assert answer.headers["cache-control"] == ("public, max-age=60" if kept else "no-store"), (name, answer)
        if code is not None:
            assert answer.headers["content-type"].startswith("application/json"), (name, answer)
            error = json.loads(answer.body)["error"]
            assert error.keys() == {"code", "message", "retry"}
            assert error["code"] == code, (name, answer)


async def test_an_answer_with_a_token_says_it_is_for_no_cache(shared_server: Server, player: Client) -> None:
    headers = {"Authorization": f"Bearer {player.token}"}
    async with (
        ClientSession() as session,
        session.post(f"{shared_server.url}{CREATE}", json={}, headers=headers) as response,
    ):
        assert (response.status, response.headers["Cache-Control"]) == (201, "no-store")
