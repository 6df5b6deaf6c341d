"""`serve` is stopped: with a thousand players, by a second signal, and while its database hangs."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import ClientConnectionResetError, ClientSession, TCPConnector, WSMsgType

from pairquiz_server.store.pool import Database
from tests.cli.conftest import StartServe, postgres_runs
from tests.client import Client, Closed, connected, started_match
from tests.pace import patient

IDLE = 960
PAIRS = 20
QUESTIONS = 20
OPENINGS = 50
"""How many handshakes are under way at a time."""
STOPPED_WITHIN_S = 8.0
AT_ONCE_S = 1.0
"""Far above the 100 ms that are meant: the machine may have other things to do."""
PATIENCE_S = 20.0
STORED = """
    SELECT matches.id::text AS session_id, array_agg(question_id::int) AS questions,
        CASE player WHEN 1 THEN player1_id ELSE player2_id END AS user_id
    FROM pairquiz.answers JOIN pairquiz.matches ON matches.id = match_id GROUP BY matches.id, player
"""


class Idler:
    """One of many who play nothing: what they heard of the stop, and what they were closed with."""

    def __init__(self) -> None:
        self.delays: list[int] = []
        self.code: int | None = None

    async def listen(self, session: ClientSession, url: str, opening: asyncio.Semaphore, here: asyncio.Event) -> None:
        await opening.acquire()
        async with session.ws_connect(f"{url}/ws/") as socket:
            await socket.send_str("40")
            async for message in socket:
                assert message.type is WSMsgType.TEXT
                if message.data.startswith('42["welcome"'):
                    opening.release()
                    here.set()
                elif message.data.startswith('42["server_draining"'):
                    self.delays.append(json.loads(message.data[2:])[1]["reconnect_in_ms"])
            self.code = socket.close_code


async def play(client: Client, started: dict[str, Any], *, when_told: bool) -> list[int]:
    """Answer one question after the other (`when_told`: from `server_draining` on), as long as the server lives.

    Returns the questions whose answers were acknowledged. How it was closed is asked of those alone who always read:
    aiohttp's client forgets the code where it cannot answer the CLOSE.
    """
    acknowledged: list[int] = []
    with suppress(Closed, ClientConnectionResetError):
        if when_told:
            await client.event("server_draining")
        for question in started["questions"]:
            payload = {"session_id": started["session_id"], "question_id": question["id"], "answer": 0}
            answer = await client.ask("submit_answer", payload)
            if answer["ok"]:
                acknowledged.append(question["id"])
            else:
                assert answer["error"]["code"] == "draining"
    return acknowledged


async def test_a_server_with_a_thousand_players_stops_in_order_and_loses_nothing(
    start_serve: StartServe, database: Database, database_url: str
) -> None:
    server = await asyncio.to_thread(start_serve, DATABASE_URL=database_url)
    idlers, arrivals = [Idler() for _ in range(IDLE)], [asyncio.Event() for _ in range(IDLE)]
    opening = asyncio.Semaphore(OPENINGS)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        session = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        for idler, here in zip(idlers, arrivals, strict=True):
            tasks.create_task(idler.listen(session, server.url, opening, here))
        for here in arrivals:
            await here.wait()
        pairs = [[await stack.enter_async_context(connected(server.url)) for _ in range(2)] for _ in range(PAIRS)]
        games = [await started_match(*pair, question_count=QUESTIONS) for pair in pairs]
        players = [(client, game) for pair, game in zip(pairs, games, strict=True) for client in pair]
        playing = [
            tasks.create_task(play(client, game, when_told=place % 2 == 0))
            for place, (client, game) in enumerate(players)
        ]
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - began < patient(STOPPED_WITHIN_S)

    assert {idler.code for idler in idlers} == {1012}
    assert {len(idler.delays) for idler in idlers} == {1}
    delays = sorted(idler.delays[0] for idler in idlers)
    assert delays[0] >= 1000
    assert delays[-1] - delays[0] > 1500
    assert len(set(delays)) > IDLE / 4

    acknowledged = [task.result() for task in playing]
    assert all(acknowledged), "also who answered after the signal was heard"
    stored = {(row["session_id"], row["user_id"]): row["questions"] for row in await database.fetch(STORED)}
    for (client, game), questions in zip(players, acknowledged, strict=True):
        assert sorted(questions) == sorted(stored[game["session_id"], client.user_id])


@contextmanager
def frozen(data_dir: Path) -> Iterator[None]:
    """Stop the embedded PostgreSQL's processes as they are, and let them go on afterwards."""
    postmaster = psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def until_stopped(data_dir: Path) -> None:
    """Wait until the embedded PostgreSQL is gone, which nobody waits for any more."""
    async with asyncio.timeout(PATIENCE_S):
        while postgres_runs(data_dir):  # noqa: ASYNC110 - a file that vanishes
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once_and_leaves_no_postgresql(
    start_serve: StartServe, data_dir: Path, second: signal.Signals
) -> None:
    server = await asyncio.to_thread(start_serve)
    async with connected(server.url) as player, connected(server.url) as other:
        started = await started_match(player, other)
        answer = {"session_id": started["session_id"], "question_id": started["questions"][0]["id"], "answer": 0}
        assert (await player.ask("submit_answer", answer))["ok"]
        with frozen(data_dir):
            await other.emit("submit_answer", answer)
            server.process.send_signal(signal.SIGTERM)
            await player.event("server_draining")
            began = time.monotonic()
            assert await asyncio.to_thread(server.stop, second) == 128 + second
            assert time.monotonic() - began < patient(AT_ONCE_S)
        assert [json.loads(line)["event"] for line in server.errors][-2:] == [
            "server_stopping",
            "server_stopped_at_once",
        ]
        await until_stopped(data_dir)

        again = await asyncio.to_thread(start_serve)
        async with connected(again.url, token=player.token) as back:
            state = await back.ask("resume_pair_quiz", {"session_id": started["session_id"]})
            assert list(state["your_answers"]) == [str(answer["question_id"])]


async def test_a_server_whose_postgresql_hangs_stops_in_time_all_the_same(
    start_serve: StartServe, data_dir: Path
) -> None:
    server = await asyncio.to_thread(start_serve)
    async with connected(server.url) as player, connected(server.url) as other:
        started = await started_match(player, other)
        answer = {"session_id": started["session_id"], "question_id": started["questions"][0]["id"], "answer": 0}
        with frozen(data_dir):
            await player.emit("submit_answer", answer)
            closed = asyncio.gather(player.closed(), other.closed())
            began = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert await closed == [1012, 1012]
            error = await player.event("error")
            assert (error["code"], error["retry"]) == ("storage_unavailable", True)
            assert await stopping == 0
            assert time.monotonic() - began < patient(STOPPED_WITHIN_S)
        assert not any("Traceback" in line for line in server.errors)
        assert json.loads(server.errors[-1])["event"] == "server_stopped_late"
        await until_stopped(data_dir)
