"""What one player, one address and everybody may ask for, over websockets, polls and REST together."""

import asyncio
from collections import Counter
from math import ceil
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession

from pairquiz_server import config
from pairquiz_server.engine.codes import JOIN_CODE_ALPHABET, JOIN_CODE_LENGTH
from pairquiz_server.web.guard.buckets import Rate
from tests.client import Client, connected
from tests.conftest import StartServer
from tests.web.polling import polling
from tests.web.rest import CREATE, JOIN, Rest
from tests.web.test_exposition import TOKEN, sample

BEHIND_A_PROXY = {"PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1", "PAIRQUIZ_METRICS__TOKEN": TOKEN}
HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "192.0.2.3"
NAMES = config.load(environ={}).limits.__struct_fields__


def limits(**settings: int | float) -> dict[str, str]:
    return {f"PAIRQUIZ_LIMITS__{name.upper()}": str(value) for name, value in settings.items()}


def seen_from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def rate_limited(answer: dict[str, Any]) -> bool:
    if answer["ok"]:
        return False
    assert (answer["error"]["code"], answer["error"]["retry"]) == ("rate_limited", True)
    assert answer["error"]["retry_in_ms"] > 0
    return True


async def limited(url: str, limit: str) -> float:
    return await sample(url, f'pairquiz_limited_total{{limit="{limit}"}}')


async def test_commands_are_limited_by_connection_and_by_player_whatever_carries_them(
    start_server: StartServer,
) -> None:
    server = await start_server(**limits(commands_per_s=0.01, commands_burst=5))
    async with ClientSession() as session, connected(server.url) as first, connected(server.url) as stranger:
        rest = Rest(session, server.url)
        assert [rate_limited(await first.ask("sync_clock")) for _ in range(8)] == [False] * 5 + [True] * 3
        assert rate_limited(await first.ask("no_such_command")), "whatever is asked for"
        await first.emit("create_pair_quiz")
        error = await first.event("error")
        assert (error["code"], error["command"], error["retry"]) == ("rate_limited", "create_pair_quiz", True)
        assert error["retry_in_ms"] > 1000

        async with polling(server.url, token=first.token) as second:
            assert [rate_limited(await second.ask("sync_clock")) for _ in range(4)] == [False] * 4
        await rest.call("POST", CREATE, token=first.token)  # the tenth of this player
        await server.running.database.close()
        async with session.post(
            server.url + CREATE, headers={"Authorization": f"Bearer {first.token}"}
        ) as response:  # and refused before the database is asked, which is away
            error = (await response.json())["error"]
            assert (response.status, error["code"], error["retry"]) == (429, "rate_limited", True)
            assert int(response.headers["Retry-After"]) == ceil(error["retry_in_ms"] / 1000)
        await rest.refused(429, "rate_limited", "GET", f"/api/pair-quiz/{uuid4()}", token=first.token)
        assert not rate_limited(await stranger.ask("sync_clock"))
    assert (await limited(server.url, "commands_per_s"), await limited(server.url, "commands_per_s_by_player")) == (
        5,
        2,
    )


async def test_who_waits_as_told_goes_on_and_nobody_is_closed(start_server: StartServer) -> None:
    server = await start_server(**limits(commands_per_s=20, commands_burst=1))
    async with connected(server.url) as player, connected(server.url) as neighbour:
        for number in range(120):
            await player.send_frame(f'42{number + 1000}["sync_clock"]')
        assert not rate_limited(await neighbour.ask("sync_clock"))
        while rate_limited(answer := await player.ask("sync_clock")):  # noqa: ASYNC110 - it waits as it was told
            await asyncio.sleep(answer["error"]["retry_in_ms"] / 1000)
        answers = Counter(rate_limited(player._acks[number + 1000]) for number in range(120))
        assert answers[True] > 60, "each is answered"


async def test_zero_is_no_limit(start_server: StartServer) -> None:
    counts = ("commands_per_s", "connections", "live_matches_per_user", *(n for n in NAMES if "_per_minute" in n))
    server = await start_server(**limits(**dict.fromkeys((*counts, "connections_per_address"), 0), commands_burst=1))
    async with connected(server.url) as player:
        for _ in range(30):
            created = await player.ask("create_pair_quiz")
            missed = await player.ask("join_pair_quiz", {"join_code": "00000000"})
            assert (created["ok"], missed["error"]["code"]) == (True, "not_found")


async def test_creations_are_limited_by_player_by_address_and_by_matches_that_are_not_over(
    start_server: StartServer,
) -> None:
    server = await start_server(
        **BEHIND_A_PROXY,
        **limits(creations_per_minute=4, creations_per_minute_per_address=8, live_matches_per_user=3),
    )
    async with (
        ClientSession() as session,
        connected(server.url, X_Forwarded_For=HERE) as first,
        connected(server.url, X_Forwarded_For=HERE) as second,
        connected(server.url, X_Forwarded_For=HERE) as third,
    ):
        created = [await first.ask("create_pair_quiz") for _ in range(5)]
        assert [one["ok"] for one in created] == [True, True, True, False, False]
        assert (created[3]["error"]["code"], created[3]["error"]["retry"]) == ("too_many_sessions", False)
        assert rate_limited(created[4])

        rest = Rest(session, server.url)
        calls = [rest.call("POST", CREATE, token=second.token, headers=seen_from(HERE)) for _ in range(4)]
        outcomes = Counter(status for status, _ in await asyncio.gather(*calls))
        assert outcomes == {201: 3, 409: 1}, "at the same instant, too"

        assert rate_limited(await third.ask("create_pair_quiz"))
        await rest.refused(429, "rate_limited", "POST", CREATE, token=third.token, headers=seen_from(HERE))
        assert (await rest.call("POST", CREATE, token=third.token, headers=seen_from(THERE)))[0] == 201
    for limit, count in (("creations_per_minute", 1), ("creations_per_minute_per_address", 2)):
        assert await limited(server.url, limit) == count
    assert await sample(server.url, 'pairquiz_refusals_total{code="too_many_sessions"}') == 2


