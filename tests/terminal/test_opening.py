"""Who comes in is who they were before, as far as that is known."""

import pytest

from pairquiz_server.client.errors import ClientError
from pairquiz_server.client.kept import KeptSeat
from pairquiz_server.client.opening import opened
from tests.cli.conftest import SECRET
from tests.conftest import Server, StartServer


async def test_a_guest_is_the_same_one_the_next_time(server: Server) -> None:
    kept = KeptSeat(None)
    line, first = await opened(server.url, None, kept, "player")
    await line.close()
    line, second = await opened(server.url, None, kept, "player")
    await line.close()
    assert first.user_id == second.user_id
    assert kept.tokens.bot is None


async def test_a_guest_whose_token_does_not_hold_any_more_is_a_new_one(server: Server) -> None:
    kept = KeptSeat(None)
    kept.keep(player="signed by somebody else", bot="the bot's")
    line, welcome = await opened(server.url, None, kept, "player")
    await line.close()
    assert welcome.guest_token == kept.tokens.player
    assert kept.tokens.bot == "the bot's"


async def test_a_users_token_that_does_not_hold_is_said_and_not_played_without(server: Server) -> None:
    with pytest.raises(ClientError, match="does not take this token"):
        await opened(server.url, "signed by somebody else", KeptSeat(None), "player")


async def test_where_guests_may_not_play_a_token_is_asked_for(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    with pytest.raises(ClientError, match="QUIZ_TOKEN"):
        await opened(server.url, None, KeptSeat(None), "player")
