"""What can be wrong with what proves tokens is found, by its name."""

from contextlib import closing
from typing import Any

import pytest
from aiohttp import web

from pairquiz_server import config
from pairquiz_server.doctor.tokens import look_at_keys, look_at_token, look_at_tokens
from tests.doctor.looking import all_of, told
from tests.ports import OwnPort
from tests.web.conftest import SECRET
from tests.web.issuer import EC, GUESTS, HS, Issuer, another, guest_claims


async def keys(url: str, **environ: str) -> dict[str, str]:
    environ = {"PAIRQUIZ_AUTH__JWKS_URL": url, "PAIRQUIZ_AUTH__ISSUER": "https://issuer.example", **environ}
    return told(await all_of(look_at_keys(config.load(environ=environ))))


async def token(text: str | None, **environ: str) -> dict[str, str]:
    return told(await all_of(look_at_token(config.load(environ=environ), text)))


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, {"players": "ok", "secret": "skipped"}),
        ({"JWT_SECRET": SECRET}, {"players": "ok", "secret": "ok"}),
        ({"JWT_SECRET": "abab" * 10}, {"players": "ok", "secret": "secret-weak"}),
        (
            {"PAIRQUIZ_SERVER__HOST": "0.0.0.0", "PAIRQUIZ_AUTH__MODE": "guest"},
            {"players": "guests-on-open-address", "secret": "skipped"},
        ),
    ],
)
async def test_who_may_play_and_by_which_secret(environ: dict[str, str], found: dict[str, str]) -> None:
    assert told(await all_of(look_at_tokens(config.load(environ=environ)))) == found


async def test_keys_are_there_or_not_needed() -> None:
    assert told(await all_of(look_at_keys(config.load(environ={})))) == {"keys": "skipped"}
    async with Issuer().listening() as issuer:
        assert await keys(issuer.url) == {"keys": "ok", "issuer": "ok"}
        assert (await keys(issuer.url, PAIRQUIZ_AUTH__ISSUER=""))["issuer"] == "issuer-unset"


async def test_keys_cannot_be_had() -> None:
    with closing(OwnPort()) as port:
        assert (await keys(f"http://127.0.0.1:{port.number}/keys"))["keys"] == "keys-unreachable"
    async with Issuer().listening() as issuer:
        for document, fault in (
            ([], "keys-none"),
            ([{"kty": "oct", "k": "c2VjcmV0"}], "keys-none"),
            ([EC.jwk, {"kty": "oct", "k": "c2VjcmV0"}], "key-left-out"),
        ):
            issuer.published = document
            assert (await keys(issuer.url))["keys"] == fault
        for answer, fault in ((_missing, "keys-answer"), (_elsewhere, "keys-answer"), (_rubbish, "keys-unreadable")):
            issuer.answer = answer
            assert (await keys(issuer.url))["keys"] == fault


async def _missing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404)


async def _elsewhere(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://elsewhere.example/keys")


async def _rubbish(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>")


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "another"}, {"iss": "https://another.example"}, {"sub": ...}])
async def test_a_token_is_not_taken_and_why(claims: dict[str, Any]) -> None:
    environ = {"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__ISSUER": "https://issuer.example"}
    good = {"iss": "https://issuer.example"}
    assert await token(HS.token(**good), **environ) == {"token": "ok"}
    assert await token(HS.token(**good | claims), **environ) == {"token": "token-not-taken"}
    assert await token(another(HS).token(**good), **environ) == {"token": "token-not-taken"}


async def test_a_token_is_not_tried() -> None:
    assert await token(None) == {"token": "skipped"}
    assert await token(GUESTS.signed(GUESTS.header, guest_claims())) == {"token": "skipped"}
    with closing(OwnPort()) as port:
        away = {"PAIRQUIZ_AUTH__JWKS_URL": f"http://127.0.0.1:{port.number}/keys"}
        assert await token(EC.token(), **away) == {"token": "skipped"}
