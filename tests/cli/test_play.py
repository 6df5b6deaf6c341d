"""`play` from its first line to its exit code: two by a code, one with a bot, in pipes and in a terminal."""

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pairquiz_server.cli.play import play
from tests.cli.conftest import Invoke, commands, one_line, serving
from tests.cli.playing import Piped, Table, table
from tests.conftest import Server, StartServer

QUICK = ("--questions", "2", "--time-limit", "10")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
WAYS = re.compile(r"by the code (?P<code>\w+), or by (?P<link>\S+)")
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "terminal.md"


@pytest.fixture
async def players(tmp_path: Path) -> AsyncIterator[Table]:
    """Players of one machine."""
    async with table(tmp_path) as laid:
        yield laid


@pytest.fixture
async def patient(start_server: StartServer) -> Server:
    """A server where whoever was away may come back however long a program takes to start."""
    graces = ("CLOSED_GRACE_S", "RECONNECT_GRACE_S", "ABSENCE_BUDGET_S")
    return await start_server(**{f"PAIRQUIZ_GAME__{grace}": "600" for grace in graces})


async def two(players: Table, url: str, *wishes: str, by: str = "code") -> tuple[Piped, Piped]:
    """Two in a match that runs, the second one by the code, or the link, that the first one has shown."""
    first = await players.piped(url, *wishes)
    ways = WAYS.search(await first.line("by the code"))
    assert ways is not None
    second = await players.piped(*([url, "--join", ways["code"]] if by == "code" else [ways["link"]]))
    for player in (first, second):
        await player.line("Question 1 of")
    return first, second


def score(line: str) -> tuple[int, int]:
    found = re.search(r"(-?\d+) : (-?\d+)", line)
    assert found, line
    return int(found[1]), int(found[2])


async def test_two_play_a_duel_by_its_code(server: Server, players: Table) -> None:
    first, second = await two(players, server.url, "--questions", "3", "--topic", "history")
    first.type("1\n2\nseven\n3\n")
    second.type("4\n4\n4\n")
    assert await first.end() == await second.end() == 0, await first.errors()
    ours, theirs = score(first.said[-1]), score(second.said[-1])
    assert ours == theirs[::-1]
    assert "History, 3 questions" in "".join(first.said)
    assert "Type a number from 1 to 4." in first.said
    assert sum("   right: " in line for line in first.said) == 3
    assert sum(line.startswith("   you: ") and "after" in line for line in second.said) == 3
    assert not [line for line in first.said + second.said if CONTROL.search(line)]


async def test_a_script_plays_a_bot_and_reads_json(server: Server, players: Table) -> None:
    player = await players.piped(server.url, "--bot", "hard", "--json", *QUICK)
    player.type("1\n2\n")
    player.type_no_more()
    assert await player.end() == 0, await player.errors()
    events = [json.loads(line) for line in player.said]
    assert events[0]["event"] == "welcome"
    assert "token" not in "".join(player.said)
    (results,) = [event for event in events if event["event"] == "quiz_results"]
    assert results["opponent"]["display_name"] == "Bot (hard)"
    assert [one["your_answer"] for one in results["questions"]] == [0, 1]
    assert all(one["opponent_answer"] is not None for one in results["questions"])
    assert [event["event"] for event in events].count("your_turn") == 2


async def test_the_end_of_the_input_means_that_the_rest_is_not_answered(server: Server, players: Table) -> None:
    first, second = await two(players, server.url, "--questions", "3")
    first.type("1\n")
    first.type_no_more()
    second.type("1\n1\n1\n")
    assert await first.end() == await second.end() == 0
    assert sum("   you: nothing" in line for line in first.said) == 2


