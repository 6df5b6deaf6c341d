"""Strangers who look for somebody find each other, with the official client: at one server, and at two."""

from pathlib import Path

import pytest

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Pair, Play
from tests.acceptance.player import Player, playing
from tests.acceptance.test_duel import answer_all
from tests.web.valkey import until

WISHES = {"topic": "General", "question_count": 3}
WEBSOCKET = {"transports": ["websocket"]}


async def seek(*players: Player) -> None:
    for player in players:
        assert await player.ask("find_opponent", WISHES) == {"ok": True, "seeking": True}


async def play_to_the_end(*players: Player) -> None:
    """Wait for the match that two have found, and play it; it has started by itself."""
    found = [await player.event("opponent_found") for player in players]
    started = [await player.event("quiz_started") for player in players]
    assert started[0] == started[1]
    assert {one["session_id"] for one in (*found, *started)} == {started[0]["session_id"]}
    assert started[0]["started_at"] >= found[0]["starts_at"]
    scores = [await answer_all(player, started[0], option) for option, player in enumerate(players)]
    results = [await player.event("quiz_results") for player in players]
    assert [one["your_score"] for one in results] == scores


async def seeking(database: Database) -> set[str]:
    rows = await database.fetch("SELECT player_id FROM pairquiz.seekers")
    return {row["player_id"] for row in rows}


async def nobody_seeks(database: Database) -> bool:
    return not await seeking(database)


async def test_two_strangers_find_each_other_and_play_until_results(play: Play, database: Database) -> None:
    async with play(**WEBSOCKET) as first, play(transports=["polling"]) as second:
        await seek(first, second)
        await play_to_the_end(first, second)
    assert await seeking(database) == set()


async def test_who_cancels_or_goes_is_not_found_and_who_stays_is(play: Play, database: Database) -> None:
    async with play(**WEBSOCKET) as stays, play(**WEBSOCKET) as changes_her_mind:
        await seek(changes_her_mind)
        assert await changes_her_mind.ask("cancel_find_opponent", {}) == {"ok": True, "seeking": False}
        async with play(**WEBSOCKET) as goes:
            await seek(goes)
        await until(nobody_seeks, database)
        await seek(stays)
        assert (await stays.event("opponent_search"))["seeking"] == 1
        await seek(changes_her_mind)
        await play_to_the_end(stays, changes_her_mind)


async def test_who_is_blocked_is_not_found_by_whoever_has_blocked(places: Pair, client_folder: Path, node: str) -> None:
    here, there = places
    async with (
        playing(client_folder, node, here.url, **WEBSOCKET) as first,
        playing(client_folder, node, there.url, **WEBSOCKET) as second,
        playing(client_folder, node, there.url, **WEBSOCKET) as third,
    ):
        await seek(first, second)
        session = {"session_id": (await first.event("opponent_found"))["session_id"]}
        assert (await first.ask("block_player", session))["ok"]
        assert (await first.ask("leave_pair_quiz", session))["ok"]
        await second.event("opponent_found")
        await seek(first, second)
        while (await first.event("opponent_search"))["seeking"] != 2:  # told before the other one asked
            pass
        await seek(third)
        assert (await third.event("opponent_found"))["session_id"] != session["session_id"]


async def test_two_at_two_servers_find_each_other_and_play_until_results(
    nodes: Pair, client_folder: Path, node: str
) -> None:
    async with (
        playing(client_folder, node, nodes[0].url, **WEBSOCKET) as first,
        playing(client_folder, node, nodes[1].url, **WEBSOCKET) as second,
    ):
        await seek(first, second)
        await play_to_the_end(first, second)


async def session_is_gone(database: Database) -> bool:
    """Tell whether one of the servers has no session any more, by which it would beat."""
    return bool(await database.fetch("SELECT FROM pairquiz.silent_nodes"))


@pytest.mark.parametrize("at", ["the other one", "its successor"])
async def test_who_looked_at_a_server_that_was_killed_is_found_by_nobody_from_that_moment_on(
    nodes: Pair, client_folder: Path, node: str, database: Database, at: str
) -> None:
    """Long before the others take it for dead; its last word stands in the queue for some seconds more."""
    dies, lives = nodes
    asked = dies if at == "its successor" else lives
    async with playing(client_folder, node, dies.url, reconnection=False, **WEBSOCKET) as lost:
        await seek(lost)
        await dies.kill()
        await until(session_is_gone, database)
        if asked is dies:
            await dies.start()
        async with (
            playing(client_folder, node, asked.url, **WEBSOCKET) as stays,
            playing(client_folder, node, asked.url, **WEBSOCKET) as comes,
        ):
            await seek(stays)
            assert (await stays.event("opponent_search"))["seeking"] == 1
            await seek(comes)
            await play_to_the_end(stays, comes)


async def test_who_looked_at_a_server_that_was_killed_is_nobody_to_be_found(
    nodes: Pair, client_folder: Path, node: str, database: Database
) -> None:
    dies, lives = nodes
    async with (
        playing(client_folder, node, dies.url, **WEBSOCKET) as lost,
        playing(client_folder, node, lives.url, **WEBSOCKET) as stays,
        playing(client_folder, node, lives.url, **WEBSOCKET) as comes,
    ):
        await seek(lost)
        await dies.kill()
        await until(nobody_seeks, database)
        await seek(stays)
        assert (await stays.event("opponent_search"))["seeking"] == 1
        await seek(comes)
        await play_to_the_end(stays, comes)
