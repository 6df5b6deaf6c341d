"""`probe` from its command line to what a monitor reads."""

import asyncio
import json
import signal
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import jwt
import pytest
from aiohttp import ClientSession

from tests.cli.conftest import COMMAND, SECRET, Invoke, clean_environment, one_line
from tests.conftest import Server, StartServer
from tests.ports import OwnPort


async def started(folder: Path, *words: str | Path, **environ: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, "probe", *map(str, words),
        env=clean_environment(XDG_STATE_HOME=str(folder), **environ), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip


async def once(folder: Path, *words: str | Path, **environ: str) -> tuple[int, str]:
    process = await started(folder, *words, "--once", **environ)
    told, errors = await process.communicate()
    assert errors == b""
    assert process.returncode is not None
    return process.returncode, told.decode()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def players_kept(folder: Path) -> set[str]:
    """Whose tokens a folder has: they are new ones each time, of the same players."""
    (kept,) = folder.iterdir()
    tokens = json.loads(kept.read_text())
    return {jwt.decode(tokens[who], options={"verify_signature": False})["sub"] for who in ("player", "bot")}


async def test_its_exit_code_says_how_it_went(server: Server, tmp_path: Path) -> None:
    port = OwnPort()
    degraded, failed = await asyncio.gather(
        once(tmp_path / "degraded", server.url, "--slow", "1ms"),
        once(tmp_path / "failed", f"127.0.0.1:{port.number}"),
    )
    port.close()
    assert (degraded[0], failed[0]) == (1, 2)
    assert " degraded: an acknowledgement took " in degraded[1]
    assert "cannot be reached" in failed[1]


async def test_it_plays_as_the_same_guests_each_time_and_writes_a_file(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "probe.prom"
    seats = []
    for _ in range(2):
        code, told = await once(tmp_path, server.url, "--slow", "60s", "--textfile", file, "--json")
        assert (code, json.loads(told)["health"]) == (0, "good")
        seats.append(players_kept(tmp_path / "pairquiz-server" / "probe"))
    assert seats[0] == seats[1]
    assert len(seats[0]) == 2
    assert "\npairquiz_probe_up 1.0\n" in file.read_text()
    assert names_in(tmp_path) == {"pairquiz-server", "probe.prom"}  # and nothing half written


async def test_it_plays_as_users_where_the_secret_is_known(start_server: StartServer, tmp_path: Path) -> None:
    server = await start_server(JWT_SECRET=SECRET)
    code, told = await once(tmp_path, server.url, "--slow", "60s", JWT_SECRET=SECRET)
    assert code == 0
    assert " good: all well (handshake " in told


async def test_it_goes_on_and_serves_metrics_until_it_is_stopped(server: Server, tmp_path: Path) -> None:
    port = OwnPort()
    where = f"127.0.0.1:{port.number}"
    process = await started(tmp_path, server.url, "--every", "5s", "--slow", "60s", "--listen", where)
    assert process.stdout is not None
    assert b" good: " in await process.stdout.readline()
    async with ClientSession() as session, session.get(f"http://{where}/metrics") as answer:
        told = await answer.text()
    assert '\npairquiz_probe_duels_total{health="good"} 1.0\n' in told
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    port.close()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["localhost", "--once", "--listen", "127.0.0.1:9800"], "--textfile"),
        (["localhost", "--listen", "9800"], "no address such as"),
        (["localhost", "--listen", "192.0.2.1:9800"], "--listen"),
        (["localhost", "--every", "1s"], "no span"),
        (["no address"], "no address"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_line(invoke: Invoke, words: list[str], said: str) -> None:
    assert said in one_line(invoke("probe", *words))
