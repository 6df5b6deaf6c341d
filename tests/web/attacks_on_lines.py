"""What strangers try by bytes: frames, floods, sizes, slowness. Each attack sees that it is refused."""

import asyncio
import json
import struct
import zlib
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from tests.client import PATIENCE_S
from tests.web.answered import ask
from tests.web.hostile import BAD
from tests.web.polling import Poller
from tests.web.raw import Raw
from tests.web.rest import CREATE
from tests.web.stalls import deaf
from tests.web.target import ADDRESSES_CONNECTIONS, Target, code

BOMB = zlib.compress(b" " * 5_000_000)


async def bad_frames(target: Target) -> None:
    """Frames that cannot be read, of every kind."""
    frames = list(BAD.values())
    for start in range(0, len(frames), 5):
        async with target.stranger() as client:
            for frame in (frames[start : start + 5] * 5)[:5]:
                await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
            assert await client.closed() == 1008


async def flood_of_commands(target: Target) -> None:
    """More commands than anybody needs; each is answered, and nobody is closed."""
    async with target.stranger() as client:
        for number in range(500):
            await client.send_frame(f'42{number + 1000}["sync_clock",{{}}]')
        answers = [code(await client.acknowledged(number + 1000)) for number in range(500)]
        assert set(answers) == {"", "rate_limited"}
        assert answers.count("rate_limited") > 200


async def flood_of_connections(target: Target) -> None:
    """More connections than an address may have."""
    async with AsyncExitStack() as held:
        for _ in range(ADDRESSES_CONNECTIONS):
            await held.enter_async_context(target.stranger())
        with pytest.raises(WSServerHandshakeError) as refusal:
            await held.enter_async_context(target.stranger())
        assert refusal.value.status == 429
    async with target.stranger():
        pass


