"""An operator's commands beside a server in a process of its own, and where none runs."""

import asyncio
import json
import os
import pwd
import signal
import subprocess
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from click.testing import Result

from pairquiz_server import config
from tests.cli.conftest import COMMAND, PATIENCE_S, Invoke, Serving, StartServe, clean_environment, one_line
from tests.client import connected, started_match

TOKEN = "a token of the operator of this server"
NOBODY = "00000000-0000-4000-8000-000000000000"
T = TypeVar("T")
OWN_NAME = pwd.getpwuid(os.geteuid()).pw_name


def out(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def said(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return str(result.stdout)


class Aside:
    """A loop in a thread of its own, for those who play while commands are run here."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._stack = AsyncExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        return self.do(self._stack.enter_async_context(context))


@pytest.fixture
def server(start_serve: StartServe, database_url: str) -> Serving:
    return start_serve(DATABASE_URL=database_url, PAIRQUIZ_ADMIN__TOKEN=TOKEN)


@pytest.mark.parametrize("far", [False, True], ids=["by the socket", "by the token"])
def test_an_operator_looks_at_a_match_watches_it_and_ends_it(
    invoke: Invoke, server: Serving, database_url: str, far: bool
) -> None:
    way = ("--url", server.url, "--as", "ada") if far else ()
    environ = {"PAIRQUIZ_ADMIN__TOKEN": TOKEN} if far else {"DATABASE_URL": database_url}

    def run(*words: str) -> Result:
        return invoke(*words, *way, **environ)

    with Aside() as aside:
        first, second = aside.enter(connected(server.url)), aside.enter(connected(server.url))
        aside.do(first.ask("set_profile", {"display_name": "Some"}))
        session_id = aside.do(started_match(first, second))["session_id"]
        (listed,) = out(run("matches", "list", "--json"))["matches"]
        assert (listed["session_id"], listed["status"]) == (session_id, "in_progress")
        assert session_id in said(run("matches", "list", "--player", first.user_id))
        shown = said(run("matches", "show", session_id))
        assert f"match      {session_id}, version 3" in shown
        assert "player 1   Some (guest " in shown
        assert "     * " not in shown
        assert "     * " in said(run("matches", "show", session_id, "--answers"))
        words = [*COMMAND, "matches", "watch", session_id, *way]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=clean_environment(**environ)) as watching:
            assert watching.stdout is not None
            assert "is in_progress" in watching.stdout.readline()
            ended = out(run("matches", "end", session_id, "--reason", "a test of ours", "--json"))
            assert ended == {"session_id": session_id, "status": "abandoned", "version": 4, "already": False}
            assert "is over, abandoned: operator" in watching.stdout.readline()
        assert watching.returncode == 0
        for player in (first, second):
            assert aside.do(player.event("session_expired"))["by_operator"]
        assert "already" in said(run("matches", "end", session_id, "--reason", "again"))
    entries = out(run("audit", "--subject", session_id, "--json"))
    assert [entry["action"] for entry in entries] == ["match.answers", "match.end"]
    who = ("ada", "token") if far else (OWN_NAME, "socket")
    assert {(entry["actor"], entry["via"]) for entry in entries} == {who}
    told = said(run("audit", "--since", "1h"))
    assert f"{who[0]} ({who[1]})  match.end  {session_id}  reason a test of ours" in told
    assert "there are no such matches" in said(run("matches", "list"))
    assert "Session not found" in one_line(run("matches", "show", NOBODY))
    assert "Session not found" in one_line(run("matches", "watch", NOBODY))


def test_maintenance_goes_on_without_any_server(invoke: Invoke, start_serve: StartServe, database_url: str) -> None:
    def run(*words: str) -> Result:
        return invoke("maintenance", *words, DATABASE_URL=database_url)

    assert said(run("status")) == "off: matches may begin\n"
    on = out(run("on", "--message", "Back at noon", "--for", "30m", "--json"))
    assert (on["on"], on["message"]) == (True, "Back at noon")
    assert 29 * 60_000 < on["left_ms"] <= 30 * 60_000
    server = start_serve(DATABASE_URL=database_url)

    with Aside() as aside:
        player = aside.enter(connected(server.url))
        assert aside.do(player.event("maintenance"))["message"] == "Back at noon"
        assert said(run("off")) == "off: matches may begin\n"
        assert not aside.do(player.event("maintenance"))["on"]
    assert said(run("off")) == "off: it was not on\n"
    assert "until you end it" in said(run("on"))
    server.stop()
    assert "until you end it" in said(run("status"))
    assert "off" in said(run("off"))
    entries = out(invoke("audit", "--json", DATABASE_URL=database_url))
    assert [(entry["action"], entry["via"]) for entry in entries] == [
        ("maintenance.on", "database"),
        ("maintenance.off", "socket"),
        ("maintenance.on", "socket"),
        ("maintenance.off", "database"),
    ]


def test_what_is_done_to_the_database_itself_is_audited_too(invoke: Invoke, database_url: str, tmp_path: Path) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text(
        "topic,question,option_a,option_b,option_c,option_d,correct\n"
        "Art,Who painted the Mona Lisa?,Leonardo,Raphael,Titian,Goya,A\n"
    )
    for words in (
        ("players", "ban", "ada", "--for", "1h", "--reason", "a private note"),
        ("players", "unban", "ada"),
        ("players", "erase", "ada", "--yes"),
        ("questions", "import", questions, "--dry-run"),
        ("questions", "import", questions),
    ):
        invoke(*words, DATABASE_URL=database_url)
    entries = out(invoke("audit", "--json", DATABASE_URL=database_url))
    assert [entry["action"] for entry in entries] == [
        "player.ban", "player.unban", "player.erase", "questions.import",
    ]  # fmt: skip
    assert {(entry["actor"], entry["via"]) for entry in entries} == {(OWN_NAME, "database")}
    assert all(entry["subject"].startswith("erased:") for entry in entries[:3]), "an erased player is named by nobody"
    assert "a private note" not in json.dumps(entries)


def test_a_socket_that_a_killed_server_has_left_misleads_nobody(
    invoke: Invoke, start_serve: StartServe, database_url: str
) -> None:
    def listed() -> Result:
        return invoke("matches", "list", DATABASE_URL=database_url)

    places = config.load(environ={"DATABASE_URL": database_url}).admin_sockets
    assert places is not None
    server = start_serve(DATABASE_URL=database_url)
    (socket,) = places.found(8000)
    assert said(listed()) == "there are no such matches\n"
    server.stop(signal.SIGKILL)
    assert places.found(8000) == [socket]
    assert "pairquiz-server serve" in one_line(listed())
    again = start_serve("--port", server.url.rpartition(":")[2], DATABASE_URL=database_url)
    assert said(listed()) == "there are no such matches\n"
    again.stop()
    assert list(places.folder.glob(places.name + "*")) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("matches", "show", "no-id"), "matches list"),
        (("matches", "end", NOBODY), "--reason"),
        (("matches", "end", NOBODY, "--reason", ""), "--reason"),
        (("matches", "end", NOBODY, "--reason", "x", "--winner", "3"), "--winner"),
        (("matches", "list", "--state", "odd"), "--state"),
        (("matches", "list", "--as", "ada"), "--url"),
        (("matches", "list", "--url", "http://127.0.0.1:1"), "PAIRQUIZ_ADMIN__TOKEN"),
        (("matches", "list", "--url", "http://127.0.0.1:1", "--as", "two\nlines"), "--as"),
        (("matches", "list"), "pairquiz-server serve"),
        (("maintenance", "on", "--for", "31d"), "--for"),
        (("maintenance", "on", "--message", "a\x1bb"), "--message"),
        (("audit", "--since", "soon"), "--since"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_needs_no_database(
    invoke: Invoke, words: tuple[str, ...], named: str
) -> None:
    assert named in one_line(invoke(*words, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing"))


def test_a_server_without_its_socket_serves_all_the_same(
    invoke: Invoke, start_serve: StartServe, tmp_path: Path
) -> None:
    server = start_serve(PAIRQUIZ_ADMIN__SOCKET="none")
    assert server.get("/healthz") == {"status": "ok"}
    path = tmp_path / "no" / "such" / "admin.sock"
    assert "admin.socket" in one_line(invoke("serve", "--port", "0", DATABASE_URL="", PAIRQUIZ_ADMIN__SOCKET=str(path)))
