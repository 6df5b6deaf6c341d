"""What a stock client makes of a version that is not spoken."""

from pairquiz_server.protocol.versions import PROTOCOL_VERSION
from tests.acceptance.conftest import Play


async def test_a_client_of_another_version_is_told_so_and_one_of_this_is_let_in(play: Play) -> None:
    async with play(auth={"protocol": PROTOCOL_VERSION + 1}, connects=False) as newer:
        assert f"speaks version {PROTOCOL_VERSION} of the protocol" in await newer.event("connect_error")
    async with play(auth={"protocol": PROTOCOL_VERSION}) as player:
        assert (await player.event("welcome"))["protocol"] == PROTOCOL_VERSION
