"""Both doors, before tokens of every kind: 400 forged ones, good ones, and those that end meanwhile."""

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession
from msgspec import Struct

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.web.guard.buckets import Bucket, Rate
from pairquiz_server.web.guard.pace import Pace
from pairquiz_server.web.identity.auth import Identity
from pairquiz_server.web.sockets.connections import Connection
from pairquiz_server.web.sockets.expiry import WARNING_MS, Expiry
from pairquiz_server.web.sockets.send_queue import SendQueue
from tests.client import PATIENCE_S, Client, connected, started_match
from tests.conftest import Server, StartServer
from tests.web.conftest import SECRET
from tests.web.forgeries import FORGERIES, GOOD
from tests.web.issuer import EC, GUEST_KEY, GUESTS, HS, RSA, Issuer, guest_claims
from tests.web.polling import Poller, polling

HEADER_MAX = 16_000


@asynccontextmanager
async def issuing(start_server: StartServer, **environ: str) -> AsyncIterator[tuple[Server, Issuer]]:
    """A server that knows guests, the secret and the published keys of an issuer."""
    async with Issuer().listening() as issuer:
        server = await start_server(
            JWT_SECRET=SECRET,
            PAIRQUIZ_GUEST_SECRET=GUEST_KEY.decode(),
            PAIRQUIZ_AUTH__JWKS_URL=issuer.url,
            PAIRQUIZ_AUTH__ISSUER="us",
            PAIRQUIZ_AUTH__MODE="guest",
            **environ,
        )
        yield server, issuer


