"""What a stock client makes of a token that ends."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

import jwt

from tests.acceptance.player import Player, playing
from tests.acceptance.server import serving

SECRET = "a secret of the issuer, long enough for its algorithm"


def token(lifetime_s: int) -> str:
    return jwt.encode({"sub": "anna", "aud": "authenticated", "exp": int(time.time()) + lifetime_s}, SECRET)


async def test_a_refreshed_token_keeps_the_connection_and_one_that_ends_is_not_tried_again(
    client_folder: Path, node: str, database_url: str, tmp_path: Path
) -> None:
    options = {"auth": {"token": token(3600)}}
    async with (
        serving(database_url, tmp_path / "server.log", JWT_SECRET=SECRET) as server,
        AsyncExitStack() as clients,
    ):

        async def client(*transports: str) -> Player:
            play = playing(client_folder, node, server.url, transports=list(transports), **options)
            return await clients.enter_async_context(play)

        refreshed, socket, poller = await client("websocket"), await client("websocket"), await client("polling")
        for player in (refreshed, socket, poller):
            assert (await player.ask("refresh_token", {"token": token(3)}))["ok"]
            await player.event("token_expiring")
        assert (await refreshed.ask("refresh_token", {"token": token(3600)}))["ok"]
        for player in (socket, poller):
            # After this reason alone a client waits for its page; after every other it comes back with what it has.
            assert await player.event("disconnect") == "io server disconnect"
        assert (await refreshed.ask("sync_clock", {}))["ok"]
        assert "disconnect" not in refreshed.names
        assert {"connect", "connect_error"}.isdisjoint(socket.names + poller.names)
