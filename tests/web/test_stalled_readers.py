"""Clients that ask and never read: cut, counted, and no harm to anybody else."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from tests.client import connected, started_match
from tests.conftest import Server, StartServer
from tests.web.stalls import Deaf, deaf

READERS = 5


async def cut_readers(server: Server, code: str) -> None:
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(connected(server.url)) for _ in range(2)]
        started = await started_match(first, second, question_count=40)
        resume = "42" + json.dumps(["resume_pair_quiz", {"session_id": started["session_id"]}])
        readers: list[Deaf] = [await stack.enter_async_context(deaf(server.url, first.token)) for _ in range(READERS)]
        asking = [asyncio.create_task(reader.ask(resume)) for reader in readers]
        await asyncio.wait_for(asyncio.gather(*(reader.cut.wait() for reader in readers)), 60)
        await asyncio.gather(*asking)
        assert (await second.ask("sync_clock", {}))["ok"]
        counted = server.running.metrics.registry.get_sample_value("pairquiz_refusals_total", {"code": code})
        assert counted is not None
        assert counted >= READERS
        while len(server.running.transports.sessions()) > 2:  # noqa: ASYNC110 - until the server, too, has heard the end
            await asyncio.sleep(0.05)


async def test_who_reads_nothing_while_much_waits_is_cut(start_server: StartServer) -> None:
    await cut_readers(
        await start_server(
            PAIRQUIZ_LIMITS__SEND_QUEUE_BYTES="200000",
            PAIRQUIZ_LIMITS__STALL_S="3600",
            PAIRQUIZ_LIMITS__COMMANDS_PER_S="0",
        ),
        "send_queue_full",
    )


async def test_who_reads_nothing_for_a_while_is_cut(start_server: StartServer) -> None:
    await cut_readers(
        await start_server(
            PAIRQUIZ_LIMITS__SEND_QUEUE_BYTES="0", PAIRQUIZ_LIMITS__STALL_S="0.5", PAIRQUIZ_LIMITS__COMMANDS_PER_S="0"
        ),
        "stalled_reader",
    )


@pytest.mark.asyncio(loop_scope="session")
async def test_websockets_are_not_compressed(shared_server: Server) -> None:
    async with connected(
        shared_server.url, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"
    ) as client:
        assert "Sec-WebSocket-Extensions" not in client.socket._response.headers
        assert client.socket.compress == 0
