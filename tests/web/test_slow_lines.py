"""An honest player whose line is slow loses nothing by it, up to the cap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.client import connected, started_match
from tests.conftest import Server
from tests.web.delays import delaying, late
from tests.web.duel import answering

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAY_S = 0.06
TRUSTED_FROM = 3


@asynccontextmanager
async def slow_line(url: str, way_s: float) -> AsyncIterator[str]:
    """Where the same server is, behind a line on which every byte takes a while, there and back."""
    loop = asyncio.get_running_loop()
    address = urlsplit(url)
    ways: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(1 << 16):
                loop.call_later(way_s, writer.write, chunk)
        loop.call_later(2 * way_s, writer.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(address.hostname, address.port)
        for way in (carry(reader, back), carry(there, writer)):
            task = asyncio.create_task(way)
            ways.add(task)
            task.add_done_callback(ways.discard)

    proxy = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    finally:
        proxy.close()
        if ways:
            await asyncio.wait(ways)
        await asyncio.sleep(2 * way_s)  # for what is still on its way


async def test_a_slow_line_is_credited_what_it_takes_there_and_back(shared_server: Server) -> None:
    async with (
        slow_line(shared_server.url, WAY_S) as url,
        delaying(replace(shared_server, url=url), late(0)) as slow,
        connected(shared_server.url) as fast,
    ):
        await slow.socket.until_ponged(TRUSTED_FROM)
        started = await started_match(slow, fast, question_count=5)
        replies = [await slow.ask("submit_answer", answering(started, place)) for place in range(3)]
        receipts = [reply["receipt"] for reply in replies]
        for receipt in receipts:
            assert receipt["judged_at"] == receipt["arrived_at"] - receipt["lag_credit_ms"] >= started["started_at"]
            assert 2 * WAY_S * 1000 <= receipt["lag_credit_ms"] <= 300
        for player in (slow, fast):
            await player.ask("quiz_completed", {"session_id": started["session_id"]})
        results = await slow.event("quiz_results")
        told = {question["id"]: question["receipt"] for question in results["questions"]}
        assert told == {question["id"]: None for question in started["questions"]} | {
            reply["question_id"]: reply["receipt"] for reply in replies
        }
