"""`loadtest` from its command line to its report."""

import asyncio
import json
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, SECRET, Invoke, clean_environment, one_line
from tests.conftest import Server, StartServer


async def started(*words: str | Path, **environ: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, "loadtest", *map(str, words), env=clean_environment(**environ), stdout=PIPE, stderr=PIPE
    )


async def run(*words: str | Path, **environ: str) -> tuple[int, str, str]:
    process = await started(*words, **environ)
    told, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, told.decode(), errors.decode()


async def test_two_processes_find_a_server_clean_and_write_a_page(server: Server, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    code, told, errors = await run(
        server.url, "--pairs", "4", "--processes", "2", "--rate", "60", "--for", "2s", "--report", page
    )
    # A machine that does other things, too, may make the generator late; what is checked is checked all the same.
    assert code in (0, 1), errors
    assert re.search(r"verdict +(held|generator)", told)
    assert "0 lost, 0 doubled, 0 wrong scores\n" in told
    assert "4 pairs connect" in errors
    html = page.read_text()
    assert html.count("<svg") >= 3
    assert "src=" not in html
    assert "href=" not in html
    assert "@import" not in html


async def test_a_machine_reads_figures_of_users_whose_tokens_it_signs(start_server: StartServer) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    _, told, errors = await run(server.url, "--pairs", "2", "--rate", "40", "--for", "1s", "--json", JWT_SECRET=SECRET)
    assert errors == ""
    outcome = json.loads(told)
    assert outcome["found"] == {}
    assert outcome["answers"] == outcome["steps"][0]["due"] > 0


@pytest.mark.parametrize("limit", ["1", "3"])  # beyond twice as many, lines are cut without a word
async def test_a_limit_that_keeps_several_processes_out_is_said_in_a_line(
    start_server: StartServer, limit: str
) -> None:
    server = await start_server(PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS=limit)
    code, told, errors = await run(server.url, "--pairs", "4", "--processes", "2")
    assert (code, told) == (1, "")
    assert "PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS=0" in errors
    assert len(errors.splitlines()) == 2  # and what it was about to do


async def test_a_process_that_is_killed_hides_nothing_of_what_the_others_found(server: Server) -> None:
    process = await started(server.url, "--pairs", "2", "--processes", "2", "--rate", "20", "--for", "10m")
    assert process.stderr is not None
    async for line in process.stderr:
        if b"1 s of" in line:
            break
    os.kill(players_of(process)[0], signal.SIGKILL)
    told, errors = await process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in errors
    assert b"0 lost, 0 doubled, 0 wrong scores\n" in told
    assert b"generator: a process that plays has ended before its time" in told


def players_of(process: Process) -> list[int]:
    """Return the processes that play for one."""
    return [int(one) for one in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


async def test_a_ramp_goes_on_until_a_rate_does_not_hold(server: Server) -> None:
    # Nothing is acknowledged within a millisecond: the first rate fails, and there is no knee.
    _, told, _ = await run(
        server.url, "--pairs", "2", "--rate", "20", "--for", "1s", "--ramp", "--p99", "1ms", "--json"
    )
    outcome = json.loads(told)
    assert (outcome["knee"], len(outcome["steps"])) == (None, 1)
    assert outcome["verdict"] in ("slow", "generator")


async def test_ctrl_c_ends_it_with_what_there_is(server: Server) -> None:
    process = await started(server.url, "--pairs", "2", "--rate", "20", "--for", "10m")
    assert process.stderr is not None
    async for line in process.stderr:
        if b"1 s of" in line:
            break
    process.send_signal(signal.SIGINT)
    told, _ = await process.communicate()
    assert process.returncode == 128 + signal.SIGINT or b"generator" in told
    assert b"0 lost, 0 doubled, 0 wrong scores\n" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["quiz.invalid"], "--i-run-this-server"),
        (["192.0.2.1"], "--i-run-this-server"),
        (["localhost:1", "--for", "soon"], "no span"),
        (["localhost:1", "--processes", "3", "--pairs", "2"], "a pair"),
        (["localhost:1"], "no topics"),
        (["localhost:1", "--report", "/no/such/folder/report.html"], "--report"),
        (["no address"], "no address"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_line(invoke: Invoke, words: list[str], said: str) -> None:
    assert said in one_line_of(invoke, *words)


def one_line_of(invoke: Invoke, *words: str) -> str:
    result = invoke("loadtest", *words)
    return re.sub(r"^.* pairs connect .*\n", "", result.stderr) if result.exit_code else one_line(result)