async def test_both_doors_take_every_good_token_and_no_forged_one(start_server: StartServer) -> None:
    unlimited = {"PAIRQUIZ_LIMITS__FAILED_TOKENS_PER_MINUTE_PER_ADDRESS": "0"}
    async with issuing(start_server, **unlimited) as (server, issuer), ClientSession() as session:
        url = f"{server.url}/api/pair-quiz/join/"
        for name, token in GOOD.items():
            async with connected(server.url, token=token) as client:
                assert client.user_id == "anna", name
            async with session.post(url, json={}, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (400, "invalid_payload"), name
        assert len(FORGERIES) > 400
        async with connected(server.url, welcome=False) as client:
            await client.event("welcome")
            await client.send_frame("41")
            for name, token in FORGERIES.items():
                if not token.isprintable():
                    continue  # such a JSON text is no CONNECT
                await client.send_frame("40" + json.dumps({"token": token}))
                error = await client.event("connect_error")
                assert error["data"] == {"code": "unauthorized", "retry": False}, (name, error)
                assert error.keys() == {"message", "data"}
                assert len(error["message"]) < 150, name
                assert error["message"].isprintable(), name
        for name, token in FORGERIES.items():
            if not (token.isascii() and token.isprintable() and len(token) < HEADER_MAX):
                continue  # no header has it
            async with session.post(url, json={}, headers={"Authorization": f"Bearer {token}"}) as answer:
                error = (await answer.json())["error"]
                assert (answer.status, error["code"], error["retry"]) == (401, "unauthorized", False), (name, error)
        assert len(issuer.requests) <= 2, "unknown keys by the dozen, and at most one fetch for all of them"


async def test_a_token_that_ends_is_announced_and_then_its_connection_ends(start_server: StartServer) -> None:
    async with issuing(start_server) as (server, _):
        lasting = HS.token(iss="us", sub="bob")
        async with (
            connected(server.url, token=lasting) as bob,
            connected(server.url, token=lasting) as wise,
            polling(server.url, token=lasting) as poller,
        ):
            await poller.event("welcome")
            exp = int(time.time()) + 3
            ending = {"token": EC.token(iss="us", sub="bob", exp=exp)}

            async def hear(client: Client | Poller) -> None:
                assert await client.ask("refresh_token", ending) == {"ok": True, "expires_at": exp * 1000}
                assert await client.event("token_expiring") == {"expires_at": exp * 1000}

            await asyncio.gather(hear(bob), hear(wise), hear(poller))
            assert (await wise.ask("refresh_token", {"token": lasting}))["expires_at"] > exp * 1000
            await bob.event("disconnect")
            assert await bob.closed() == 1008
            assert time.time() >= exp
            await poller.next_packet("41")
            assert await poller.ended()
            assert await wise.settled() == [], "who has a newer token stays"
            assert server.running.metrics.registry.get_sample_value("pairquiz_tokens_ended_total") == 2


async def test_a_player_whose_token_ends_keeps_the_seat_and_returns_with_the_next_one(
    start_server: StartServer,
) -> None:
    async with issuing(start_server) as (server, _), connected(server.url, token=HS.token(iss="us")) as anna:
        lasting = RSA.token(iss="us", sub="bob")
        async with connected(server.url, token=lasting) as bob:
            started = await started_match(anna, bob)
            ending = RSA.token(iss="us", sub="bob", exp=int(time.time()) + 2)
            assert (await bob.ask("refresh_token", {"token": ending}))["ok"]
            await bob.event("disconnect")
        assert (await anna.event("opponent_disconnected"))["cause"] == "connection_lost"
        async with connected(server.url, token=ending, welcome=False) as late:
            assert (await late.event("connect_error"))["data"]["code"] == "unauthorized"
        async with connected(server.url, token=lasting) as bob:
            assert (await bob.event("quiz_state"))["session_id"] == started["session_id"]
            await anna.event("opponent_reconnected")


async def test_only_a_good_token_of_the_same_player_follows(start_server: StartServer) -> None:
    async with issuing(start_server) as (server, _):
        async with connected(server.url, token=HS.token(iss="us")) as anna:
            for token, code in (
                (HS.token(iss="us", sub="bob"), "forbidden"),
                (GUESTS.signed(GUESTS.header, guest_claims()), "forbidden"),
                (HS.token(iss="us", exp=int(time.time()) - 1), "unauthorized"),
                ("nonsense", "unauthorized"),
                ("x" * 9000, "unauthorized"),
                ("", "invalid_payload"),
                (7, "invalid_payload"),
                (None, "invalid_payload"),
            ):
                error = (await anna.ask("refresh_token", {"token": token}))["error"]
                assert (error["code"], error["retry"]) == (code, False), token
            await anna.emit("refresh_token", {"token": "nonsense"})
            assert (await anna.event("error"))["command"] == "refresh_token"
            await anna.emit("refresh_token", {"token": HS.token(iss="us")})
            assert await anna.settled() == [], "without an acknowledgement nothing is said of success"
        async with connected(server.url) as guest:
            refreshed = await guest.ask("refresh_token", {"token": guest.token})
            assert refreshed["expires_at"] > (time.time() + 89 * 24 * 3600) * 1000
            async with connected(server.url, token=refreshed["guest_token"]) as same:
                assert same.user_id == guest.user_id
            assert (await guest.ask("refresh_token", {"token": same.token + "x"}))["error"]["code"] == "unauthorized"


async def test_who_is_gone_is_remembered_by_nobody(start_server: StartServer) -> None:
    """Least of all until the end of a token that holds for years."""

    def remembered() -> bool:
        return any(isinstance(one, Connection) and one.player.id == "gone" for one in gc.get_objects())

    async with issuing(start_server) as (server, _), connected(server.url) as other:
        async with connected(server.url, token=HS.token(iss="us", sub="gone")) as client:
            assert remembered()
            await client.close()
        async with asyncio.timeout(PATIENCE_S):
            while remembered():
                await other.ask("sync_clock")


class Watched(Struct):
    """Real connections, watched by a clock that only the test moves."""

    expiry: Expiry
    now: list[float]

    def connection(self, expires_at: int) -> tuple[Connection, SendQueue]:
        queue = SendQueue(0, lambda queue: None, Pace(Rate(0, 0), lambda: None))
        session: Any = SimpleNamespace(queue=queue)
        connection = Connection("sid", self.identity(expires_at), session, "192.0.2.1", Bucket(Rate(0, 1)))
        connection.welcome(b"0")
        queue.get_nowait()
        self.expiry.watch(connection)
        return connection, queue

    def identity(self, expires_at: int) -> Identity:
        return Identity(Player("anna", PlayerKind.USER, "Anna"), expires_at)

    def look(self, at_ms: int) -> list[Connection]:
        self.now[0] = at_ms / 1000
        return self.expiry.look()


@pytest.fixture
def watched() -> Watched:
    now = [0.0]
    return Watched(Expiry(Metrics(), lambda: now[0]), now)


async def test_each_token_is_warned_of_once_a_minute_before_its_end(watched: Watched) -> None:
    end = 10 * WARNING_MS
    connection, queue = watched.connection(end)
    for at, warnings in ((0, 0), (end - WARNING_MS - 1, 0), (end - WARNING_MS, 1), (end - 1, 1), (0, 1), (end - 1, 1)):
        assert watched.look(at) == []
        assert queue.qsize() == warnings, at
    assert watched.look(end) == [connection]
    assert watched.look(2 * end) == []
    assert len(watched.expiry) == 0


async def test_the_newest_token_counts_and_a_clock_may_jump(watched: Watched) -> None:
    end = 10 * WARNING_MS
    connection, queue = watched.connection(end)
    watched.look(end - 1)
    connection.identity = watched.identity(2 * end)
    watched.expiry.watch(connection)
    assert watched.look(end) == []
    assert queue.qsize() == 1
    connection.identity = watched.identity(2 * end - 1)  # a shorter one: it is what is there now
    watched.expiry.watch(connection)
    assert watched.look(10 * end) == [connection], "a jump over the warning"
    other, _ = watched.connection(30 * end)
    watched.expiry.forget(other)
    assert watched.look(40 * end) == []


async def test_connections_that_come_and_go_fill_no_memory(watched: Watched) -> None:
    staying = [watched.connection(10**12)[0] for _ in range(10)]
    for _ in range(20_000):
        watched.expiry.watch(staying[0])
    assert len(watched.expiry) < 2000
    assert set(watched.look(10**12)) == set(staying)
