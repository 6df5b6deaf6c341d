"""The load generator on the real server: it plays whole duels, and notices whatever is not so."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench import machine, programs
from bench.players import Fault, Run, loading, play
from bench.servers import LIFTED, OURS, Server
from tests.conftest import StartServer
from tests.web.valkey import hears_itself, valkey

# What a server could tell wrongly: the text in which a digit becomes a 9, which none of them is, and what is said then.
LIES = {
    rb'"correct_option":\d,"points":\d+,"score":': "a wrong score",
    rb'"answered":\d,"score":': "another score",
    rb'"your_score":': "another score in the results",
    rb'"opponent_score":': "another score of the opponent in the results",
    rb'"ok":true,"question_id":': "an answer to another question",
    rb'"player":"opponent","session_id":"[^"]*","answered":': "not the opponent's next answer",
}


@pytest.fixture
async def port(start_server: StartServer) -> int:
    try:
        await asyncio.to_thread(programs.compiled, "load")
    except programs.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    server = await start_server(**LIFTED)
    return int(server.url.rpartition(":")[2])


async def played(port: int, **options: float) -> Run:
    server = Server(OURS, port, os.getpid(), None)
    wishes = {"pairs": 3, "questions": 5, "warm": 0, "seconds": 1, **options}
    return await asyncio.to_thread(play, server, machine.Cores(), **wishes)


async def test_split_pairs_have_each_player_at_another_node(
    start_server: StartServer, tmp_path: Path, port: int
) -> None:
    with valkey(tmp_path) as redis:
        nodes = [await start_server(REDIS_URL=redis.url, **LIFTED) for _ in range(2)]
        await hears_itself(*nodes)
        ports = [int(node.url.rpartition(":")[2]) for node in nodes]

        def play_on() -> tuple[list[int], dict[str, Any]]:
            wishes = {"split": 1, "pairs": 3, "questions": 5, "warm": 0, "seconds": 1}
            with loading(ports, machine.Cores().rest, **wishes) as load:
                load.phase("begin")
                there = [len(node.running.transports.sessions()) for node in nodes]
                return there, load.phase("end")

        there, end = await asyncio.to_thread(play_on)
    assert there == [3, 3]
    assert end["duels"] > 0


@asynccontextmanager
async def lying(port: int, text: bytes) -> AsyncIterator[int]:
    """A line on which the server tells something wrong, as long as it was."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, lie: bool) -> None:
        with suppress(ConnectionError):  # whoever has noticed is gone
            while data := await reader.read(1 << 16):
                writer.write(re.sub(b"(" + text + rb")\d", rb"\g<1>9", data) if lie else data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back, lie=False), carry(there, writer, lie=True))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as line:
        yield line.sockets[0].getsockname()[1]


async def test_pairs_play_whole_duels_and_find_nothing_wrong(port: int) -> None:
    run = await played(port)
    assert run.duels_per_s > 0
    assert run.answers_per_s > 2 * run.duels_per_s
    assert 0 < run.p50_ms <= run.p99_ms


async def test_pairs_keep_to_the_rate_that_is_asked_for(port: int) -> None:
    run = await played(port, pairs=10, questions=20, rate=20)
    assert 0 < run.answers_per_s < 40


async def test_pairs_notice_whatever_is_told_wrongly(port: int) -> None:
    for text, said in LIES.items():
        async with lying(port, text) as line:
            with pytest.raises(Fault, match=said):
                await played(line, seconds=5)