async def test_a_match_that_is_over_makes_room_for_another(start_server: StartServer) -> None:
    server = await start_server(**limits(live_matches_per_user=1))
    async with connected(server.url) as player:
        created = await player.ask("create_pair_quiz", {"request_id": "mine"})
        assert (await player.ask("create_pair_quiz"))["error"]["code"] == "too_many_sessions"
        again = await player.ask("create_pair_quiz", {"request_id": "mine"})
        assert (again["session_id"], again["duplicate"]) == (created["session_id"], True)
        await player.ask("leave_pair_quiz", {"session_id": created["session_id"]})
        assert (await player.ask("create_pair_quiz"))["ok"]


async def guess(player: Client, join_code: str = "00000000") -> str:
    answer = await player.ask("join_pair_quiz", {"join_code": join_code})
    return "ok" if answer["ok"] else str(answer["error"]["code"])


async def test_join_codes_cannot_be_tried_by_player_by_address_nor_by_everybody(start_server: StartServer) -> None:
    server = await start_server(**BEHIND_A_PROXY, **limits(failed_joins_per_minute=5, all_failed_joins_per_minute=12))
    wrong = {"join_code": "00000000"}
    async with (
        ClientSession() as session,
        connected(server.url, X_Forwarded_For=ELSEWHERE) as creator,
        connected(server.url, X_Forwarded_For=HERE) as first,
        connected(server.url, X_Forwarded_For=THERE) as second,
        connected(server.url, X_Forwarded_For=ELSEWHERE) as third,
    ):
        rest = Rest(session, server.url)
        matches = [await creator.ask("create_pair_quiz") for _ in range(9)]
        assert [await guess(second, match["join_code"]) for match in matches[:6]] == ["ok"] * 6, "a hit costs nothing"
        assert [await guess(second, "x" * 99) for _ in range(6)] == ["invalid_payload"] * 6, "nor does no code"

        assert [await guess(first) for _ in range(6)] == ["not_found"] * 5 + ["rate_limited"]
        assert await guess(first, matches[6]["join_code"]) == "rate_limited", "not even by chance"
        for number in (6, 6):
            joined = await first.ask("join_pair_quiz", {"session_id": matches[number]["session_id"]})
            assert joined["ok"], "a link is no guess"
        assert (await first.ask("join_pair_quiz", {"session_id": str(uuid4())}))["error"]["code"] == "not_found"
        for player, address in ((first, THERE), (second, HERE)):
            error = await rest.refused(
                429, "rate_limited", "POST", JOIN, token=player.token, body=wrong, headers=seen_from(address)
            )
            assert error["retry_in_ms"] > 0

        calls = [rest.call("POST", JOIN, token=second.token, body=wrong, headers=seen_from(THERE)) for _ in range(20)]
        outcomes = Counter(status for status, _ in await asyncio.gather(*calls))
        assert outcomes == {404: 5, 429: 15}, "at the same instant, too"

        assert [await guess(third) for _ in range(3)] == ["not_found", "not_found", "rate_limited"]
        assert (await third.ask("join_pair_quiz", {"session_id": matches[8]["session_id"]}))["ok"]
    for limit in ("failed_joins_per_minute", "failed_joins_per_minute_by_address", "all_failed_joins_per_minute"):
        assert await limited(server.url, limit) > 0, limit


def test_no_code_of_a_thousand_matches_can_be_guessed_in_an_hour() -> None:
    settings = config.load(environ={}).limits
    codes, matches, processes, hour_s = len(JOIN_CODE_ALPHABET) ** JOIN_CODE_LENGTH, 1000, 5, 3600
    one_address = Rate.per_minute(settings.failed_joins_per_minute).most_in(hour_s)
    everybody = Rate.per_minute(settings.all_failed_joins_per_minute).most_in(hour_s)
    assert codes == 32**8
    assert processes * one_address * matches / codes < 1e-5
    assert processes * everybody * matches / codes < 0.01


async def test_an_address_with_too_many_wrong_tokens_waits(start_server: StartServer) -> None:
    server = await start_server(**BEHIND_A_PROXY, **limits(failed_tokens_per_minute_per_address=3))
    async with ClientSession() as session, connected(server.url, X_Forwarded_For=HERE) as player:
        rest = Rest(session, server.url)
        for wrong in ("no token", player.token + "x"):
            await rest.refused(401, "unauthorized", "POST", CREATE, token=wrong, headers=seen_from(HERE))
        url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
        async with session.ws_connect(url, headers=seen_from(HERE)) as socket:
            guesser = Client(socket)
            await guesser.send_frame('40{"token":"x"}')
            assert (await guesser.event("connect_error"))["data"]["code"] == "unauthorized"
            await guesser.send_frame('40{"token":"x"}')
            assert await guesser.closed() == 1013, "so that a stock client comes back"
        for token in ("no token", player.token):
            await rest.refused(429, "rate_limited", "POST", CREATE, token=token, headers=seen_from(HERE))
        handshake = f"{server.url}/socket.io/?EIO=4&transport=polling"
        async with session.get(handshake, headers=seen_from(HERE)) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (429, "rate_limited")
        assert (await player.ask("create_pair_quiz"))["ok"], "who is here already stays"
        async with connected(server.url, token=player.token, X_Forwarded_For=THERE) as back:
            assert back.user_id == player.user_id
    assert await limited(server.url, "failed_tokens_per_minute_per_address") >= 3
