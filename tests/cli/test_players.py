"""`pairquiz-server players`: with no server running, and beside one."""

import asyncio
import json
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COMMAND, Invoke, StartServe, clean_environment, one_line
from tests.client import connected, started_match


def out(result: Any) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def played(invoke: Invoke, start_serve: StartServe, database_url: str) -> str:
    """The id of somebody who is in a running match, at a server that was stopped meanwhile."""

    async def play() -> str:
        async with connected(server.url) as first, connected(server.url) as second:
            await first.ask("set_profile", {"display_name": "Somebody Else"})
            await started_match(first, second)
            return first.user_id

    server = start_serve(DATABASE_URL=database_url)
    player_id = asyncio.run(play())
    server.stop()
    return player_id


def test_an_operator_finds_bans_exports_and_erases_without_any_server(
    invoke: Invoke, played: str, database_url: str, tmp_path: Path
) -> None:
    def players(*words: str | Path) -> Any:
        return invoke("players", *words, DATABASE_URL=database_url)

    (found,) = out(players("find", "somebody else", "--json"))
    assert (found["id"], found["banned"]) == (played, False)
    assert players("find", played).stdout.startswith(f"{played}  guest, Somebody Else, since ")
    assert out(players("ban", played, "--for", "30d", "--reason", "a note", "--json"))["seconds"] == 30 * 24 * 3600
    (found,) = out(players("find", played, "--json"))
    assert (found["banned"], found["reason"], found["banned_until"] > 0) == (True, "a note", True)
    whole = out(players("export", played))
    assert (whole["player"]["display_name"], len(whole["matches"])) == ("Somebody Else", 1)
    assert players("export", played, "--output", tmp_path / "one.json").exit_code == 0
    assert json.loads((tmp_path / "one.json").read_text()) == whole
    assert "--yes" in one_line(players("erase", played))
    assert out(players("erase", played, "--yes", "--json")) == {"erased": played, "done": True}
    assert out(players("export", played))["player"] is None
    (found,) = out(players("find", played, "--json"))
    assert (found["id"], found["banned"], found["reason"]) == (None, True, None)
    assert players("find", played).stdout.startswith("(erased)  banned until 2")
    assert "may play again" in players("unban", played).stdout
    assert players("find", played).stdout == "(erased)  a ban that is over\n"
    assert "is not banned" in one_line(players("unban", played))
    assert "no such player" in players("find", "Somebody Else").stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("find", ""), "TEXT"),
        (("find", "a byte that is no text: \udcff"), "TEXT"),
        (("ban", ""), "ID"),
        (("ban", "x" * 129), "ID"),
        (("ban", "a\nb"), "ID"),
        (("ban", "ada", "--for", "soon"), "12h"),
        (("ban", "ada", "--for", "0d"), "12h"),
        (("ban", "ada", "--for", "999999w"), "12h"),
        (("ban", "ada", "--reason", "a\x1bb"), "--reason"),
        (("ban", "ada", "--reason", "x" * 501), "--reason"),
        (("export",), "ID"),
        (("erase", "ada"), "--yes"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_needs_no_database(
    invoke: Invoke, words: tuple[str, ...], named: str
) -> None:
    result = invoke("players", *words, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert named in one_line(result)


def test_a_file_that_cannot_be_written_is_named(invoke: Invoke, database_url: str, tmp_path: Path) -> None:
    line = one_line(invoke("players", "export", "ada", "--output", tmp_path / "no" / "x", DATABASE_URL=database_url))
    assert "--output" in line


def test_a_server_that_runs_cuts_and_erases(start_serve: StartServe, database_url: str) -> None:
    server = start_serve(DATABASE_URL=database_url)

    async def story() -> None:
        async with connected(server.url) as player, connected(server.url) as other:
            await started_match(player, other)
            erasing = await asyncio.create_subprocess_exec(
                *COMMAND, "players", "erase", player.user_id, "--yes", "--json",
                env=clean_environment(DATABASE_URL=database_url), stdout=PIPE,
            )  # fmt: skip
            assert (await player.event("error"))["code"] == "forbidden"
            await player.event("disconnect")
            results = await other.event("quiz_results")
            assert (results["outcome"], results["reason"]) == ("won", "opponent_left")
            said, _ = await erasing.communicate()
            assert json.loads(said) == {"erased": player.user_id, "done": True}

    asyncio.run(story())
