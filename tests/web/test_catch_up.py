"""Who may have missed what another node told is told how matches stand: never as they stood before what was heard."""

import asyncio

import pytest

from pairquiz_server.rules.match import Match
from pairquiz_server.web.catch_up import CatchUp
from tests.client import connected, started_match
from tests.conftest import Server
from tests.web.duel import names


@pytest.mark.parametrize("of_all", [False, True])
async def test_a_match_that_ends_while_it_is_read_is_not_told_as_one_that_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, of_all: bool
) -> None:
    game, connections = server.running.game, server.running.drain._connections
    catch_up, live_matches = CatchUp(game, connections), game.live_matches
    read, ended = asyncio.Event(), asyncio.Event()

    async def slowly(player_id: str) -> list[Match]:
        matches = await live_matches(player_id)
        read.set()
        await ended.wait()
        return matches

    async with connected(server.url) as player, connected(server.url) as other:
        started = await started_match(player, other)
        monkeypatch.setattr(game, "live_matches", slowly)
        work = asyncio.create_task(catch_up.run() if of_all else catch_up.look_after(player.user_id))
        await read.wait()
        assert (await other.ask("leave_pair_quiz", {"session_id": started["session_id"]}))["ok"]
        await player.event("quiz_results")
        ended.set()
        await work
        assert "quiz_state" not in names(await player.settled())
        assert not connections.followed(player.user_id)
