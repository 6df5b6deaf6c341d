"""Names, bans, erasure and export as players meet them, and as the others do."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from pairquiz_server import node
from pairquiz_server.engine.people import EXPORTS_AT_ONCE
from pairquiz_server.rules.errors import Refused
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.server import BAN_SECRET, ServerState
from pairquiz_server.web.identity.auth import sign_user_token
from tests.client import Client, connected, ready_match, started_match
from tests.conftest import Server, StartServer
from tests.web.conftest import SECRET
from tests.web.duel import answering
from tests.web.polling import polling
from tests.web.rest import CREATE, SLASH, Rest

SHARED = pytest.mark.asyncio(loop_scope="session")
ME, EXPORT = "/api/me", "/api/me/export"
GONE_S = 20.0


async def bans_of(server: Server) -> Bans:
    database = server.running.database
    return Bans(database, await ServerState(database).shared(BAN_SECRET))


async def farewell(client: Client) -> dict[str, Any]:
    """Wait until a connection is sent away for good, and return why."""
    async with asyncio.timeout(GONE_S):
        why = await client.event("error")
        await client.event("disconnect")
        await client.closed()
    return why


async def refused_connection(url: str, token: str) -> dict[str, Any]:
    async with connected(url, token=token, welcome=False) as client:
        return await client.event("connect_error")


async def until_gone(server: Server, player_id: str) -> None:
    """Wait until nothing of a player is left."""
    async with asyncio.timeout(GONE_S):
        while player_id in await Erasures(server.running.database).pending():
            pass


async def until_let_in(rest: Rest, token: str) -> dict[str, Any]:
    """Wait until a player may play again, and return its profile."""
    async with asyncio.timeout(GONE_S):
        while (found := await rest.call("GET", ME, token=token))[0] != 200:
            pass
    profile: dict[str, Any] = found[1]
    return profile


@SHARED
async def test_a_chosen_name_is_what_the_opponent_reads(
    shared_server: Server, rest: Rest, player: Client, other: Client
) -> None:
    before = await player.ask("set_profile", {})
    assert before == {
        "ok": True, "user_id": player.user_id, "kind": "guest", "display_name": before["display_name"],
        "known_since": None, "record_runs": True,
        "rating": 1500, "provisional": True, "rated": 0, "matches": 0, "won": 0, "lost": 0, "draw": 0, "topics": [],
    }  # fmt: skip
    chosen = await player.ask("set_profile", {"display_name": "  Zoe\u0308   da  Silva 🦊 "})
    assert (chosen["display_name"], chosen["known_since"] is None) == ("Zoë da Silva 🦊", False)
    session_id = await ready_match(player, other)
    seen = await other.ask("resume_pair_quiz", {"session_id": session_id})
    assert seen["opponent"]["display_name"] == "Zoë da Silva 🦊"
    status, changed = await rest.call("PATCH", ME, token=player.token, body={"display_name": "محمد"})
    assert (status, changed["display_name"]) == (200, "محمد")
    await player.ask("start_quiz", {"session_id": session_id})
    started = await other.event("quiz_started")
    for client in (player, other):
        for place in range(len(started["questions"])):
            await client.ask("submit_answer", answering(started, place))
    assert (await other.event("quiz_results"))["opponent"]["display_name"] == "محمد"
    assert (await rest.call("GET", ME, token=player.token))[1] == changed
    async with connected(shared_server.url, token=player.token) as again:
        created = await again.ask("create_pair_quiz")
        joined = await other.ask("join_pair_quiz", {"session_id": created["session_id"]})
        assert joined["opponent"]["display_name"] == "محمد"


@SHARED
async def test_a_name_that_hides_something_is_refused_and_the_old_one_stays(rest: Rest, player: Client) -> None:
    for name in ("", " ", "\u202eAda", "x" * 41, "a\nb", 7, ["Ada"]):
        error = (await player.ask("set_profile", {"display_name": name}))["error"]
        assert (error["code"], error["message"].partition(":")[0]) == ("invalid_payload", "display_name")
        await rest.refused(400, "invalid_payload", "PATCH", ME, token=player.token, body={"display_name": name})
    assert (await player.ask("set_profile"))["known_since"] is None
    await rest.refused(401, "unauthorized", "PATCH", ME, body={"display_name": "Ada"})


@SHARED
async def test_somebody_who_is_banned_is_cut_and_the_opponent_has_won(
    shared_server: Server, rest: Rest, player: Client, other: Client
) -> None:
    async with (
        connected(shared_server.url, token=player.token) as tab,
        polling(shared_server.url, token=player.token) as poller,
    ):
        await poller.event("welcome")
        ready = await ready_match(other, player)
        started = await started_match(player, other)
        await (await bans_of(shared_server)).ban(player.user_id, "a note", 7 * 24 * 3600)
        for client in (player, tab):
            why = await farewell(client)
            assert (why["code"], why["retry"], why["command"]) == ("forbidden", False, "connect")
            assert "6 days" in why["message"]
        assert (await poller.event("error"))["code"] == "forbidden"
        await poller.next_packet("41")
    results = await other.event("quiz_results")
    assert (results["session_id"], results["outcome"], results["reason"]) == (
        started["session_id"], "won", "opponent_left"
    )  # fmt: skip
    assert (await other.event("opponent_left"))["session_id"] in (ready, started["session_id"])
    assert (await other.ask("resume_pair_quiz", {"session_id": ready}))["status"] == "abandoned"
    again = await refused_connection(shared_server.url, player.token)
    assert again["data"] == {"code": "forbidden", "retry": False}
    assert "a note" not in json.dumps(again)
    for method, path in (("POST", CREATE), ("GET", ME), ("PATCH", ME), ("GET", f"/api/pair-quiz/{ready}")):
        await rest.refused(403, "forbidden", method, path, token=player.token)
    assert (await rest.call("GET", EXPORT, token=player.token))[1]["bans"][0]["reason"] == "a note"
    assert await (await bans_of(shared_server)).unban(player.user_id)
    await until_let_in(rest, player.token)
    async with connected(shared_server.url, token=player.token):
        pass


async def test_a_ban_cuts_at_every_node_and_outlives_an_erasure(start_server: StartServer) -> None:
    one, two = await start_server(), await start_server()
    async with connected(one.url) as player, connected(two.url, token=player.token) as tab, connected(two.url) as guest:
        bans, erasures = await bans_of(one), Erasures(one.running.database)
        started = await started_match(tab, guest)
        await erasures.wish(player.user_id)
        await bans.ban(player.user_id, None, None)
        assert {(await farewell(client))["code"] for client in (player, tab)} == {"forbidden"}
        await until_gone(one, player.user_id)
        state = await guest.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert state["results"]["outcome"] == "won"
        assert state["opponent"]["display_name"] == state["results"]["opponent"]["display_name"] == "Erased player"
        for server in (one, two):
            refusal = await refused_connection(server.url, player.token)
            assert (refusal["data"]["code"], "banned" in refusal["message"]) == ("forbidden", True)
        three = await start_server()
        assert (await refused_connection(three.url, player.token))["data"]["code"] == "forbidden"


async def test_a_node_knows_the_bans_before_it_listens(start_server: StartServer, database_url: str) -> None:
    server = await start_server()
    await (await bans_of(server)).ban("anna", None, None)
    async with node.running(server.settings, database_url) as starting:
        with pytest.raises(Refused):
            starting.people.check("anna")
        starting.people.check("ben")


@SHARED
@SLASH
async def test_somebody_who_erases_itself_is_cut_and_may_come_back_as_somebody_new(
    shared_server: Server, rest: Rest, player: Client, other: Client, slash: str
) -> None:
    await player.ask("set_profile", {"display_name": "Somebody"})
    await ready_match(player, other)
    assert await rest.call("DELETE", ME + slash, token=player.token) == (202, {"status": "erasing"})
    assert (await farewell(player))["code"] == "forbidden"
    assert (await other.event("opponent_left"))["session_id"]
    await rest.refused(403, "forbidden", "GET", ME, token=player.token)
    assert await rest.call("DELETE", ME, token=player.token) == (202, {"status": "erasing"})
    assert "erased" in (await refused_connection(shared_server.url, player.token))["message"]
    if slash:
        return  # once is enough to wait for
    await until_gone(shared_server, player.user_id)
    found = await until_let_in(rest, player.token)
    assert found["known_since"] is None
    assert found["display_name"].startswith("Guest ")


@SHARED
@SLASH
async def test_an_export_has_what_one_has_played(rest: Rest, player: Client, other: Client, slash: str) -> None:
    started = await started_match(player, other)
    await player.ask("submit_answer", answering(started))
    status, whole = await rest.call("GET", EXPORT + slash, token=player.token)
    assert status == 200
    assert [match["id"] for match in whole["matches"]] == [started["session_id"]]
    assert whole["matches"][0]["answers"][0]["question_id"] == started["questions"][0]["id"]
    assert whole["player"]["id"] == player.user_id
    assert other.user_id not in json.dumps(whole)
    assert (await rest.call("HEAD", EXPORT, token=player.token))[0] == 200
    await rest.refused(401, "unauthorized", "GET", EXPORT)


@SHARED
async def test_exports_beyond_some_wait_for_their_turn(shared_server: Server, rest: Rest, player: Client) -> None:
    people = shared_server.running.people
    under_way = [people.export(player.user_id) for _ in range(EXPORTS_AT_ONCE)]
    for one in under_way:
        await anext(one)
    error = await rest.refused(429, "rate_limited", "GET", EXPORT, token=player.token)
    assert (error["retry"], error["retry_in_ms"] > 0) == (True, True)
    assert (await player.ask("create_pair_quiz"))["ok"]
    await under_way[0].aclose()
    assert (await rest.call("GET", EXPORT, token=player.token))[0] == 200
    await under_way[1].aclose()


async def test_the_stand_in_of_the_erased_is_nobodys_identity(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET, PAIRQUIZ_SERVER__ALLOWED_ORIGINS='["*"]')
    token = sign_user_token(server.settings, "erased", lifetime_s=60)
    assert (await refused_connection(server.url, token))["data"]["code"] == "unauthorized"
    async with ClientSession() as session:
        for method in ("GET", "DELETE"):
            await Rest(session, server.url).refused(401, "unauthorized", method, ME, token=token)
