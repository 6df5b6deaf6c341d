"""What compression saves and costs, of a running server's own messages:  .venv/bin/python -m bench.compression URL

Ten duels are played there by guests. Of the frames that a player hears: bytes and CPU of permessage-deflate (RFC 7692),
with a window for each connection and without, and what such windows take. Of what is read by HTTP: bytes and CPU of
gzip.
"""

import asyncio
import json
import os
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from aiohttp import ClientSession, ClientWebSocketResponse

DUELS = 10
TIMES = 7
CONNECTIONS = 200
WINDOWS = ((15, 8), (12, 5), (9, 1))
"""Window bits and zlib's level of memory: the usual ones, smaller ones, and the smallest that there are."""
LEVELS = (1, 5, 9)
PATHS = ("/openapi.json", "/asyncapi.json", "/metrics", "/api/topics/")
SOCKET = "/socket.io/?EIO=4&transport=websocket"


class Player:
    """A guest, and every frame that it has heard, but for pings."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.heard: list[bytes] = []

    async def until(self, beginning: str) -> Any:
        """Return what is in the next frame that begins like this."""
        while True:
            frame = await self._socket.receive_str()
            if frame == "2":
                await self._socket.send_str("3")
                continue
            self.heard.append(frame.encode())
            if frame.startswith(beginning):
                return json.loads(frame[frame.index("[") :])[-1] if "[" in frame else None

    async def ask(self, command: str, payload: object) -> Any:
        """Send a command, and return its acknowledgement."""
        self._asked += 1
        await self._socket.send_str(f"42{self._asked}{json.dumps([command, payload])}")
        return await self.until(f"43{self._asked}[")


async def duel(session: ClientSession) -> list[bytes]:
    """Play a duel, and return what the first player has heard."""
    async with session.ws_connect(SOCKET) as one, session.ws_connect(SOCKET) as other:
        first, second = players = (Player(one), Player(other))
        for socket, player in zip((one, other), players, strict=True):
            await socket.send_str("40")
            await player.until('42["welcome"')
        match = {"session_id": (await first.ask("create_pair_quiz", {}))["session_id"]}
        await second.ask("join_pair_quiz", match)
        await first.ask("start_quiz", match)
        started = await first.until('42["quiz_started"')
        for place, question in enumerate(started["questions"]):
            for player in players:
                await player.ask("submit_answer", {**match, "question_id": question["id"], "answer": place % 4})
        await first.until('42["quiz_results"')
        return first.heard


def with_window(frames: Sequence[bytes], bits: int, memory: int) -> int:
    """Compress frames as one connection's, and return their bytes."""
    window = zlib.compressobj(1, zlib.DEFLATED, -bits, memory)
    return sum(len(window.compress(frame) + window.flush(zlib.Z_SYNC_FLUSH)) - 4 for frame in frames)


def each_alone(frames: Sequence[bytes], bits: int, memory: int) -> int:
    """Compress each frame by itself, and return their bytes."""
    return sum(with_window([frame], bits, memory) for frame in frames)


def cpu_us(work: Callable[[], object]) -> float:
    """Return the microseconds of CPU that work takes: the least of some times."""
    spent = []
    for _ in range(TIMES):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return min(spent) * 1e6


def resident_bytes() -> int:
    """Return what this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def window_bytes(frame: bytes, bits: int, memory: int) -> float:
    """Return what both windows of a connection take."""
    before = resident_bytes()
    kept = []
    for _ in range(CONNECTIONS):
        outward, inward = zlib.compressobj(1, zlib.DEFLATED, -bits, memory), zlib.decompressobj(-bits)
        inward.decompress(outward.compress(frame) + outward.flush(zlib.Z_SYNC_FLUSH))
        kept.append((outward, inward))
    return (resident_bytes() - before) / CONNECTIONS


def show_frames(frames: Sequence[bytes]) -> None:
    """Print what deflate makes of frames."""
    count, plain = len(frames), sum(map(len, frames))
    click.echo(f"{count} frames of {plain / count:.0f} bytes")
    for bits, memory in WINDOWS:
        taken = window_bytes(frames[0], bits, memory) / 1024
        for name, how in (("a window each", with_window), ("each alone", each_alone)):
            size = how(frames, bits, memory) / count
            cpu = cpu_us(partial(how, frames, bits, memory)) / count
            click.echo(
                f"  {bits} bits, level {memory}, {name}: {size:.0f} bytes, {cpu:.1f} µs a frame; {taken:.1f} KiB"
            )


def show_body(path: str, body: bytes) -> None:
    """Print what gzip makes of an answer."""
    click.echo(f"{path}: {len(body)} bytes")
    for level in LEVELS:
        packed = zlib.compress(body, level, wbits=31)
        cpu = cpu_us(partial(zlib.compress, body, level, wbits=31))
        click.echo(f"  level {level}: {len(packed)} bytes, {cpu:.0f} µs")


async def measure(url: str) -> None:
    """Play, read, and print."""
    async with ClientSession(url) as session:
        show_frames([frame for _ in range(DUELS) for frame in await duel(session)])
        for path in PATHS:
            async with session.get(path, headers={"Accept-Encoding": "identity"}) as answer:
                show_body(path, await answer.read())


@click.command(help=__doc__)
@click.argument("url")
def main(url: str) -> None:
    """Measure."""
    asyncio.run(measure(url))


if __name__ == "__main__":
    main()
