"""Two who look for somebody find each other: what they hear, and each wrong way to ask."""

import itertools
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server.store.bans import Bans
from pairquiz_server.store.server import BAN_SECRET, ServerState
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server, StartServer
from tests.web.duel import names, with_and_without_ack
from tests.web.rest import JOIN, Rest
from tests.web.valkey import until

SHARED = pytest.mark.asyncio(loop_scope="session")
pytestmark = SHARED
_time_limits = itertools.count(100)


@pytest.fixture
def wishes() -> dict[str, Any]:
    """What nobody else looks for on the shared server."""
    return {"topic": "general", "question_count": 3, "time_limit": next(_time_limits)}


async def find(client: Client, wishes: dict[str, Any]) -> dict[str, Any]:
    answer = await client.ask("find_opponent", wishes)
    assert answer["ok"], answer
    return answer


async def code(client: Client, command: str, payload: Any) -> str:
    answer = await client.ask(command, payload)
    assert not answer["ok"], answer
    return str(answer["error"]["code"])


async def seekers(server: Server) -> set[str]:
    rows = await server.running.database.fetch("SELECT player_id FROM pairquiz.seekers")
    return {row["player_id"] for row in rows}


async def test_two_who_look_for_the_same_hear_of_each_other_on_every_connection(
    shared_server: Server, player: Client, other: Client, wishes: dict[str, Any]
) -> None:
    async with connected(shared_server.url, token=player.token) as tab:
        assert await find(player, wishes) == {"ok": True, "seeking": True}
        assert await find(other, wishes) == {"ok": True, "seeking": True}
        found = [await client.event("opponent_found") for client in (player, tab, other)]
        assert found[0] == found[1]
        for one in found:
            assert one.keys() == {"session_id", "topic", "status", "opponent", "starts_at", "version"}
            assert (one["topic"], one["status"], one["version"]) == ("General", "ready_to_start", 1)
            assert one["opponent"].keys() == {"display_name", "rating", "kind"}
            assert (one["opponent"]["rating"], one["opponent"]["kind"]) == (1500, "player")
            assert one["session_id"] == found[0]["session_id"]
        assert found[0]["opponent"] != found[2]["opponent"]
        state = await tab.ask("resume_pair_quiz", {"session_id": found[0]["session_id"]})
        assert (state["status"], state["starts_at"]) == ("ready", found[0]["starts_at"])
        assert {key: state["opponent"][key] for key in found[0]["opponent"]} == found[0]["opponent"]
        assert (await other.ask("start_quiz", {"session_id": found[0]["session_id"]}))["ok"]
        for client in (player, tab, other):
            started = await client.event("quiz_started")
            assert (len(started["questions"]), started["time_limit"]) == (3, wishes["time_limit"])


@pytest.fixture
async def hasty_server(start_server: StartServer) -> Server:
    """A server on which a match of two who were brought together starts at once, and nobody may be in many."""
    return await start_server(PAIRQUIZ_GAME__START_DELAY_MS="0", PAIRQUIZ_LIMITS__LIVE_MATCHES_PER_USER="2")


