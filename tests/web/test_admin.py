"""Who is the operator: whoever has the token, and whoever may open the socket of this machine."""

import asyncio
import os
import pwd
import stat
from pathlib import Path
from socket import AF_UNIX, socket

import pytest
from aiohttp import ClientSession, UnixConnector

from pairquiz_server.cli.operator_line import NobodyHere, Reach, operator_line
from pairquiz_server.client.errors import NoServer, Refusal
from pairquiz_server.protocol.admin import ADMIN_ROUTES, OPERATOR_HEADER, BeginMaintenance, MaintenanceState, Node
from pairquiz_server.web.admin.socket import NoSocket
from tests.client import connected
from tests.conftest import Server, StartServer
from tests.web.operator import TOKEN, WITH_TOKEN, audit, heard_at, operator, operator_by_socket

NODE = ADMIN_ROUTES["show_node"].path
OWN_ID = os.geteuid()
OWN_NAME = pwd.getpwuid(OWN_ID).pw_name


async def asked(url: str, path: str = NODE, **headers: str) -> tuple[int, str]:
    """The status, and the code of the refusal."""
    async with ClientSession() as session, session.get(url + path, headers=headers) as response:
        body = await response.json()
        return response.status, body["error"]["code"] if "error" in body else ""


async def test_without_a_token_there_is_nothing_for_an_operator_over_the_network(start_server: StartServer) -> None:
    server = await start_server()
    for path in (NODE, NODE + "/", "/api/admin", "/api/admin/", "/api/admin/no/such"):
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": "Bearer "}):
            assert await asked(server.url, path, **headers) == (404, "not_found")


async def test_the_token_lets_its_owner_in_and_nobody_else(start_server: StartServer) -> None:
    server = await start_server(**WITH_TOKEN)
    async with connected(server.url) as player:
        for presented in ("", TOKEN[:-1], TOKEN + "x", player.token, "é"):
            headers = {"Authorization": f"Bearer {presented}"}
            assert await asked(server.url, **headers) == (401, "unauthorized"), presented
            assert await asked(server.url, "/api/admin/no/such", **headers) == (401, "unauthorized")
        assert await asked(server.url) == (401, "unauthorized")
        async with operator(server) as line:
            node = await line.ask("show_node", Node)
            assert (node.region, node.connections, node.players, node.maintenance) == ("local", 1, 1, False)
            assert await asked(server.url, "/api/admin/no/such", Authorization=f"Bearer {TOKEN}") == (404, "not_found")
            assert await asked(server.url, NODE + "/", Authorization=f"Bearer {TOKEN}") == (200, "")


async def test_no_page_is_let_in_however_it_came_by_the_token(start_server: StartServer) -> None:
    server = await start_server(**WITH_TOKEN)
    for origin in (server.url, "https://page.example"):
        headers = {"Authorization": f"Bearer {TOKEN}", "Origin": origin}
        async with ClientSession() as session, session.get(server.url + NODE, headers=headers) as response:
            assert response.status == 403
            assert not [name for name in response.headers if name.startswith("Access-Control-")]


async def test_tokens_are_not_guessed_without_end(start_server: StartServer) -> None:
    server = await start_server(**WITH_TOKEN, PAIRQUIZ_LIMITS__FAILED_TOKENS_PER_MINUTE_PER_ADDRESS="2")
    guesses = [await asked(server.url, Authorization="Bearer guess") for _ in range(3)]
    assert [status for status, _ in guesses] == [401, 401, 429]
    assert (await asked(server.url, Authorization=f"Bearer {TOKEN}"))[0] == 429


@pytest.mark.parametrize("name", ["x" * 65, "\u00ff\u0080"])
async def test_a_name_that_is_none_is_refused(start_server: StartServer, name: str) -> None:
    server = await start_server(**WITH_TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}", OPERATOR_HEADER: name}
    assert await asked(server.url, **headers) == (400, "invalid_payload")


@pytest.mark.parametrize("text", ["a\0b", "\x1b[31m", "two\nlines", "ends\n", " ", ""])
async def test_a_text_that_nobody_could_read_is_refused(server: Server, tmp_path: Path, text: str) -> None:
    async with operator_by_socket(server, tmp_path) as line:
        with pytest.raises(Refusal, match="message: expected a string of 1 to 500 characters that is not blank"):
            await line.ask("begin_maintenance", MaintenanceState, payload=BeginMaintenance(message=text))
        for name, key in (("find_players", "text"), ("show_audit", "subject"), ("list_matches", "topic")):
            with pytest.raises(Refusal) as refused:
                await line.ask(name, MaintenanceState, query={key: text})
            assert refused.value.code == "invalid_payload", name
        assert not (await line.ask("show_maintenance", MaintenanceState)).on


