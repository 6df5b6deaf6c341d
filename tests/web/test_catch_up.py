"""Who may have missed what another node told is told how matches stand: never as they stood before what was heard."""

import asyncio

import pytest

from pairquiz_server.rules.match import Match
from pairquiz_server.store.pool import Database
from pairquiz_server.web.catch_up import CatchUp
from pairquiz_server.web.sockets import welcome
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


async def test_state_that_is_overtaken_each_time_it_is_read_is_never_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    game, connections = server.running.game, server.running.drain._connections
    catch_up, live_matches = CatchUp(game, connections), game.live_matches
    async with connected(server.url) as player, connected(server.url) as other:
        started = await started_match(player, other)
        unanswered = started["questions"][:2]

        async def overtaken(player_id: str) -> list[Match]:
            matches = await live_matches(player_id)
            if player_id == player.user_id and unanswered:
                answer = {"session_id": started["session_id"], "question_id": unanswered.pop()["id"], "answer": 0}
                assert (await other.ask("submit_answer", answer))["ok"]
                await player.event("answer_submitted")
            return matches

        monkeypatch.setattr(game, "live_matches", overtaken)
        await catch_up.run()
        told = [payload["version"] for name, payload in await player.settled() if name == "quiz_state"]
        assert told == [started["version"] + 2]
        assert not unanswered


async def test_state_that_a_failover_has_left_is_told_though_newer_ones_were(server: Server) -> None:
    game, connections = server.running.game, server.running.drain._connections
    async with connected(server.url) as player, connected(server.url) as other:
        started = await started_match(player, other)
        await player.settled()
        connections._followed[player.user_id][started["session_id"]] = started["version"] + 5
        await CatchUp(game, connections).run()
        assert (await player.event("quiz_state"))["version"] == started["version"]


@pytest.mark.parametrize("of_all", [False, True])
async def test_the_states_of_long_matches_are_no_more_than_may_wait_for_a_client(
    server: Server, database: Database, of_all: bool
) -> None:
    """Else whoever is in many would be cut by what is to mend a gap."""
    await database.fetch(
        "UPDATE pairquiz.questions SET text = rpad(id || ' ', 1000, 'ж'),"
        " options = ARRAY(SELECT rpad(place || ' ', 300, 'ж') FROM generate_series(1, 4) AS place)"
    )
    game, connections = server.running.game, server.running.drain._connections
    catch_up = CatchUp(game, connections)
    async with connected(server.url) as player, connected(server.url) as other:
        played = [(await started_match(player, other, question_count=44))["session_id"] for _ in range(6)]
        await player.settled()
        if of_all:
            await catch_up.run()
        else:
            connections._followed.pop(player.user_id)  # as if other nodes had made them
            await catch_up.look_after(player.user_id)
        heard = [payload["session_id"] for name, payload in await player.settled() if name == "quiz_state"]
        assert 0 < len(heard) < len(played)
        assert heard == played[-len(heard) :]


async def test_of_matches_that_have_ended_unheard_the_states_come_before_those_of_live_ones(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what goes on something follows, and shows the gap; of what is over nothing does. The rest comes next time."""
    monkeypatch.setattr(welcome, "STATES_BYTES", 0)
    game, connections = server.running.game, server.running.drain._connections
    catch_up = CatchUp(game, connections)
    async with connected(server.url) as player, connected(server.url) as other:
        over, live = [(await started_match(player, other))["session_id"] for _ in range(2)]
        version = connections.followed(player.user_id)[over]
        assert (await other.ask("leave_pair_quiz", {"session_id": over}))["ok"]
        await player.event("quiz_results")
        connections.follow(player.user_id, over, version=version, live=True)  # as if nothing had been heard of it
        for session_id in (over, live):
            await player.settled()
            await catch_up.run()
            states = [payload for name, payload in await player.settled() if name == "quiz_state"]
            assert [state["session_id"] for state in states] == [session_id]


async def test_who_was_taken_off_a_match_while_it_was_found_is_told_nothing_of_it(server: Server) -> None:
    game, connections = server.running.game, server.running.drain._connections
    async with connected(server.url) as player, connected(server.url) as other, connected(server.url) as erased:
        started = await started_match(player, other)
        (match,) = await game.live_matches(player.user_id)
        assert match.id == started["session_id"]
        assert await CatchUp(game, connections).tell(erased.user_id, [match]) == 0
        assert await erased.settled() == []
