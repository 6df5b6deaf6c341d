"""Frames that no stock client sends: no traceback, no harm to others, and the fifth closes the connection."""

import asyncio
import json

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.client import PATIENCE_S, Client, Closed, connected
from tests.conftest import Server
from tests.web.duel import answering, duel
from tests.web.hostile import BAD, FORGED, HUGE, READABLE, RESERVED

pytestmark = pytest.mark.asyncio(loop_scope="session")


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


@pytest.mark.parametrize("frame", READABLE.values(), ids=READABLE.keys())
async def test_a_frame_that_can_be_read_never_counts_as_a_bad_one(shared_server: Server, frame: str) -> None:
    async with connected(shared_server.url) as client:
        for _ in range(10):
            await client.send_frame(frame)
        await client.settled()


NUMBERS = [
    ("create_pair_quiz", "question_count", {}),
    ("create_pair_quiz", "time_limit", {}),
    ("submit_answer", "question_id", {"session_id": "01234567-89ab-4cde-8f01-23456789abcd", "answer": 0}),
    ("submit_answer", "answer", {"session_id": "01234567-89ab-4cde-8f01-23456789abcd", "question_id": 1}),
    ("join_pair_quiz", "session_id", {}),
    ("sync_clock", "client_time", {}),
]


async def test_a_number_that_nothing_can_hold_is_answered_as_what_it_is(player: Client) -> None:
    for command, key, rest in NUMBERS:
        for number in HUGE:
            payload = json.dumps({**rest, key: "here"}).replace('"here"', number)
            await player.send_frame(f'4277["{command}",{payload}]')
            answer = await player.acknowledged(77)
            assert answer["ok"] or answer["error"]["code"] in ("invalid_payload", "not_found"), (command, number)
            assert not answer["ok"] or command == "sync_clock", (command, number)


async def test_forged_events_are_unknown_commands_and_reach_nobody(shared_server: Server) -> None:
    async with duel(shared_server) as players:
        started = await players.start(question_count=1)
        for name in (*RESERVED, *FORGED):
            for payload in ({"session_id": started["session_id"], "your_score": 10**6}, None):
                answer = await players.first.ask(name, payload)
                assert answer["error"]["code"] == "unknown_command", name
        assert await players.settled() == ([], [], [])
        for client in (players.first, players.second):
            assert (await client.ask("submit_answer", answering(started)))["ok"]
        assert (await players.tab.event("quiz_results"))["your_score"] < 10**6


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


async def test_a_client_that_closes_its_session_is_let_go_at_once_and_may_send_no_more(shared_server: Server) -> None:
    silence_s = shared_server.settings.server.ping_interval_s
    async with connected(shared_server.url) as client, asyncio.timeout(silence_s / 2):
        await client.send_frame("1")
        await client.send_frame('42["create_pair_quiz",{}]')
        assert await client.closed() == 1000


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
