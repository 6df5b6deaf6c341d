"""What the official client makes of a server that has no room for it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from tests.acceptance.player import PATIENCE_S, playing
from tests.acceptance.server import serving
from tests.web.test_exposition import sample
from tests.web.test_limits import BEHIND_A_PROXY

TURNED_AWAY = 'pairquiz_refusals_total{code="too_many_connections"}'

ROOM_FOR_ONE = BEHIND_A_PROXY | {"PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS": "1"}


async def test_who_is_turned_away_comes_in_by_itself_when_there_is_room(
    client_folder: Path, node: str, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path / "server.log", **ROOM_FOR_ONE) as server, AsyncExitStack() as later:
        async with playing(client_folder, node, server.url, transports=["websocket"]) as first:
            assert (await first.ask("sync_clock", {}))["ok"]
            coming = asyncio.ensure_future(
                later.enter_async_context(playing(client_folder, node, server.url, reconnectionDelay=200))
            )
            async with asyncio.timeout(PATIENCE_S):
                while await sample(server.url, TURNED_AWAY) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert not coming.done()
        second = await coming
        assert (await second.ask("create_pair_quiz", {}))["ok"]
