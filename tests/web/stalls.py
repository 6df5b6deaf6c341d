"""Readers that stall, and what their neighbours feel. By hand: `python -m tests.web.stalls --readers 500`.

The same load is put on a server of its own twice: by readers that read, and by readers that stop. It passes where all
who stop are cut, the process stays below 600 MB, and the neighbours' slowest answers are at most 1.5 times as slow.
"""

import argparse
import asyncio
import base64
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import psutil
from msgspec import Struct

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.acceptance.server import Server, serving
from tests.client import Client, connected, started_match

RECEIVE_BUFFER = 4096
PAIRS = 5
PACE_S = 0.05
"""Between a neighbour's answers."""
UNKNOWN = "42" + json.dumps(["x" * 64, {}])
"""What is asked: a command that nobody knows, whose refusal is long, and costs no database."""
ASKED_AT_ONCE = 40
ASK_EVERY_S = 5.0
MEASURE_S = 110.0
"""Long enough to fill what a kernel holds for a line, and then for `limits.stall_s`."""
RSS_MAX_MB = 600
SLOWER_MAX = 1.5


class Deaf:
    """A player's websocket that asks and does not read what it is answered."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.cut = asyncio.Event()

    async def hear(self) -> None:
        """Read all that comes, and think nothing of it."""
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while await loop.sock_recv(self._line, 1 << 18):
                pass

    async def ask(self, *frames: str, every_s: float = 0.002, after_s: float = 0.0) -> None:
        """Send frames again and again, and PONGs of Engine.IO beside them, until the server has cut the line."""
        loop = asyncio.get_running_loop()
        data = b"".join(map(text_frame, ("3", *frames)))
        await asyncio.sleep(after_s)
        with suppress(OSError):
            while True:
                async with asyncio.timeout(30):  # Python 3.11's `wait_for` may swallow that the task is cancelled
                    await loop.sock_sendall(self._line, data)
                await asyncio.sleep(every_s)
        self.cut.set()


@asynccontextmanager
async def deaf(url: str, token: str, *, receive_buffer: int = RECEIVE_BUFFER) -> AsyncIterator[Deaf]:
    """Connect a player, read up to its first greeting, and never again."""
    loop = asyncio.get_running_loop()
    line = socket.socket()
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        address = urlsplit(url)
        await loop.sock_connect(line, (address.hostname, address.port))
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        upgrade += base64.b64encode(bytes(16)).decode()
        await loop.sock_sendall(line, f"GET /ws/ HTTP/1.1\r\nHost: server\r\n{upgrade}\r\n\r\n".encode())
        assert (await loop.sock_recv(line, 1024)).startswith(b"HTTP/1.1 101")
        await loop.sock_sendall(line, text_frame("40" + json.dumps({"token": token})))
        yield Deaf(line)
    finally:
        line.close()


def text_frame(text: str) -> bytes:
    """A websocket frame whose mask is zeros."""
    data = text.encode()
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data


class Measured(Struct):
    """What was seen of one load."""

    p99_ms: float
    answers: int
    rss_mb: float
    cut: int


async def measure(server: Server, readers: int, *, reading: bool) -> Measured:
    """Put the load on a server, and measure its neighbours."""
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(connected(server.url))
        crowd = [
            await stack.enter_async_context(deaf(server.url, owner.token, receive_buffer=1 << 20 if reading else 4096))
            for _ in range(readers)
        ]
        tasks = [
            asyncio.create_task(
                one.ask(*[UNKNOWN] * ASKED_AT_ONCE, every_s=ASK_EVERY_S, after_s=ASK_EVERY_S * place / readers)
            )
            for place, one in enumerate(crowd)
        ]
        if reading:
            tasks += [asyncio.create_task(one.hear()) for one in crowd]
        pairs = [[await stack.enter_async_context(connected(server.url)) for _ in range(2)] for _ in range(PAIRS)]
        until, peak = time.monotonic() + MEASURE_S, asyncio.create_task(watch_memory(server))
        measured = await asyncio.gather(*(play(a, b, until) for a, b in pairs))
        answers = [ms for some in measured for ms in some]
        cut = sum(one.cut.is_set() for one in crowd)
        for task in (*tasks, peak):
            task.cancel()
        done = await asyncio.gather(*tasks, peak, return_exceptions=True)
        assert isinstance(done[-1], float)
        return Measured(quantiles(answers, n=100)[98], len(answers), done[-1], cut)


async def watch_memory(server: Server) -> float:
    """Return the most memory that the server's process had, in MB, when cancelled."""
    process, most = psutil.Process(server.pid), 0.0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, process.memory_info().rss / 1e6)
            await asyncio.sleep(0.1)
    return most


async def play(first: Client, second: Client, until: float) -> list[float]:
    """Play matches until then; return how many milliseconds each answer's acknowledgement took."""
    took: list[float] = []
    while time.monotonic() < until:
        await second.settled()  # it, too, answers its pings
        try:
            started = await started_match(first, second, question_count=40)
        except AssertionError as refusal:  # the machine has too much to do: what counts is who is answered
            print(refusal, flush=True)  # noqa: T201
            await asyncio.sleep(1)
            continue
        for question in started["questions"]:
            for player in (first, second):
                answer = {"session_id": started["session_id"], "question_id": question["id"], "answer": 0}
                began = time.perf_counter()
                assert (await player.ask("submit_answer", answer))["ok"]
                took.append((time.perf_counter() - began) * 1000)
                await asyncio.sleep(PACE_S)
            if time.monotonic() >= until:
                return took
        for player in (first, second):
            await player.event("quiz_results")
    return took


async def compare(folder: Path, readers: int) -> bool:
    """Measure both, print them, and tell whether it passes."""
    with EmbeddedPostgres.join(folder / "data") as postgres:
        found = []
        for reading in (True, False):
            async with serving(postgres.dsn, folder / "log", PAIRQUIZ_LIMITS__COMMANDS_PER_S="0") as server:
                found.append(await measure(server, readers, reading=reading))
            print("reading" if reading else "stalled", found[-1], flush=True)  # noqa: T201
    reading, stalled = found
    ratio = stalled.p99_ms / reading.p99_ms
    print(f"p99 {ratio:.2f} times as long beside {readers} readers that stall")  # noqa: T201
    return reading.cut == 0 and stalled.cut == readers and stalled.rss_mb < RSS_MAX_MB and ratio <= SLOWER_MAX


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--readers", type=int, default=500)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another user
        sys.exit(0 if asyncio.run(compare(Path(folder), arguments.parse_args().readers)) else 1)