async def huge_messages(target: Target) -> None:
    """Messages over the limit, in one frame and in many, and a POST."""
    for fragments in (1, 40):
        async with target.stranger() as client:
            line = client.socket._writer.transport
            assert line is not None
            for number in range(fragments):
                line.write(fragment(b"4" * (200_000 // fragments), first=number == 0, last=number == fragments - 1))
            assert await client.closed() in (1009, 1006, None)  # it may close before it has read all of it
    async with target.polls() as poller:
        assert (await poller.post("4" + "x" * 100_000)).status == 413


def fragment(data: bytes, *, first: bool, last: bool) -> bytes:
    """Make a client's frame of a text by hand; its mask is none."""
    return struct.pack("!BBQ4x", (last << 7) | first, 0x80 | 127, len(data)) + data


async def binary_frames(target: Target) -> None:
    """Binary frames, and packets that announce attachments which never come."""
    for frame in (b"\x04", '451-["submit_answer",{"_placeholder":true,"num":0}]', "4699999-1[]", "bAAAA"):
        async with target.stranger() as client:
            for _ in range(5):
                await (client.socket.send_str(frame) if isinstance(frame, str) else client.socket.send_bytes(frame))
            assert await client.closed() == 1008


async def abused_polls(target: Target) -> None:
    """Sessions that nobody has opened, more packets than a POST may have, and two polls at a time."""
    async with ClientSession(headers=target.headers) as session:
        for sid in ("x", "A" * 20, "", "%00", target.session_id):
            guess = Poller(session, f"{target.url}/socket.io/")
            guess.sid = sid
            assert (await guess.post('42["leave_pair_quiz",{}]')).status == 400, sid
    async with target.polls() as poller:
        assert (await poller.post("40")).status == 200
        await poller.event("welcome")
        await poller.post(*["3"] * 1200)
        assert await poller.ended()
    async with target.polls() as poller:
        await poller.post("1", "40", '42["create_pair_quiz",{}]')
        assert (await poller.post("40")).status == 400


async def bombs(target: Target) -> None:
    """What is small on the line and huge behind it: deep JSON, and what is compressed."""
    async with target.stranger() as client, ClientSession(headers=target.headers) as session:
        assert client.socket.compress == 0
        for deep in ("[" * 30_000, '{"a":' * 8_000):
            await client.send_frame(f'42["create_pair_quiz",{deep}')
        await client.settled()
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
        packed = {**headers, "Content-Encoding": "deflate"}
        async with session.post(target.url + CREATE, data=BOMB, headers=packed) as response:
            assert response.status in (400, 413, 415)
        async with session.post(target.url + CREATE, data=b"[" * 50_000, headers=headers) as response:
            assert response.status == 400


async def slow_heads_and_bodies(target: Target) -> None:
    """Requests that come a byte at a time (slowloris), and lines on which nothing comes."""
    lines = f"Host: x\r\nX-Forwarded-For: {target.address}\r\nContent-Type: application/json\r\n"
    whole = f"{lines}Authorization: Bearer {target.players.first.token}\r\nContent-Length: 5000\r\n\r\n"

    async def drip(path: str, head: str, rest: str) -> int:
        async with Raw(target.url) as raw:
            await raw.send(f"POST {path} HTTP/1.1\r\n{head}".encode())
            dripping = asyncio.create_task(raw.drip(rest.encode()))
            received = await raw.ended()
            await dripping
            return int(received.split()[1]) if received else 0

    async with Raw(target.url) as silent:
        statuses = await asyncio.gather(
            *(drip(path, lines, "X: " + "x" * 5000) for path in (CREATE, "/socket.io/?EIO=4&sid=x", "/")),
            *(drip(path, whole, "x" * 5000) for path in (CREATE, "/socket.io/?EIO=4&transport=polling&sid=x")),
        )
        assert statuses == [408] * 5
        assert await silent.ended() == b""


async def silent_sessions(target: Target) -> None:
    """Sessions that never say who they are, over a websocket, polls, and half an upgrade."""
    async with target.bare() as said_nothing, target.bare() as refused, target.polls() as polls:
        await refused.send_str('40{"token":"x"}')
        upgrade = f"/socket.io/?EIO=4&transport=websocket&sid={polls.sid}"
        async with ClientSession() as session, session.ws_connect(target.url + upgrade, headers=target.headers) as half:
            for socket in (said_nothing, refused, half):
                while (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is WSMsgType.TEXT:
                    pass
            assert (said_nothing.close_code, refused.close_code) == (1008, 1008)
        assert await polls.ended()


async def stalled_readers(target: Target) -> None:
    """A player who asks for much and reads nothing of it."""
    async with target.stranger() as first, target.stranger() as second:
        match = await first.ask("create_pair_quiz", {"question_count": 18, "topic": "Art"})
        await second.ask("join_pair_quiz", {"session_id": match["session_id"]})
        await second.ask("start_quiz", {"session_id": match["session_id"]})
        async with deaf(target.url, first.token) as reader:
            payload = json.dumps({"session_id": match["session_id"]})
            async with asyncio.timeout(2 * PATIENCE_S):
                await reader.ask(f'42["resume_pair_quiz",{payload}]')
            assert reader.cut.is_set()
        assert (await second.ask("leave_pair_quiz", {"session_id": match["session_id"]}))["ok"]


async def no_http(target: Target) -> None:
    """Bytes that are no request, and two requests in one."""
    host = b"Host: x\r\nX-Forwarded-For: " + target.address.encode() + b"\r\n"
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"X\r\n\r\n",
        b"POST /api/pair-quiz/join HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nabcd",
        b"POST /healthz HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"x" * 30_000 + b"\r\n\r\n",
    ):
        assert (await ask(target.url, sent)).status in (400, 431), sent[:60]


ATTACKS = (
    bad_frames,
    flood_of_commands,
    flood_of_connections,
    huge_messages,
    binary_frames,
    abused_polls,
    bombs,
    slow_heads_and_bodies,
    silent_sessions,
    stalled_readers,
    no_http,
)
