"""What `top` asks for: each node says every second how it fares, and any of them tells of all."""

import asyncio
import json
from asyncio.subprocess import PIPE

from pairquiz_server.cli.operator_line import OperatorLine
from pairquiz_server.protocol.admin import Overview
from tests.acceptance.server import COMMAND
from tests.client import connected, ready_match
from tests.conftest import StartServer
from tests.web.operator import TOKEN, WITH_TOKEN, operator

PATIENCE_S = 30.0


async def overview_of_both(line: OperatorLine) -> Overview:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen = await line.ask("show_overview", Overview)
            told = [node.vitals for node in seen.nodes if node.vitals is not None]
            if len(told) == 2 and sum(one.players for one in told) == 2:
                return seen
            await asyncio.sleep(0.1)


async def test_any_node_tells_how_all_fare(start_server: StartServer) -> None:
    server, other = await start_server(**WITH_TOKEN), await start_server(**WITH_TOKEN)
    async with connected(server.url) as creator, connected(server.url) as joiner, operator(other) as line:
        await ready_match(creator, joiner)
        seen = await overview_of_both(line)
        (busy,) = [node.vitals for node in seen.nodes if node.vitals is not None and node.vitals.players == 2]
        assert (busy.sockets["websocket"], busy.connections, busy.connections_limit) == (2, 2, 20_000)
        assert busy.memory_bytes > 10 * 1024**2
        assert busy.cpu_s > 0
        assert len(busy.command_seconds) == len(busy.bounds) + 1
        assert set(seen.matches) == {"ready"}
        assert sum(seen.sessions.values()) >= 4
        assert seen.sessions_limit >= sum(seen.sessions.values())


async def test_top_prints_two_looks_as_lines_and_as_json(start_server: StartServer) -> None:
    server, _ = await start_server(**WITH_TOKEN), await start_server()
    async with operator(server) as line, connected(server.url) as creator, connected(server.url) as joiner:
        await ready_match(creator, joiner)
        await overview_of_both(line)

        async def top(*words: str) -> str:
            asked = await asyncio.create_subprocess_exec(
                *(COMMAND, "top", "--url", server.url, "--once", "--every", "1", *words),
                env={"PAIRQUIZ_ADMIN__TOKEN": TOKEN},
                stdout=PIPE,
                stderr=PIPE,
            )
            said, complaint = await asked.communicate()
            assert asked.returncode == 0, complaint.decode()
            return said.decode()

        told, printed = await asyncio.gather(top("--json"), top())
        record = json.loads(told)
        assert len(record["nodes"]) == 2
        assert (record["together"]["players"], record["together"]["websockets"]) == (2, 2)
        assert record["nodes"][0]["answers_per_s"] == 0
        assert printed.splitlines()[-2].startswith("all: players 2, ws 2, poll 0")
        assert "1 ready" in printed
