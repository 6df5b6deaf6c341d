"""Players who go away and come back: what the other hears, and how long a match waits."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession

from pairquiz_server.store.pool import Database
from pairquiz_server.web.sockets import welcome
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import answering, in_both_paces, names
from tests.web.polling import polling
from tests.web.rest import JOIN, Rest

# As short as settings can be: a match then ends within two seconds of the moment at which a player is away.
IMPATIENT = {"PAIRQUIZ_GAME__RECONNECT_GRACE_S": "1", "PAIRQUIZ_GAME__CLOSED_GRACE_S": "1"}
DEAD = UUID(int=1)
QUICK_PINGS = {"PAIRQUIZ_SERVER__PING_INTERVAL_S": "1", "PAIRQUIZ_SERVER__PING_TIMEOUT_S": "1"}


async def resumed(client: Client, session_id: str) -> dict[str, Any]:
    state = await client.ask("resume_pair_quiz", {"session_id": session_id})
    assert state["ok"], state
    return state


@in_both_paces
@pytest.mark.parametrize(
    ("way", "cause", "grace_ms"), [("close", "closed", 10_000), ("cut", "connection_lost", 30_000)]
)
async def test_a_player_hears_at_once_that_the_other_is_away_and_back(
    server: Server, way: str, cause: str, grace_ms: int, pace: str
) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, pace=pace)
        before = server.running.game.now()
        if way == "close":
            await second.close()
        else:
            second.cut()
        gone = await first.event("opponent_disconnected")
        assert (gone["session_id"], gone["cause"]) == (started["session_id"], cause)
        assert 0 <= gone["reconnect_by"] - grace_ms - before < 2000
        state = await resumed(first, started["session_id"])
        assert state["opponent"]["connected"] is False
        assert (state["opponent"]["cause"], state["opponent"]["reconnect_by"]) == (cause, gone["reconnect_by"])

        async with connected(server.url, token=second.token) as back:
            assert [one["session_id"] for one in back.welcome["sessions"]] == [started["session_id"]]
            returned = await first.event("opponent_reconnected")
            assert returned["version"] == gone["version"] + 1
            mended = await back.event("quiz_state")
            assert (mended["version"], mended["questions"]) == (returned["version"], started["questions"])
            assert "your_absence" not in mended
            assert (await first.ask("submit_answer", answering(started)))["version"] == returned["version"] + 1
            assert (await resumed(first, started["session_id"]))["opponent"]["connected"] is True


async def test_a_player_whose_network_goes_silent_is_away_when_a_ping_stays_unanswered(
    start_server: StartServer,
) -> None:
    server = await start_server(**QUICK_PINGS)
    async with connected(server.url) as first, connected(server.url) as second:
        await started_match(first, second)
        before = server.running.game.now()
        silent = asyncio.create_task(second.silent())
        assert (await first.event("opponent_disconnected"))["cause"] == "connection_lost"
        assert server.running.game.now() - before <= 3000  # interval and timeout, and a second
        await silent


@in_both_paces
async def test_a_connection_hears_by_itself_how_each_match_of_its_player_stands(server: Server, pace: str) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, pace=pace)
        await second.ask("submit_answer", answering(started))
        waiting = await second.ask("create_pair_quiz", {})
        async with connected(server.url, token=second.token) as tab:
            heard = await tab.settled()
            assert names(heard) == ["quiz_state"] * 2
            running, other = [payload for _, payload in heard]
            assert [one["session_id"] for one in tab.welcome["sessions"]] == [
                started["session_id"], waiting["session_id"],
            ]  # fmt: skip
            asked = await resumed(tab, started["session_id"])
            clock = {"ok", "server_time", "remaining_ms"}
            assert {key: running[key] for key in running.keys() - clock} == {
                key: asked[key] for key in asked.keys() - clock
            }
            assert (other["session_id"], other["join_code"]) == (waiting["session_id"], waiting["join_code"])


async def test_who_returns_before_anybody_has_noticed_hears_how_the_match_stands(
    server: Server, database: Database
) -> None:
    """As after the death of a server, whose word of who is connected is left behind."""
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        await database.fetch(
            "INSERT INTO pairquiz.nodes (id, started_at, beaten_at)"
            " SELECT $1, game_at, game_at + 3600000 FROM pairquiz.heartbeat",
            DEAD,
        )
        await database.fetch("INSERT INTO pairquiz.presence SELECT $1, $2, 1", second.user_id, DEAD)
        await second.close()
        async with connected(server.url, token=second.token) as back:
            heard = await back.settled()
            assert names(heard) == ["quiz_state"]
            assert heard[0][1]["version"] == started["version"]
            assert "your_absence" not in heard[0][1]
        assert "opponent_disconnected" not in names(await first.settled())


@pytest.mark.parametrize(("matches", "states"), [(2, 2), (3, 2)])
async def test_of_very_many_matches_the_latest_are_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, matches: int, states: int
) -> None:
    monkeypatch.setattr(welcome, "STATES_MAX", 2)
    async with connected(server.url) as player:
        made = [(await player.ask("create_pair_quiz", {}))["session_id"] for _ in range(matches)]
        async with connected(server.url, token=player.token) as tab:
            heard = [payload["session_id"] for _, payload in await tab.settled()]
            assert [one["session_id"] for one in tab.welcome["sessions"]] == made
            assert heard == made[-states:]


async def test_the_states_of_long_matches_are_no_more_than_may_wait_for_a_client(
    server: Server, database: Database
) -> None:
    """Else whoever is in many would be cut while being welcomed, and so each time."""
    await database.fetch(
        "UPDATE pairquiz.questions SET text = rpad(id || ' ', 1000, 'ж'),"
        " options = ARRAY(SELECT rpad(place || ' ', 300, 'ж') FROM generate_series(1, 4) AS place)"
    )
    async with connected(server.url) as player, connected(server.url) as other:
        played = [(await started_match(player, other, question_count=44))["session_id"] for _ in range(18)]
        async with connected(server.url, token=player.token) as tab:
            heard = [payload["session_id"] for _, payload in await tab.settled()]
            assert 0 < len(heard) < len(played)
            assert heard == played[-len(heard) :]
            state = await resumed(tab, played[0])
            assert len(state["questions"]) == 44


@in_both_paces
async def test_a_second_tab_that_closes_is_no_absence(server: Server, pace: str) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, pace=pace)
        async with connected(server.url, token=second.token) as tab:
            await tab.settled()
        second.cut()
        gone = await first.event("opponent_disconnected")  # of the last one alone
        assert gone["version"] == started["version"] + 1


async def test_a_dead_socket_that_times_out_after_its_successor_came_is_no_absence(start_server: StartServer) -> None:
    server = await start_server(**QUICK_PINGS)
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        async with connected(server.url, token=second.token) as successor:
            reading = asyncio.create_task(successor.event("quiz_results"))  # and answering pings
            alive = asyncio.create_task(first.event("opponent_completed"))
            await second.silent()
            assert not alive.done()
            alive.cancel()
            await asyncio.gather(alive, return_exceptions=True)
            await first.ask("leave_pair_quiz", {"session_id": started["session_id"]})
            await reading
        heard = names(await first.settled())
        assert not {"opponent_disconnected", "opponent_reconnected"} & set(heard)


async def test_an_upgrade_is_no_absence_and_a_closed_poll_is_one(server: Server) -> None:
    async with connected(server.url) as first, polling(server.url) as second:
        token = (await second.event("welcome"))["guest_token"]
        created = await second.ask("create_pair_quiz", {})
        session = {"session_id": created["session_id"]}
        await first.ask("join_pair_quiz", session)
        await first.ask("start_quiz", session)
        address = f"{server.url}/socket.io/?EIO=4&transport=websocket&sid={second.sid}"
        async with ClientSession() as browser, browser.ws_connect(address) as socket:
            await socket.send_str("2probe")
            assert (await socket.receive()).data == "3probe"
            await second.poll()
            await socket.send_str("5")
            await socket.send_str("4277" + '["sync_clock",{}]')
            while not (await socket.receive()).data.startswith("4377"):
                pass
            assert "opponent_disconnected" not in names(await first.settled())
        assert (await first.event("opponent_disconnected"))["cause"] == "closed"
        async with polling(server.url, token=token) as back:
            await first.event("opponent_reconnected")
            await back.post("1")
            assert (await first.event("opponent_disconnected"))["cause"] == "closed"


async def test_who_does_not_come_back_in_time_has_lost(start_server: StartServer, database: Database) -> None:
    server = await start_server(**IMPATIENT)
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        await second.ask("submit_answer", answering(started))
        second.cut()
        gone = await first.event("opponent_disconnected")
        await first.event("opponent_left")
        results = await first.event("quiz_results")
        assert (results["outcome"], results["reason"]) == ("won", "opponent_absent")
        assert results["version"] == gone["version"] + 1
        async with connected(server.url, token=second.token) as back:
            state = await resumed(back, started["session_id"])
            assert (state["status"], state["results"]["outcome"]) == ("completed", "lost")
            assert state["results"]["reason"] == "you_were_absent"
    (row,) = await database.fetch("SELECT ended_at, player2_reconnect_by FROM pairquiz.matches")
    assert row["ended_at"] >= row["player2_reconnect_by"] == gone["reconnect_by"]


async def test_a_match_that_both_have_left_alone_is_abandoned(start_server: StartServer) -> None:
    server = await start_server(**IMPATIENT)
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
    async with connected(server.url) as stranger:
        await ended(server, started["session_id"], stranger)
    async with connected(server.url, token=first.token) as back:
        state = await resumed(back, started["session_id"])
        assert (state["status"], state.get("results")) == ("abandoned", None)


async def ended(server: Server, session_id: str, client: Client) -> None:
    """Wait until a match is over."""
    async with asyncio.timeout(30):
        while True:
            match = await server.running.game.load(session_id)
            if match.ended_at is not None:
                return
            await client.settled()


async def test_who_has_completed_loses_nothing_by_going(start_server: StartServer) -> None:
    server = await start_server(**IMPATIENT)
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=1)
        await second.ask("submit_answer", answering(started, answer=0))
        await second.close()
        await first.settled()
        await first.ask("submit_answer", answering(started, answer=1))
        assert (await first.event("quiz_results"))["reason"] == "all_answered"


async def test_who_is_away_at_the_start_may_come_until_the_grace_is_over(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        session_id = await ready_match(first, second)
        await second.close()
        lobby = await first.event("opponent_disconnected")
        assert "reconnect_by" not in lobby
        started = await first.ask("start_quiz", {"session_id": session_id})
        gone = await first.event("opponent_disconnected")
        assert (gone["version"], gone["reconnect_by"]) == (started["version"], started["started_at"] + 30_000)
        async with connected(server.url, token=second.token) as back:
            await first.event("opponent_reconnected")
            assert (await back.event("quiz_state"))["status"] == "in_progress"


async def test_who_plays_by_rest_alone_counts_as_away(server: Server) -> None:
    async with connected(server.url) as first, ClientSession() as session:
        async with connected(server.url) as second:
            token = second.token
        rest = Rest(session, server.url)
        created = await first.ask("create_pair_quiz", {})
        joining = {"session_id": created["session_id"]}
        status, _ = await rest.call("POST", JOIN, token=token, body=joining)
        assert status == 200
        gone = await first.event("opponent_disconnected")
        assert gone["cause"] in (
            "closed",
            "connection_lost",
        )  # whichever was seen first: that it left, or that it is nowhere
        async with connected(server.url, token=token):
            await first.event("opponent_reconnected")


async def test_a_page_that_is_refreshed_twice_at_once_is_there_in_the_end(server: Server) -> None:
    async with AsyncExitStack() as pages, connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        token = second.token
        opening = [pages.enter_async_context(connected(server.url, token=token)) for _ in range(2)]
        one, other, _ = await asyncio.gather(*opening, second.close())
        await one.close()
        async with asyncio.timeout(30):
            while not (await resumed(first, started["session_id"]))["opponent"]["connected"]:
                pass
        await other.settled()
        assert (await other.ask("submit_answer", answering(started)))["ok"]
        assert (await resumed(first, started["session_id"]))["opponent"]["connected"] is True


async def test_a_client_that_sends_late_and_twice_what_it_kept_offline_counts_once(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=3)
        await second.ask("submit_answer", answering(started, 0))
        second.cut()
        await first.event("opponent_disconnected")
        async with connected(server.url, token=second.token, welcome=False) as back:
            for _ in range(2):  # what it emitted while it was away goes out before anything else
                for place in range(3):
                    await back.emit("submit_answer", answering(started, place))
            await back.event("welcome")
            own = [await back.event("answer_submitted") for _ in range(6)]
            assert [bool(one.get("duplicate")) for one in own] == [True, False, False, True, True, True]
            results = await ended_results(first, started)
            assert results["reason"] == "all_answered"


async def ended_results(client: Client, started: dict[str, Any]) -> dict[str, Any]:
    for place in range(3):
        await client.ask("submit_answer", answering(started, place))
    return await client.event("quiz_results")


async def test_a_phone_that_slept_finds_the_result_of_what_went_on_without_it(start_server: StartServer) -> None:
    """Its socket seems open when it wakes: what it sends goes nowhere, and the client connects anew."""
    server = await start_server(**IMPATIENT, **QUICK_PINGS)
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        await first.event("opponent_disconnected")  # nobody reads for it, and so no ping is answered
        assert (await first.event("quiz_results"))["outcome"] == "won"
        await second.silent()
        async with connected(server.url, token=second.token) as awake:
            assert awake.welcome["sessions"] == []
            late = await awake.ask("submit_answer", answering(started))
            assert late["error"]["code"] == "wrong_state"
            state = await resumed(awake, started["session_id"])
            assert state["results"]["reason"] == "you_were_absent"


async def test_a_tab_at_another_server_keeps_its_player_present(start_server: StartServer, database: Database) -> None:
    here, there = await start_server(), await start_server()
    async with connected(here.url) as first, connected(here.url) as second:
        started = await started_match(first, second)
        async with connected(there.url, token=second.token) as tab:
            await noted(database, tab, nodes=2)
            await second.close()
            await noted(database, tab, nodes=1)
            async with connected(here.url, token=second.token) as again:
                await again.settled()
            state = await resumed(first, started["session_id"])
            assert (state["version"], state["opponent"]["connected"]) == (started["version"], True)
        async with asyncio.timeout(30):
            while (await resumed(first, started["session_id"]))["opponent"]["connected"]:
                pass


async def noted(database: Database, player: Client, *, nodes: int) -> None:
    """Wait until a player counts as connected to so many nodes."""
    query = "SELECT count(*) FROM pairquiz.presence WHERE player_id = $1"
    async with asyncio.timeout(30):
        while await database.fetchval(query, player.user_id) != nodes:
            await player.settled()


async def test_a_player_comes_back_to_another_server_over_another_transport(start_server: StartServer) -> None:
    here, there = await start_server(), await start_server()
    async with connected(here.url) as first, connected(here.url) as second:
        started = await started_match(first, second)
        await second.ask("submit_answer", answering(started))
        second.cut()
        await first.event("opponent_disconnected")
        async with polling(there.url, token=second.token) as back:
            assert [one["session_id"] for one in (await back.event("welcome"))["sessions"]] == [started["session_id"]]
            state = await back.ask("resume_pair_quiz", {"session_id": started["session_id"]})
            assert len(state["your_answers"]) == 1
            answered = await back.ask("submit_answer", answering(started, 1))
            assert answered["ok"], answered
            async with asyncio.timeout(30):
                while not (await resumed(first, started["session_id"]))["opponent"]["connected"]:
                    pass
