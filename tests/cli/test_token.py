"""The token that `pairquiz-server token` prints is one that the server takes."""

import asyncio
import json

import pytest

from pairquiz_server import config
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.web.identity.auth import Authenticator
from tests.cli.conftest import SECRET, Invoke, StartServe, one_line
from tests.client import connected


@pytest.mark.parametrize("audience", ["authenticated", "players"])
def test_a_user_token_is_accepted(invoke: Invoke, audience: str) -> None:
    environ = {"JWT_SECRET": SECRET, "PAIRQUIZ_AUTH__AUDIENCE": audience, "SUPABASE_URL": "https://abc.supabase.co"}
    result = invoke("token", "ada", **environ)
    assert result.exit_code == 0, result.stderr
    identity = asyncio.run(Authenticator(config.load(environ=environ), b"").identify(result.stdout.strip()))
    assert (identity.player.id, identity.player.kind) == ("ada", PlayerKind.USER)


def test_a_script_reads_a_token_as_json(invoke: Invoke) -> None:
    result = invoke("token", "ada", "--json", JWT_SECRET=SECRET)
    token = json.loads(result.stdout)["token"]
    identity = asyncio.run(Authenticator(config.load(environ={"JWT_SECRET": SECRET}), b"").identify(token))
    assert identity.player.id == "ada"


@pytest.mark.parametrize("player", ["guest:ada", "x" * 129, "line\nbreak", ""])
def test_nobody_gets_a_token_that_the_server_refuses(invoke: Invoke, player: str) -> None:
    assert "PLAYER_ID" in one_line(invoke("token", player, JWT_SECRET=SECRET))


def test_a_token_needs_to_know_for_whom(invoke: Invoke) -> None:
    assert "token PLAYER_ID" in one_line(invoke("token", JWT_SECRET=SECRET))
    assert "JWT_SECRET" in one_line(invoke("token", "ada"))
    assert "auth.jwks_url" in one_line(invoke("token", SUPABASE_URL="https://abc.supabase.co"))


def test_a_guest_token_is_known_to_every_server_of_the_database(
    invoke: Invoke, start_serve: StartServe, database_url: str
) -> None:
    printed = invoke("token", DATABASE_URL=database_url).stdout.strip()
    server = start_serve(DATABASE_URL=database_url)

    async def user_id() -> str:
        async with connected(server.url, token=printed) as client:
            return client.user_id

    assert asyncio.run(user_id()).startswith("guest:")
