"""Frames that no stock client sends: no traceback, no harm to others, and the fifth closes the connection."""

import asyncio
import json

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.client import PATIENCE_S, Closed, connected
from tests.conftest import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEEP = "[" * 10_000
BAD = {
    "empty": "",
    "Engine.IO open": '0{"sid":"x"}',
    "Engine.IO ping": "2",
    "Engine.IO ping with deep JSON": "2" + DEEP,
    "Engine.IO pong with deep JSON": "3" + DEEP,
    "Engine.IO noop": "6",
    "Engine.IO unknown type": "7",
    "Engine.IO base64": "bAAAA",
    "no digit": "x",
    "another script's digit": "٤2[]",
    "empty message": "4",
    "message of JSON": '4{"a":1}',
    "message of a JSON text": '4"2[\\"sync_clock\\",{}]"',
    "message of deep JSON": "4" + DEEP,
    "message of null": "4null",
    "message of NaN": "4NaN",
    "message of a number": "4-5",
    "second CONNECT": "40",
    "CONNECT of another namespace": "40/admin,",
    "DISCONNECT of another namespace": "41/admin,",
    "DISCONNECT with data": "41[]",
    "event of another namespace": '42/admin,["sync_clock",{}]',
    "event without a list": "42",
    "event with an object": '42{"a":1}',
    "event of an empty list": "42[]",
    "event whose name is a number": "42[1]",
    "event whose name is null": "42[null,{}]",
    "event, truncated": '42["sync_clock",{"client_time":',
    "event and more": '42["sync_clock",{}]x',
    "event with deep JSON": f'42["sync_clock",{DEEP}{DEEP.replace("[", "]")}]',
    "event with too many digits": f'42{"1" * 16}["sync_clock",{{}}]',
    "event with a negative ack": '42-1["sync_clock",{}]',
    "event with NaN": '42["sync_clock",NaN]',
    "CONNECT_ERROR": '44{"message":"x"}',
    "BINARY_EVENT": '451-["sync_clock",{"_placeholder":true,"num":0}]',
    "BINARY_ACK": '461-1[{"_placeholder":true,"num":0}]',
    "unknown Socket.IO type": "47[]",
    "binary": b"\x04\x00",
    "empty binary": b"",
}


@pytest.mark.parametrize("frame", BAD.values(), ids=BAD.keys())
async def test_four_bad_frames_are_borne_and_the_fifth_closes(shared_server: Server, frame: str | bytes) -> None:
    async with connected(shared_server.url) as client:
        for number in range(5):
            await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
            if number < 4:
                assert await client.settled() == []
        assert await client.closed() == 1008
    async with connected(shared_server.url, token=client.token) as back:
        assert back.user_id == client.user_id


READABLE = [
    '42["nothing such",{}]', '42["sync_clock",7]', '42["disconnect","x"]', '42["connect",{}]', '42["\\ud800",{}]',
    "43", "431[]", '439"x"', "43" + DEEP, "3",
]  # fmt: skip


@pytest.mark.parametrize("frame", READABLE, ids=lambda frame: frame[:24])
async def test_a_frame_that_can_be_read_never_counts_as_a_bad_one(shared_server: Server, frame: str) -> None:
    async with connected(shared_server.url) as client:
        for _ in range(10):
            await client.send_frame(frame)
        await client.settled()


@pytest.mark.parametrize("frame", ['42["sync_clock",{}]', '421["create_pair_quiz",{}]', "40[]", "40null", "40x", "41x"])
async def test_frames_before_connect_are_bad_ones(shared_server: Server, frame: str) -> None:
    url = f"{shared_server.url}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_str()).startswith("0{")
        for _ in range(5):
            await socket.send_str(frame)
        message = await asyncio.wait_for(socket.receive(), PATIENCE_S)
        assert (message.type, socket.close_code) == (WSMsgType.CLOSE, 1008)


async def test_bad_frames_of_one_client_do_no_harm_to_its_other_connection(shared_server: Server) -> None:
    async with (
        connected(shared_server.url) as one,
        connected(shared_server.url, token=one.token) as other,
    ):
        for _ in range(5):
            await one.send_frame("x")
        assert await one.closed() == 1008
        assert (await other.ask("create_pair_quiz"))["ok"]


async def test_a_client_that_disconnects_is_deaf_until_it_connects_anew(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        await client.send_frame("41")
        await client.send_frame('42["create_pair_quiz",{}]')
        await client.send_frame("40" + json.dumps({"token": client.token}))
        again = await client.event("welcome")
        assert again["user_id"] == client.user_id
        assert await client.settled() == []


async def test_a_client_that_closes_its_session_may_send_no_more(shared_server: Server) -> None:
    async with connected(shared_server.url) as client:
        await client.send_frame("1")
        await client.send_frame('42["create_pair_quiz",{}]')
        assert await client.closed() == 1008


@pytest.mark.parametrize("extra", [0, 1])
async def test_a_message_over_the_limit_closes_with_1009(shared_server: Server, extra: int) -> None:
    frame = '421["sync_clock",{"x":"%s"}]'
    async with connected(shared_server.url) as client:
        client._next_ack = 2
        limit = shared_server.settings.limits.message_bytes
        await client.send_frame(frame % ("x" * (limit - len(frame) + 2 + extra)))
        if extra:
            assert await client.closed() == 1009
        else:
            await client.settled()


async def test_a_client_that_vanishes_without_a_close_frame_is_forgotten(shared_server: Server) -> None:
    async with connected(shared_server.url) as stays, connected(shared_server.url, token=stays.token) as goes:
        assert goes.socket._response.connection is not None
        transport = goes.socket._response.connection.transport
        assert transport is not None
        transport.abort()
        with pytest.raises((Closed, ConnectionError)):
            await goes.settled()
        assert (await stays.ask("create_pair_quiz"))["ok"]