async def test_a_duel_in_a_terminal_fits_into_80_columns(server: Server, players: Table) -> None:
    player = await players.at_screen(server.url, "--bot", "hard", *QUICK)
    await player.until(lambda written: "to begin" in written)
    assert "Bot (hard)" in player.written
    player.press("9")
    player.press("\r")
    for place in (1, 2):
        await player.until(lambda written, place=place: f"Question {place} of 2" in written)  # type: ignore[misc]
        player.press("2")
    assert await player.end() == 0, player.written[-2000:]
    await player.until(lambda written: "You have " in written or "A draw" in written)
    assert player.too_wide() == []
    assert "\x1b[?25h" in player.raw  # the cursor is there again


async def test_ctrl_c_at_a_screen_leaves_the_terminal_as_it_was(server: Server, players: Table) -> None:
    player = await players.at_screen(server.url)
    before = player.modes()
    await player.until(lambda written: "Waiting for somebody" in written)
    assert player.modes() != before  # keys are heard without Enter, and not shown
    player.process.send_signal(signal.SIGINT)
    assert await player.end() == 130
    assert player.modes() == before
    assert "\x1b[?25h" in player.raw  # the cursor is there again


async def test_in_rounds_both_get_one_question_at_a_time(server: Server, players: Table) -> None:
    first, second = await two(players, server.url, "--questions", "2", "--pace", "rounds", by="link")
    for place in (1, 2):
        if place == 2:
            await first.line("Question 2 of 2")
        first.type("1\n")
        second.type("3\n")
    assert await first.end() == await second.end() == 0
    assert sum("The round is over" in line for line in first.said) == 2


async def test_ctrl_c_gives_up_and_the_other_has_won(server: Server, players: Table) -> None:
    first, second = await two(players, server.url)
    first.process.send_signal(signal.SIGINT)
    assert await first.end() == 130
    assert "You have lost" in first.said[-1]
    assert "you have left" in first.said[-1]
    assert await second.end() == 0
    assert "You have won" in second.said[-1]


async def test_ctrl_c_takes_an_invitation_back(server: Server, players: Table) -> None:
    first = await players.piped(server.url)
    code = (await first.line("by the code")).split("by the code ")[1].split(",")[0]
    first.process.send_signal(signal.SIGINT)
    assert await first.end() == 130
    second = await players.piped(server.url, "--join", code)
    assert await second.end() == 1
    assert await second.errors() == "pairquiz-server: Session not found\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_player_whose_program_ended_comes_back_by_the_same_command(
    patient: Server, players: Table, number: signal.Signals
) -> None:
    first, second = await two(players, patient.url, "--questions", "2", "--time-limit", "300")
    first.type("1\n")
    await first.line("Question 2 of 2")
    first.process.send_signal(number)
    await first.end()
    again = await players.piped(patient.url, "--questions", "2")
    await again.line("Going on with the match")
    await again.line("Question 2 of 2")
    again.type("2\n")
    second.type("3\n3\n")
    assert await again.end() == await second.end() == 0
    assert "everything is answered" in again.said[-1]


async def test_fresh_leaves_what_is_not_over(patient: Server, players: Table) -> None:
    first, second = await two(players, patient.url)
    first.process.kill()
    await first.end()
    again = await players.piped(patient.url, "--fresh")
    await again.line("by the code")
    assert await second.end() == 0
    assert "the other has left" in second.said[-1]


async def test_a_bot_comes_back_with_its_player(patient: Server, players: Table) -> None:
    first = await players.piped(patient.url, "--bot", "hard", "--questions", "3", "--time-limit", "20")
    await first.line("Question 1 of 3")
    first.process.kill()
    await first.end()
    again = await players.piped(patient.url)
    again.type("1\n1\n1\n")
    assert await again.end() == 0, await again.errors()
    assert "everything is answered" in again.said[-1]
    assert "Bot (hard)" in "".join(again.said)


async def test_two_who_look_for_somebody_find_each_other(server: Server, players: Table) -> None:
    first, second = [await players.piped(server.url, "--find", "--questions", "1") for _ in range(2)]
    for player in (first, second):
        await player.line("Question 1 of 1")
        player.type("1\n")
    assert await first.end() == await second.end() == 0


