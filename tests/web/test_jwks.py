"""The issuer's keys come over HTTP: how often they are fetched, who waits, and what an endpoint cannot do to us."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import ClientSession, web

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.identity import jwks
from pairquiz_server.web.identity.jwks import DOCUMENT_MAX, UNKNOWN_EVERY_S, IssuerKeys
from tests.client import PATIENCE_S, Closed, connected, started_match
from tests.conftest import StartServer
from tests.web.conftest import SECRET
from tests.web.issuer import EC, ED, HS, RSA, Answer, Issuer, another
from tests.web.polling import Poller, polling
from tests.web.rest import CREATE, PAGE, Rest
from tests.web.test_arrival import answer_to


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer().listening() as listening:
        yield listening


async def refusal(keys: IssuerKeys, kid: str | None, algorithm: str = "ES256") -> Code:
    with pytest.raises(Refused) as refused:
        async with asyncio.timeout(PATIENCE_S):
            await keys.find(kid, algorithm)
    return refused.value.code


async def test_all_who_wait_share_one_fetch_and_one_who_goes_ends_it_for_nobody(issuer: Issuer) -> None:
    keys = IssuerKeys(issuer.url, Metrics())
    issuer.open.clear()
    waiting = [
        asyncio.create_task(keys.find(*one)) for one in [("ec", "ES256"), (None, "EdDSA"), ("rsa", "RS256")] * 50
    ]
    await issuer.asked.wait()
    waiting[0].cancel()
    await asyncio.wait({waiting[0]})
    issuer.open.set()
    found = await asyncio.wait_for(asyncio.gather(*waiting[1:]), PATIENCE_S)
    assert {one.kid for one in found} == {"ec", "ed", "rsa"}
    await keys.find("ec", "ES256")
    assert len(issuer.requests) == 1


async def test_keys_of_unknown_names_cause_one_fetch_in_30_seconds_whoever_asks(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert UNKNOWN_EVERY_S == 30
    keys = IssuerKeys(issuer.url, Metrics())
    for number in range(100):
        assert await refusal(keys, f"invented {number}") is Code.UNAUTHORIZED
    assert len(issuer.requests) == 1
    fresh = another(EC, "fresh")
    issuer.published.append(fresh.jwk)
    assert await refusal(keys, "fresh") is Code.UNAUTHORIZED
    assert await refusal(keys, "ec", "RS256") is Code.UNAUTHORIZED, "a key that is known has its algorithm"
    monkeypatch.setattr(jwks, "UNKNOWN_EVERY_S", 0.0)
    assert await refusal(keys, "ec", "RS256") is Code.UNAUTHORIZED
    assert len(issuer.requests) == 1
    assert (await keys.find("fresh", "ES256")).kid == "fresh"
    assert await refusal(keys, None) is Code.UNAUTHORIZED, "two keys fit, and the token says which"
    assert len(issuer.requests) == 2


async def test_keys_are_renewed_beside_all_play(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "REFRESH_S", 0.01)
    keys = IssuerKeys(issuer.url, Metrics())
    refreshing = asyncio.create_task(keys.run())
    await keys.find("rsa", "RS256")
    issuer.published = [EC.jwk]
    for _ in range(3):
        issuer.asked.clear()
        await asyncio.wait_for(issuer.asked.wait(), PATIENCE_S)
    assert await refusal(keys, "rsa", "RS256") is Code.UNAUTHORIZED, "what the issuer withdraws is believed no more"
    issuer.open.clear()
    issuer.asked.clear()
    await asyncio.wait_for(issuer.asked.wait(), PATIENCE_S)
    assert (await keys.find("ec", "ES256")).kid == "ec", "while keys are fetched, nobody waits who needs no new one"
    refreshing.cancel()
    await asyncio.wait({refreshing})


async def status_500(request: web.Request) -> web.StreamResponse:
    return web.json_response({"keys": [ED.jwk]}, status=500)


async def rubbish(request: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="application/json")


async def redirect(request: web.Request) -> web.StreamResponse:
    if request.path == "/elsewhere":
        return web.json_response({"keys": [ED.jwk]})
    raise web.HTTPFound("/elsewhere")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        await response.write(json.dumps({"keys": [ED.jwk]}).encode())
        for _ in range(DOCUMENT_MAX // 1024 + 1024):
            await response.write(b" " * 1024)
    return response


async def packed(request: web.Request) -> web.StreamResponse:
    response = web.json_response({"keys": [ED.jwk]})
    response.enable_compression(web.ContentCoding.gzip)
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"keys":[')
    assert request.transport is not None
    request.transport.abort()
    return response


async def slow(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)
    return response


FAULTS = [status_500, rubbish, redirect, endless, packed, cut, slow]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
async def test_an_endpoint_that_fails_throws_nobody_out_and_lets_nobody_in(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, fault: Answer
) -> None:
    monkeypatch.setattr(jwks, "UNKNOWN_EVERY_S", 0.0)
    monkeypatch.setattr(jwks, "FETCH_S", 0.3 if fault is slow else PATIENCE_S)
    keys = IssuerKeys(issuer.url, Metrics())
    issuer.published = [EC.jwk]
    issuer.answer = fault
    assert await refusal(keys, "ed", "EdDSA") is Code.KEYS_UNAVAILABLE
    issuer.answer = issuer.key_set
    assert await refusal(keys, "ed", "EdDSA") is Code.UNAUTHORIZED
    issuer.answer = fault
    asked = len(issuer.requests)
    assert (await keys.find("ec", "ES256")).kid == "ec"
    assert len(issuer.requests) == asked
    assert await refusal(keys, "ed", "EdDSA") is Code.KEYS_UNAVAILABLE, "it may be one that is new there"
    assert (await keys.find("ec", "ES256")).kid == "ec", "what was known stays"
    assert len(issuer.requests) == asked + 1, "and no redirect is followed"


async def test_nobody_else_is_asked_for_the_keys(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Issuer().listening() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/keys"))
        await IssuerKeys(issuer.url, Metrics()).find("ec", "ES256")
        assert (len(issuer.requests), len(proxy.requests)) == (1, 0)
    assert issuer.requests[0]["Accept-Encoding"] == "identity"


async def test_what_is_wrong_is_logged_once(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, log: io.StringIO) -> None:
    monkeypatch.setattr(jwks, "UNKNOWN_EVERY_S", 0.0)
    metrics = Metrics()
    keys = IssuerKeys(issuer.url + "?apikey=hidden", metrics)
    issuer.published = [EC.jwk, {"kty": "oct", "k": "AAAA", "kid": "mine"}]
    for answer in (status_500, issuer.key_set):
        issuer.answer = answer
        for _ in range(3):
            await refusal(keys, "unknown")
    assert log.getvalue().count("it answered with HTTP 500") == 1
    assert log.getvalue().count("symmetric") == 1
    assert "hidden" not in log.getvalue()
    for result in ("ok", "failed"):
        assert metrics.registry.get_sample_value("pairquiz_key_fetches_total", {"result": result}) == 3


async def test_without_keys_players_are_asked_to_come_again_and_then_come_in(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FIRST_RETRY_S", 0.05)
    issuer = Issuer()
    async with issuer.listening():
        pass  # its port is closed now
    server = await start_server(PAIRQUIZ_AUTH__JWKS_URL=issuer.url, PAIRQUIZ_SERVER__ALLOWED_ORIGINS=f'["{PAGE}"]')
    token = EC.token()
    async with connected(server.url, token=token, welcome=False) as client:
        assert await client.closed() == 1013
        assert client._events == []
    async with polling(server.url, token=token) as poller:
        assert await poller.ended()
        assert not any(packet.startswith("44") for packet in poller.packets)
    async with ClientSession() as session:
        error = await Rest(session, server.url).refused(503, "keys_unavailable", "POST", CREATE, token=token)
        assert error["retry"] is True
        await Rest(session, server.url).refused(401, "unauthorized", "POST", CREATE, token=HS.token())
    async with issuer.listening():
        async with asyncio.timeout(PATIENCE_S):
            assert await comes_in(server.url, token) == "anna"


async def comes_in(url: str, token: str) -> str:
    """Come again, as a stock client does, until the server opens."""
    while True:
        async with connected(url, token=token, welcome=False) as client:
            with suppress(Closed):
                return str((await client.event("welcome"))["user_id"])


async def test_an_answer_does_not_wait_for_a_token_whose_key_is_fetched(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_S", PATIENCE_S)
    async with Issuer().listening() as issuer:
        issuer.open.clear()
        server = await start_server(PAIRQUIZ_AUTH__JWKS_URL=issuer.url, JWT_SECRET=SECRET)
        async with (
            connected(server.url, token=HS.token()) as anna,
            connected(server.url, token=HS.token(sub="bob")) as bob,
        ):
            started = await started_match(anna, bob)
            await anna.send_frame("4299" + json.dumps(["refresh_token", {"token": EC.token()}]))
            assert (await anna.ask("submit_answer", answer_to(started, 0)))["ok"]
            assert 99 not in anna._acks
            issuer.open.set()
            while 99 not in anna._acks:
                await anna._read()
            assert anna._acks[99]["ok"]


async def test_who_goes_while_the_keys_are_fetched_leaves_nothing_behind(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    monkeypatch.setattr(jwks, "FETCH_S", PATIENCE_S)
    async with Issuer().listening() as issuer, ClientSession() as session:
        issuer.open.clear()
        server = await start_server(PAIRQUIZ_AUTH__JWKS_URL=issuer.url)
        connect = "40" + json.dumps({"token": RSA.token()})
        poller = Poller(session, f"{server.url}/socket.io/")
        poller.sid = json.loads((await poller.next_packet("0"))[1:])["sid"]
        both = {asyncio.create_task(poller.post(connect)) for _ in range(2)}
        _, arriving = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        assert len(arriving) == 1, "a second CONNECT beside the first is none, and does not wait"
        assert log.getvalue().count('"bad_frame"') == 1
        await poller.post("1")
        async with connected(server.url, token=RSA.token(sub="bob"), welcome=False) as cut:
            cut.cut()
        async with connected(server.url, token=RSA.token(sub="carol"), welcome=False) as client:
            issuer.open.set()
            await client.event("welcome")
            await asyncio.wait(arriving)
            assert {connection.player.id for connection in server.running.drain._connections} <= {"bob", "carol"}
            assert len(issuer.requests) == 1