class TestOwnServer:
    pytestmark = pytest.mark.asyncio(loop_scope="function")

    async def test_the_match_starts_by_itself(self, hasty_server: Server) -> None:
        async with connected(hasty_server.url) as player, connected(hasty_server.url) as other:
            for client in (player, other):
                await find(client, {})
            started = [await client.event("quiz_started") for client in (player, other)]
            assert started[0] == started[1]

    async def test_who_is_in_too_many_matches_joins_and_finds_no_more(self, hasty_server: Server) -> None:
        url = hasty_server.url
        async with connected(url) as player, connected(url) as other, connected(url) as third:
            joined = [await ready_match(host, player) for host in (other, other)]
            waiting = await third.ask("create_pair_quiz", {})
            for wish in ({"session_id": waiting["session_id"]}, {"join_code": waiting["join_code"]}):
                assert await code(player, "join_pair_quiz", wish) == "too_many_sessions"
            assert await code(player, "find_opponent", {}) == "too_many_sessions"
            again = await player.ask("join_pair_quiz", {"session_id": joined[0]})
            assert (again["ok"], again["duplicate"]) == (True, True)
            assert (await player.ask("leave_pair_quiz", {"session_id": joined[0]}))["ok"]
            assert (await player.ask("join_pair_quiz", {"session_id": waiting["session_id"]}))["ok"]

    async def test_who_is_not_connected_joins_no_more_than_that_either(self, hasty_server: Server) -> None:
        async with ClientSession() as session, connected(hasty_server.url) as other:
            async with connected(hasty_server.url) as gone:
                token = gone.token
            rest = Rest(session, hasty_server.url)
            made = []
            for host in range(3):
                async with connected(hasty_server.url) as creator:
                    made.append((await creator.ask("create_pair_quiz", {}))["session_id"])
                    assert host < 3
            for session_id in made[:2]:
                assert (await rest.call("POST", JOIN, token=token, body={"session_id": session_id}))[0] == 200
            await rest.refused(409, "too_many_sessions", "POST", JOIN, token=token, body={"session_id": made[2]})
            assert (await other.ask("join_pair_quiz", {"session_id": made[2]}))["ok"]

    async def test_who_is_banned_looks_no_more_and_is_found_by_nobody(self, start_server: StartServer) -> None:
        """At another server than the one that was told to ban: each finds it out by itself."""
        here, there = await start_server(), await start_server()
        bans = Bans(here.running.database, await ServerState(here.running.database).shared(BAN_SECRET))
        async with connected(there.url) as banned, connected(here.url) as other, connected(here.url) as third:
            await find(banned, {})
            await bans.ban(banned.user_id, None, 3600)
            refusal = await banned.event("error")
            assert (refusal["code"], refusal["command"]) == ("forbidden", "connect")
            await banned.event("disconnect")

            async def looks_no_more() -> bool:
                return await seekers(here) == set()

            await until(looks_no_more)
            async with connected(there.url, token=banned.token, welcome=False) as again:
                assert (await again.event("connect_error"))["data"]["code"] == "forbidden"
            await find(other, {})
            assert (await other.event("opponent_search"))["seeking"] == 1
            await find(third, {})
            found = await other.event("opponent_found")
            assert found["session_id"] == (await third.event("opponent_found"))["session_id"]

    async def test_a_search_takes_a_place_among_the_matches(self, hasty_server: Server) -> None:
        async with connected(hasty_server.url) as player, connected(hasty_server.url) as other:
            assert (await player.ask("create_pair_quiz", {}))["ok"]
            await find(player, {})
            assert await code(player, "create_pair_quiz", {}) == "too_many_sessions"
            waiting = await other.ask("create_pair_quiz", {})
            assert await code(player, "join_pair_quiz", {"session_id": waiting["session_id"]}) == "too_many_sessions"
            assert (await player.ask("cancel_find_opponent"))["ok"]
            assert (await player.ask("join_pair_quiz", {"session_id": waiting["session_id"]}))["ok"]

    async def test_a_search_is_counted_like_a_creation(self, start_server: StartServer) -> None:
        server = await start_server(PAIRQUIZ_LIMITS__CREATIONS_PER_MINUTE="2")
        async with connected(server.url) as player:
            assert (await player.ask("create_pair_quiz", {}))["ok"]
            await find(player, {})
            assert await code(player, "find_opponent", {}) == "rate_limited"
            assert await player.ask("cancel_find_opponent", {}) == {"ok": True, "seeking": False}

    async def test_a_server_that_drains_refuses_and_leaves_nobody_in_the_queue(self, server: Server) -> None:
        async with connected(server.url) as player, connected(server.url) as late:
            await find(player, {})
            server.running.drain.begin()
            assert await code(late, "find_opponent", {}) == "draining"

            async def nobody_seeks() -> bool:
                return not await seekers(server)

            await until(nobody_seeks)

    async def test_who_is_erased_is_not_found(self, server: Server) -> None:
        async with connected(server.url) as player, ClientSession() as session:
            await find(player, {})
            status, _ = await Rest(session, server.url).call("DELETE", "/api/me/", token=player.token)
            assert status in (200, 202, 204)

            async def nobody_seeks() -> bool:
                return not await seekers(server)

            await until(nobody_seeks)


async def test_a_search_is_told_now_and_then(player: Client, wishes: dict[str, Any]) -> None:
    await find(player, wishes)
    for _ in range(2):
        news = await player.event("opponent_search")
        assert news.keys() == {"waited_ms", "rating_range", "seeking"}
        assert news["seeking"] == 1
    assert news["waited_ms"] > 0
    assert news["rating_range"] > 400


async def test_the_same_again_is_a_duplicate_and_other_wishes_are_not(player: Client, wishes: dict[str, Any]) -> None:
    await find(player, wishes)
    assert await find(player, wishes) == {"ok": True, "seeking": True, "duplicate": True}
    assert await find(player, wishes | {"question_count": 4}) == {"ok": True, "seeking": True}
    assert await find(player, wishes | {"question_count": 4, "accept_ghost": True}) == {"ok": True, "seeking": True}