async def test_a_deed_is_noted_with_who_has_done_it(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server(**WITH_TOKEN)
    async with operator(server, name="grace") as line:
        await line.ask("begin_maintenance", MaintenanceState, payload=BeginMaintenance(message="Back soon"))
    async with operator_by_socket(server, tmp_path) as line:
        await line.ask("end_maintenance", MaintenanceState)
        on, off = await audit(line)
        node = (await line.ask("show_node", Node)).id
    assert (on.actor, on.via, on.action, on.node) == ("grace", "token", "maintenance.on", node)
    assert b"Back soon" in bytes(on.detail)
    assert (off.actor, off.via, off.action, off.node) == (OWN_NAME, "socket", "maintenance.off", node)


async def test_the_socket_is_its_owners_alone_and_leads_to_the_operators_routes_alone(
    server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "admin.sock"
    async with heard_at(server, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with ClientSession(connector=UnixConnector(str(path))) as session:
            for elsewhere in ("/healthz", "/metrics", "/api/me", "/socket.io/?EIO=4&transport=polling"):
                async with session.get("http://operator" + elsewhere) as response:
                    assert (response.status, (await response.json())["error"]["code"]) == (404, "not_found")
    assert not path.exists()
    with pytest.raises(NobodyHere):
        async with operator_line(Reach(sockets=[path])):
            pass


async def test_what_a_killed_server_has_left_is_taken_over(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket(AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(NobodyHere):
        async with operator_line(Reach(sockets=[path])):
            pass
    async with heard_at(server, path), operator_line(Reach(sockets=[path])) as line:
        assert (await line.ask("show_node", Node)).region == "local"


async def test_a_socket_that_another_user_has_laid_out_is_not_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "admin.sock"
    async with heard_at(server, path):
        monkeypatch.setattr(os, "geteuid", lambda: OWN_ID + 1)
        with pytest.raises(NoServer, match=f"is another user's: do it as {OWN_NAME}"):
            async with operator_line(Reach(sockets=[path])):
                pass


async def test_two_servers_do_not_fight_over_a_socket(start_server: StartServer, tmp_path: Path) -> None:
    first, second = await start_server(), await start_server(PAIRQUIZ_SERVER__REGION="second")
    path = tmp_path / "admin.sock"
    async with heard_at(first, path):
        with pytest.raises(NoSocket, match="another server does"):
            async with heard_at(second, path):
                pass
        async with operator_line(Reach(sockets=[path])) as line:
            assert (await line.ask("show_node", Node)).region == "local"
    async with heard_at(second, path), operator_line(Reach(sockets=[path])) as line:
        assert (await line.ask("show_node", Node)).region == "second"


async def test_a_folder_in_which_others_may_write_is_refused(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "everybodys"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(NoSocket, match="others may write there"):
        async with heard_at(server, folder / "admin.sock"):
            pass


async def test_a_path_that_no_socket_can_have_is_refused(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)  # a TMPDIR may be
    with pytest.raises(NoSocket, match="cannot listen on"):
        async with heard_at(server, folder / "admin.sock"):
            pass
    assert not [*folder.iterdir()], "nothing of it is left"


async def test_where_nobody_answers_the_operator_is_told_so(start_server: StartServer) -> None:
    with pytest.raises(NoServer, match="does not answer"):
        async with operator_line(Reach(url="http://127.0.0.1:1", token=TOKEN)) as line:
            await line.ask("show_node", Node)
    server = await start_server(**WITH_TOKEN)
    async with operator(server, token="x" * 32) as line:
        with pytest.raises(Refusal, match="PAIRQUIZ_ADMIN__TOKEN"):
            await line.ask("show_node", Node)


async def test_a_server_stops_although_somebody_watches(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server()
    async with connected(server.url) as player:
        session_id = (await player.ask("create_pair_quiz", {}))["session_id"]
        path = tmp_path / "admin.sock"
        watching = asyncio.Event()

        async def watch() -> None:
            async with operator_line(Reach(sockets=[path])) as line:
                async for _ in line.follow("watch_match", dict, parts={"session_id": session_id}):  # type: ignore[type-var]
                    watching.set()

        async with heard_at(server, path):
            task = asyncio.create_task(watch())
            await watching.wait()
        with pytest.raises(NoServer, match="has broken off"):
            await task
