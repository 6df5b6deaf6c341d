"""The official client, when its player is sent away."""

from pairquiz_server.store.bans import Bans
from pairquiz_server.store.pool import Database
from pairquiz_server.store.server import BAN_SECRET, ServerState
from tests.acceptance.conftest import Play


async def test_a_banned_player_hears_why_and_does_not_come_back(play: Play, database: Database) -> None:
    async with play(transports=["websocket"]) as first, play(transports=["polling"]) as second:
        bans = Bans(database, await ServerState(database).shared(BAN_SECRET))
        for player in (first, second):
            await bans.ban((await player.event("welcome"))["user_id"], None, None)
        for player in (first, second):
            assert (await player.event("error"))["code"] == "forbidden"
            # The one reason after which the client waits to be told to connect again.
            assert await player.event("disconnect") == "io server disconnect"
            assert player.names == []
