"""A server that cannot serve says so, and keeps its players for when it can."""

import asyncio
from uuid import uuid4

from aiohttp import ClientSession

from tests.client import PATIENCE_S, connected
from tests.conftest import StartServer
from tests.web.polling import polling
from tests.web.rest import CREATE, Rest


async def checked(rest: Rest) -> str:
    """Return what `readyz` says of the database."""
    _, body = await rest.call("GET", "/readyz")
    return str(body["checks"]["database"])


async def test_a_server_that_drains_is_alive_and_not_ready(start_server: StartServer) -> None:
    server = await start_server()
    server.running.health.draining = True
    async with ClientSession() as session:
        rest = Rest(session, server.url)
        assert await rest.call("GET", "/healthz") == (200, {"status": "ok"})
        status, body = await rest.call("GET", "/readyz")
        assert (status, body["status"], body["checks"]["draining"]) == (503, "failed", "failed")
        assert body["checks"]["database"] == "ok"


async def test_a_server_whose_database_is_away_says_so(start_server: StartServer) -> None:
    server = await start_server()
    async with ClientSession() as session, connected(server.url) as player:
        rest = Rest(session, server.url)
        await server.running.database.close()
        async with asyncio.timeout(PATIENCE_S):  # until nothing that was found before is given out again
            while (await rest.call("GET", "/api/topics"))[0] == 200 or (await checked(rest)) == "ok":  # noqa: ASYNC110 - a server tells nobody
                await asyncio.sleep(0.05)
        for method, path in (("POST", CREATE), ("GET", f"/api/pair-quiz/{uuid4()}"), ("GET", "/api/topics")):
            error = await rest.refused(503, "storage_unavailable", method, path, token=player.token)
            assert error["retry"] is True
        status, body = await rest.call("GET", "/readyz")
        assert (status, body["checks"]["database"]) == (503, "failed")
        answer = await player.ask("create_pair_quiz")
        assert (answer["error"]["code"], answer["error"]["retry"]) == ("storage_unavailable", True)
        async with connected(server.url, token=player.token, welcome=False) as back:
            assert await back.closed() == 1013
            assert "connect_error" not in [name for name, _ in back._events]
        async with polling(server.url, token=player.token) as poller:
            assert await poller.ended()
            assert not any(packet.startswith("44") for packet in poller.packets)
