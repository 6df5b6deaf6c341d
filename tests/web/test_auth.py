"""Who a token proves to be, over the wire and by the authenticator itself."""

import asyncio
import time
from typing import Any

import jwt
import pytest
from aiohttp import ClientSession

from pairquiz_server import config
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.web.identity.auth import GUEST_AUDIENCE, GUEST_ISSUER, Authenticator, sign_user_token
from pairquiz_server.web.identity.tokens import CLOCK_LEEWAY_S
from tests.client import Client, connected
from tests.conftest import Server, StartServer
from tests.web.conftest import SECRET

GUEST_KEY = b"the key of the guests, which nobody knows"
HOUR = 3600
SHARED = pytest.mark.asyncio(loop_scope="session")


def authenticator(**environ: str) -> Authenticator:
    return Authenticator(config.load(environ=environ), GUEST_KEY)


def claims(**changes: Any) -> dict[str, Any]:
    whole = {"sub": "anna", "aud": "authenticated", "exp": int(time.time()) + HOUR, **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def user_token(key: str | bytes = SECRET, algorithm: str | None = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm)


def guest_token(key: str | bytes = GUEST_KEY, **changes: Any) -> str:
    return user_token(key, **{"iss": GUEST_ISSUER, "aud": GUEST_AUDIENCE, "sub": "guest:x", **changes})


@pytest.mark.parametrize("sub", ["anna", "1", "x" * 128, "Ünïcode 😀", "guest", " "])
async def test_a_user_is_who_the_issuer_says(sub: str) -> None:
    identity = await authenticator(JWT_SECRET=SECRET).identify(user_token(sub=sub, aud=["other", "authenticated"]))
    assert (identity.player.id, identity.player.kind) == (sub, PlayerKind.USER)
    assert identity.guest_token is None


async def test_the_issuer_is_checked_where_it_is_configured() -> None:
    proof = authenticator(JWT_SECRET=SECRET, SUPABASE_URL="https://x.supabase.co", DATABASE_URL="postgres://h/d")
    assert (await proof.identify(user_token(iss="https://x.supabase.co/auth/v1"))).player.id == "anna"
    for wrong in ("https://y.supabase.co/auth/v1", ...):
        with pytest.raises(Refused):
            await proof.identify(user_token(iss=wrong))


async def test_a_token_that_we_sign_ourselves_is_taken() -> None:
    settings = config.load(environ={"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__ISSUER": "us"})
    token = sign_user_token(settings, "anna", lifetime_s=60)
    assert (await Authenticator(settings, GUEST_KEY).identify(token)).player.id == "anna"


async def test_a_guest_token_holds_for_90_days_and_is_renewed() -> None:
    proof = authenticator()
    identity = await proof.identify(None)
    assert identity.fresh
    assert identity.guest_token is not None
    exp = jwt.decode(identity.guest_token, options={"verify_signature": False})["exp"]
    assert abs(exp - time.time() - 90 * 24 * HOUR) < HOUR
    again = await proof.identify(identity.guest_token)
    assert (again.player, again.fresh) == (identity.player, False)
    assert again.guest_token is not None


async def test_a_server_without_a_secret_knows_no_users() -> None:
    with pytest.raises(Refused):
        await authenticator().identify(user_token())


@pytest.mark.parametrize("token", [None, "", guest_token()])
async def test_guests_are_refused_where_a_token_is_required(token: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        await authenticator(JWT_SECRET=SECRET).identify(token)
    assert refusal.value.code is Code.UNAUTHORIZED


async def refusal_of(url: str, **wishes: Any) -> dict[str, Any]:
    async with connected(url, welcome=False, **wishes) as client:
        return await client.event("connect_error")


async def test_a_guest_comes_back_after_a_restart_and_to_a_second_server(start_server: StartServer) -> None:
    first = await start_server()
    async with connected(first.url) as guest:
        waiting = await guest.ask("create_pair_quiz")
    second = await start_server()
    async with connected(second.url, token=guest.token) as back:
        assert back.user_id == guest.user_id
        assert [one["session_id"] for one in back.welcome["sessions"]] == [waiting["session_id"]]


async def test_guests_keep_their_tokens_where_the_secret_is_configured(start_server: StartServer) -> None:
    first = await start_server(PAIRQUIZ_GUEST_SECRET="x" * 32)
    other = await start_server()
    async with connected(first.url) as guest:
        assert (await refusal_of(other.url, token=guest.token))["data"]["code"] == "unauthorized"
        same = await start_server(PAIRQUIZ_GUEST_SECRET="x" * 32)
        async with connected(same.url, token=guest.token) as back:
            assert back.user_id == guest.user_id


async def test_a_server_that_requires_tokens_lets_only_users_in(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    anna, token = user_token(sub="anna"), user_token(sub="1")
    for wishes in ({}, {"token": guest_token()}, {"token": user_token("x" * 40)}, {"token": "x"}):
        error = await refusal_of(server.url, **wishes)
        assert error.keys() == {"message", "data"}
        assert error["message"]
        assert error["data"] == {"code": "unauthorized", "retry": False}
    for wishes in ({"token": token}, {"Authorization": f"Bearer {token}"}, {"Authorization": f"bearer  {token}"}):
        async with connected(server.url, **wishes) as client:
            assert client.user_id == "1"
            assert "guest_token" not in client.welcome
    async with (
        connected(server.url, token=token, Authorization="Bearer nonsense") as first,
        connected(server.url, token=anna) as second,
    ):
        await claim_users(first, second)


async def claim_users(first: Client, second: Client) -> None:
    """A user may claim to be who it is, as a number or as a text, and nobody else."""
    for wrong in (2, "2", "", "guest:x", 1.5, "1 "):
        for command in ("create_pair_quiz", "join_pair_quiz"):
            answer = await first.ask(command, {"user_id": wrong, "session_id": "x"})
            assert answer["error"]["code"] == "forbidden", answer
    for right in (1, "1", None):
        created = await first.ask("create_pair_quiz", {"user_id": right})
        assert created["ok"], created
    joined = await second.ask("join_pair_quiz", {"user_id": "anna", "session_id": created["session_id"]})
    assert joined["ok"], joined
    assert joined["opponent"]["display_name"].startswith("Player ")


@SHARED
@pytest.mark.parametrize("auth", ['{"token":7}', '{"token":{}}', '{"token":["x"]}', '{"token":true}', '{"token":"x"}'])
async def test_a_token_that_is_none_is_refused_and_the_client_may_try_again(shared_server: Server, auth: str) -> None:
    async with connected(shared_server.url, welcome=False) as client:
        await client.event("welcome")
        await client.send_frame("41")
        await client.send_frame(f"40{auth}")
        error = await client.event("connect_error")
        assert error["data"] == {"code": "unauthorized", "retry": False}
        await client.send_frame('40{"token":null}')
        await client.event("welcome")


@SHARED
@pytest.mark.parametrize("header", [b"Bearer \xff\xfe", b"Bearer " + b"x" * 8000, b"Bearer a.b.c", "Bearer é".encode()])
@pytest.mark.parametrize("path", ["/api/pair-quiz/create/", "/socket.io/?EIO=4&transport=polling"])
async def test_a_header_of_any_bytes_is_answered(shared_server: Server, header: bytes, path: str) -> None:
    host, port = shared_server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    method = "POST" if "api" in path else "GET"
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: ".encode()
    writer.write(head + header + b"\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 30)
    assert answer.startswith(b"HTTP/1.1 401" if method == "POST" else b"HTTP/1.1 200"), answer
    writer.close()
    await writer.wait_closed()


@SHARED
async def test_a_guest_uses_rest_with_its_token_and_nobody_without_one(shared_server: Server) -> None:
    async with connected(shared_server.url) as guest, ClientSession() as session:
        url = f"{shared_server.url}/api/pair-quiz/create/"
        async with session.post(url, headers={"Authorization": f"Bearer {guest.token}"}) as answer:
            assert answer.status == 201
        await guest.event("quiz_created")
        for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}):
            async with session.post(url, headers=headers) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert (await answer.json())["error"]["code"] == "unauthorized"


async def test_a_token_signed_by_a_clock_ahead_of_ours_is_good() -> None:
    now = int(time.time())
    ahead = user_token(iat=now + CLOCK_LEEWAY_S - 5, nbf=now + CLOCK_LEEWAY_S - 5)
    assert (await authenticator(JWT_SECRET=SECRET).identify(ahead)).player.id == "anna"