async def test_a_server_that_is_killed_and_comes_back_finds_both_players_again(
    database_url: str, players: Table
) -> None:
    with serving("--port", "0", DATABASE_URL=database_url) as server:
        server.await_screen()
        url = server.url
        first, second = await two(players, url, "--questions", "2")
        first.type("1\n")
        await first.line("Question 2 of 2")
        server.stop(signal.SIGKILL)
        for player in (first, second):
            await player.line("The connection is lost")
        first.type("2\n")
        second.type("3\n3\n")
    with serving("--port", url.rpartition(":")[2], DATABASE_URL=database_url) as again:
        again.await_screen()
        assert await first.end() == await second.end() == 0, (await first.errors(), await second.errors())
    assert score(first.said[-1]) == score(second.said[-1])[::-1]
    assert "everything is answered" in first.said[-1]
    assert "The connection is back." in first.said


async def test_a_topic_that_is_typed_wrongly_is_guessed(server: Server, players: Table) -> None:
    player = await players.piped(server.url, "--topic", "Histroy")
    assert await player.end() == 1
    said = await player.errors()
    assert said == f"pairquiz-server: there is no topic 'Histroy' at {server.url}: did you mean 'History'?\n"


async def test_an_input_that_is_closed_is_one_that_has_ended(server: Server, players: Table) -> None:
    player = await players.deaf(server.url, *QUICK, "--bot", "hard")
    assert await player.end() == 0, await player.errors()
    assert "You have lost" in player.said[-1] or "A draw" in player.said[-1]


async def test_what_a_server_says_is_obeyed_by_no_terminal(players: Table) -> None:
    said = rb'{"error": {"code": "forbidden", "message": "gone\u001b[2J\u001b]0;mine\u0007\u2028away"}}'
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + said)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        player = await players.piped(f"http://127.0.0.1:{port}")
        assert await player.end() == 1
    line = (await player.errors()).removesuffix("\n")
    assert "gone" in line
    assert line.isprintable()


async def test_where_no_server_runs_it_is_said_how_to_start_one(players: Table) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = await players.piped(PAIRQUIZ_SERVER__PORT=str(port))
    elsewhere = await players.piped(f"localhost:{port}")
    assert await here.end() == await elsewhere.end() == 1
    said = await here.errors()
    assert said.startswith(f"pairquiz-server: no server answers at http://127.0.0.1:{port} ")
    assert "pairquiz-server serve" in said
    assert said.count("\n") == 1
    assert "is it up" in await elsewhere.errors()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bot", "genius"], "'genius'"),
        (["--join", "7KQ2M3XP", "--topic", "History"], "say --join alone"),
        (["--join", "7KQ2M3XP", "--bot", "easy"], "say --join alone"),
        (["--find", "--bot", "easy"], "--bot is for a match that you open"),
        (["--ghost"], "--ghost goes with --find"),
        (["--questions", "0"], "--questions"),
        (["--topik", "History"], "--topic"),
    ],
)
def test_what_does_not_fit_together_is_one_line(invoke: Invoke, words: list[str], said: str) -> None:
    result = invoke("play", *words)
    assert result.exit_code == 2
    assert said in one_line(result)


@pytest.mark.parametrize("url", ["ftp://quiz.example", "http://", "http://quiz.example/elsewhere"])
def test_what_is_no_address_is_one_line(invoke: Invoke, url: str) -> None:
    assert repr(url) in one_line(invoke("play", url))


def test_the_document_names_every_option_and_every_command_that_speaks_json() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    options = {name for option in play.params for name in option.opts if name.startswith("--")}
    assert [name for name in sorted(options - {"--config"}) if f"`{name}" not in document] == []
    speaking = [
        path[-1] for path, command in commands() if path and any("--json" in option.opts for option in command.params)
    ]
    section = document.partition("## For scripts")[2].partition("\n## ")[0]
    assert [name for name in speaking if name != "play" and f"{name}`" not in section] == []
