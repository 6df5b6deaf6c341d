"""The official client's line is measured, though nothing of it knows of that."""

import asyncio

import pytest

from tests.acceptance.conftest import Play
from tests.acceptance.server import Server
from tests.web.test_exposition import sample


@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]], ids=["websocket", "upgrade"])
async def test_official_client_answers_the_pings_that_measure_its_line(
    play: Play, live_server: Server, transports: list[str]
) -> None:
    async with play(transports=transports) as player, asyncio.timeout(60):
        await player.event("welcome")
        while await sample(live_server.url, "pairquiz_round_trip_seconds_count") < 3:  # noqa: ASYNC110 - a metric wakes nobody
            await asyncio.sleep(0.05)
        assert (await player.ask("sync_clock", {}))["ok"]
        assert not {"error", "disconnect", "connect_error"} & set(player.names)