async def test_who_cancels_looks_no_more(
    shared_server: Server, player: Client, other: Client, wishes: dict[str, Any]
) -> None:
    await find(player, wishes)
    assert await player.ask("cancel_find_opponent", {}) == {"ok": True, "seeking": False}
    assert await player.ask("cancel_find_opponent") == {"ok": True, "seeking": False, "duplicate": True}
    assert player.user_id not in await seekers(shared_server)


@pytest.mark.parametrize("way", ["closes", "is cut"])
async def test_who_goes_looks_no_more(shared_server: Server, wishes: dict[str, Any], way: str) -> None:
    async with connected(shared_server.url) as player:
        async with connected(shared_server.url, token=player.token) as tab:
            await find(tab, wishes)
        await player.settled()
        assert player.user_id in await seekers(shared_server), "another tab is there"
        if way == "is cut":
            player.cut()

    async def looks_no_more() -> bool:
        return player.user_id not in await seekers(shared_server)

    await until(looks_no_more)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"topic": "nothing of the kind"}, "not_enough_questions"),
        ({"question_count": 50, "topic": "Music"}, "not_enough_questions"),
        ({"question_count": 0}, "invalid_payload"),
        ({"question_count": 51}, "invalid_payload"),
        ({"time_limit": 4}, "invalid_payload"),
        ({"pace": "slow"}, "invalid_payload"),
        ({"scoring": "luck"}, "invalid_payload"),
        ({"accept_ghost": 1}, "invalid_payload"),
        ({"topic": "a\u0000b"}, "invalid_payload"),
        ([], "invalid_payload"),
    ],
)
async def test_what_nobody_can_look_for_is_refused(player: Client, wrong: Any, expected: str) -> None:
    assert await code(player, "find_opponent", wrong) == expected


async def test_without_an_acknowledgement_only_a_refusal_is_told(player: Client, wishes: dict[str, Any]) -> None:
    await player.emit("find_opponent", wishes)
    await player.emit("cancel_find_opponent")
    await player.emit("find_opponent", {"question_count": 0})
    heard = await player.settled()
    assert names(heard) == ["error"]
    assert (heard[0][1]["code"], heard[0][1]["command"]) == ("invalid_payload", "find_opponent")


class TestBlocks:
    async def test_two_of_whom_one_has_blocked_the_other_do_not_find_each_other_and_a_third_does(
        self, shared_server: Server, player: Client, other: Client, wishes: dict[str, Any]
    ) -> None:
        session = {"session_id": (await started_match(player, other))["session_id"]}
        expected = {"ok": True, **session, "blocked": True}
        assert await player.ask("block_player", session) == expected
        assert await player.ask("block_player", session) == expected | {"duplicate": True}
        for client in (player, other):
            await find(client, wishes)
        async with connected(shared_server.url) as third:
            await find(third, wishes)
            found = await third.event("opponent_found")
            state = await third.ask("resume_pair_quiz", {"session_id": found["session_id"]})
            assert state["opponent"]["display_name"] == found["opponent"]["display_name"]

        async def one_looks_on() -> bool:  # who was found is taken out of the queue a moment after it was told
            return len({player.user_id, other.user_id} & await seekers(shared_server)) == 1

        await until(one_looks_on)

    async def test_who_unblocks_finds_again(self, player: Client, other: Client, wishes: dict[str, Any]) -> None:
        session = {"session_id": (await started_match(player, other))["session_id"]}
        assert (await other.ask("block_player", session))["blocked"]
        for client in (player, other):
            await find(client, wishes)
        assert await other.ask("unblock_player", session) == {"ok": True, **session, "blocked": False}
        assert (await other.ask("unblock_player", session))["duplicate"]
        assert (await player.event("opponent_found"))["version"] == 1

    async def test_a_link_is_an_invitation_also_for_whom_one_has_blocked(self, player: Client, other: Client) -> None:
        session = {"session_id": (await started_match(player, other))["session_id"]}
        await player.ask("block_player", session)
        assert await ready_match(player, other)

    @with_and_without_ack
    @pytest.mark.parametrize("command", ["block_player", "unblock_player"])
    async def test_whom_nobody_knows_nobody_can_block(
        self, shared_server: Server, player: Client, other: Client, command: str, ack: bool
    ) -> None:
        async def refused(client: Client, payload: Any) -> str:
            if ack:
                return await code(client, command, payload)
            await client.emit(command, payload)
            return str((await client.event("error"))["code"])

        waiting = await player.ask("create_pair_quiz", {})
        await player.settled()
        session = {"session_id": waiting["session_id"]}
        assert await refused(player, session) == "wrong_state"
        assert await refused(other, session) == "not_a_player"
        assert await refused(player, {"session_id": "nothing"}) == "not_found"
        assert await refused(player, {}) == "invalid_payload"
