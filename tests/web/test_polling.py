"""Polling sessions by plain HTTP requests, and their upgrade to a websocket."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from pairquiz_server.web.sockets import line
from tests.client import connected
from tests.conftest import Server
from tests.web.hostile import BAD
from tests.web.polling import PATIENCE_S, Poller, polling
from tests.web.stalls import text_frame
from tests.web.valkey import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATHS = pytest.mark.parametrize("path", ["/socket.io/", "/ws/"])


@PATHS
async def test_a_player_polls_through_a_match_against_one_with_a_websocket(shared_server: Server, path: str) -> None:
    async with polling(shared_server.url, path=path) as first, connected(shared_server.url, path=path) as second:
        assert (await first.event("welcome"))["user_id"].startswith("guest:")
        created = await first.ask("create_pair_quiz", {"question_count": 1})
        await second.ask("join_pair_quiz", {"session_id": created["session_id"]})
        await first.event("opponent_joined")
        await first.post(f'42["start_quiz",{{"session_id":"{created["session_id"]}"}}]')
        started = await first.event("quiz_started")
        answer = {"session_id": created["session_id"], "question_id": started["questions"][0]["id"], "answer": 1}
        await second.ask("submit_answer", answer)
        own = await first.ask("submit_answer", answer)
        assert own["ok"]
        results = await first.event("quiz_results")
        assert results["your_score"] == own["score"]


@PATHS
async def test_a_guest_comes_back_to_a_polling_session_by_its_token(shared_server: Server, path: str) -> None:
    async with connected(shared_server.url) as client, polling(shared_server.url, token=client.token, path=path) as one:
        assert (await one.event("welcome"))["user_id"] == client.user_id
        await client.ask("create_pair_quiz")
        await one.event("quiz_created")


async def test_twenty_packets_in_one_post_are_all_answered_in_order(shared_server: Server) -> None:
    async with polling(shared_server.url) as client:
        assert (await client.post(*(f'42{number}["sync_clock",{{}}]' for number in range(20)))).status == 200
        for number in range(20):
            await client.next_packet(f'43{number}[{{"ok":true')


async def test_a_post_whose_body_comes_in_two_segments_is_read_whole(shared_server: Server) -> None:
    async with polling(shared_server.url) as client:
        body = b'421["sync_clock",{"client_time":17}]\x1e422["sync_clock",{"client_time":18}]'
        await post_in_two_segments(client, body, at=30)
        assert '"client_time":17' in await client.next_packet("431[")
        assert '"client_time":18' in await client.next_packet("432[")


async def post_in_two_segments(client: Poller, body: bytes, *, at: int) -> None:
    address = urlsplit(client.here)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body[:at])
    await writer.drain()
    await client.ask("sync_clock")  # by now the server has read the first segment
    writer.write(body[at:])
    assert b" 200 " in await asyncio.wait_for(reader.readline(), PATIENCE_S)
    writer.close()
    await writer.wait_closed()


BAD_PACKETS = {
    **BAD,
    "probe": "2probe",
    "upgrade": "5",
    "no UTF-8": b"4\xff\xfe",
    "no UTF-8 at all": b"\xff",
}


@pytest.mark.parametrize("bad", BAD_PACKETS.values(), ids=BAD_PACKETS.keys())
async def test_bad_packets_in_a_post_are_borne_and_the_fifth_ends_the_session(
    shared_server: Server, bad: str | bytes
) -> None:
    async with polling(shared_server.url) as client:
        assert (await client.post(bad, '421["sync_clock",{}]', bad)).status == 200
        await client.next_packet("431[")
        assert (await client.post(bad, bad)).status == 200
        await client.ask("sync_clock")
        waiting = asyncio.create_task(client.ended())
        assert (await client.post('422["sync_clock",{}]', bad)).status in (200, 400)
        assert await waiting
        for _ in range(2):
            assert (await client.post('422["sync_clock",{}]')).status == 400
        assert not any(packet.startswith("432") for packet in client.packets)


@pytest.mark.parametrize("sid", ["", "unknown", "x" * 1000])
async def test_a_post_to_no_session_is_refused(shared_server: Server, sid: str) -> None:
    async with ClientSession() as session:
        client = Poller(session, f"{shared_server.url}/socket.io/")
        client.sid = sid
        for _ in range(6):
            assert (await client.post("x", "y")).status == 400


async def test_a_client_that_closes_its_session_may_post_no_more(shared_server: Server) -> None:
    async with polling(shared_server.url) as client:
        assert (await client.post("1", '421["sync_clock",{}]')).status == 200
        for _ in range(2):
            assert (await client.post('421["sync_clock",{}]')).status == 400


async def test_a_client_that_closes_its_session_does_not_wait_for_its_poll(shared_server: Server) -> None:
    async with polling(shared_server.url) as client:
        await client.event("welcome")
        client.packets.clear()
        (session,) = [one for one in shared_server.running.transports.sessions() if one.sid == client.sid]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.poll())
            await until(lambda: session.queue._getters)
            await client.post("41", "1")
        assert client.packets == ["6"]


@pytest.mark.parametrize("packet", ["40", '421["create_pair_quiz",{}]', "41", "431[]", "3", "1"])
async def test_what_stands_behind_a_close_in_one_post_is_not_read(shared_server: Server, packet: str) -> None:
    async with polling(shared_server.url) as client, connected(shared_server.url) as other:
        assert (await client.post("1", packet)).status in (200, 400)
        assert await client.ended()
        await other.settled()


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_post_over_the_limit_is_refused_and_ends_the_session(
    shared_server: Server, extra: int, chunked: bool
) -> None:
    async def chunks() -> object:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    async with polling(shared_server.url) as client, ClientSession() as session:
        frame = '421["sync_clock",{"x":"%s"}]'
        limit = shared_server.settings.limits.message_bytes
        body = (frame % ("x" * (limit - len(frame) + 2 + extra))).encode()
        async with session.post(client.here, data=chunks() if chunked else body) as response:
            assert response.status == (413 if extra else 200)
        if extra:
            assert await client.ended()
        else:
            await client.next_packet("431[")


async def test_a_bare_websocket_without_a_query_is_greeted_at_ws(shared_server: Server) -> None:
    async with ClientSession() as session, session.ws_connect(f"{shared_server.url}/ws/") as socket:
        opened = await socket.receive_str()
        assert opened.startswith('0{"sid":')
        await socket.send_str("40")
        assert (await socket.receive_str()).startswith("40{")
        assert (await socket.receive_str()).startswith('42["welcome",')


async def test_a_bare_request_without_a_query_polls_at_ws(shared_server: Server) -> None:
    async with ClientSession() as session, session.get(f"{shared_server.url}/ws/") as response:
        assert response.status == 200
        assert (await response.text()).startswith('0{"sid":')


@pytest.mark.parametrize(
    "query",
    ["", "?EIO=3&transport=polling", "?EIO=4&transport=smoke", "?EIO=4&transport=websocket", "?EIO=4&sid=unknown",
     "?EIO=4&transport=polling&j=x"],
)  # fmt: skip
async def test_a_handshake_that_is_none_is_refused(shared_server: Server, query: str) -> None:
    async with ClientSession() as session, session.get(f"{shared_server.url}/socket.io/{query}") as response:
        assert response.status == 400


async def test_a_websocket_handshake_without_its_key_is_refused(shared_server: Server) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    url = f"{shared_server.url}/ws/"
    async with ClientSession() as session, session.get(url, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "invalid_payload"


async def test_a_session_upgrades_and_hears_on_its_websocket_what_was_on_its_way(shared_server: Server) -> None:
    async with polling(shared_server.url) as client, ClientSession() as session:
        await client.event("welcome")
        url = client.here.replace("transport=polling", "transport=websocket")
        async with session.ws_connect(url) as socket:
            await socket.send_str("2probe")
            assert await socket.receive_str() == "3probe"
            await client.poll()
            await client.post('421["sync_clock",{}]')
            await socket.send_str("5")
            await frame_of(socket, '431[{"ok":true')
            await socket.send_str('42["create_pair_quiz",{}]')
            await frame_of(socket, '42["quiz_created"')


async def frame_of(socket: ClientWebSocketResponse, beginning: str) -> str:
    """Return the next frame that begins like this."""
    while True:
        frame = await socket.receive_str(timeout=PATIENCE_S)
        if frame.startswith(beginning):
            return frame


@pytest.mark.parametrize("probe", ["", "3", '42["sync_clock",{}]', "5"], ids=["none", "a pong", "a message", "an end"])
async def test_a_probe_that_fails_leaves_the_session_polling(shared_server: Server, probe: str) -> None:
    async with polling(shared_server.url) as client, ClientSession() as session:
        await client.event("welcome")
        url = client.here.replace("transport=polling", "transport=websocket")
        socket = await session.ws_connect(url)
        if probe:
            await socket.send_str(probe)
            assert (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is WSMsgType.CLOSE
        await socket.close()
        assert (await client.ask("create_pair_quiz"))["ok"]
        await client.event("quiz_created")
        assert "6" not in client.packets


async def test_a_silent_probe_does_not_stop_the_polls(shared_server: Server) -> None:
    async with polling(shared_server.url) as client, ClientSession() as session:
        await client.event("welcome")
        url = client.here.replace("transport=polling", "transport=websocket")
        async with session.ws_connect(url) as silent, session.ws_connect(url) as second:
            assert (await client.ask("create_pair_quiz"))["ok"]
            assert client.packets != ["6"]
            await second.send_str("2probe")
            assert await second.receive_str() == "3probe"
            await client.poll()
            await second.send_str("5")
            await second.send_str('421["sync_clock",{}]')
            await frame_of(second, "431[")
            await silent.send_str("2probe")
            assert (await asyncio.wait_for(silent.receive(), PATIENCE_S)).type is WSMsgType.CLOSE
            await second.send_str("422" + json.dumps(["sync_clock", {}]))
            await frame_of(second, "432[")


HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_a_websocket_that_is_lost_at_its_probe_does_not_stop_the_polls(shared_server: Server) -> None:
    async with polling(shared_server.url) as client, connected(shared_server.url) as other:
        await client.event("welcome")
        address = urlsplit(client.here.replace("transport=polling", "transport=websocket"))
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: server\r\n{HANDSHAKE}".encode())
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        writer.write(text_frame("2probe"))
        writer.close()  # before the probe is answered
        while client.sid in shared_server.running.transports._tried:
            await other.settled()
        assert (await client.ask("create_pair_quiz"))["ok"]
        assert len(client.packets) < 10, "a poll waits until there is something to tell"


async def test_an_upgrade_that_is_never_finished_is_given_up(
    shared_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "PROBE_TIMEOUT_S", 0.2)
    async with polling(shared_server.url) as client, ClientSession() as session:
        await client.event("welcome")
        socket = await session.ws_connect(client.here.replace("transport=polling", "transport=websocket"))
        await socket.send_str("2probe")
        assert await socket.receive_str() == "3probe"
        assert (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is WSMsgType.CLOSE
        assert (await client.ask("create_pair_quiz"))["ok"]
