"""The Dockerfile, as it is written: scripts/image is what builds it."""

import asyncio
import configparser
import json
import re
import subprocess

from tests.conftest import Server
from tests.deploy.files import (
    CHECKOUT,
    arguments,
    final_stage,
    health_check,
    instructions,
    only,
    read,
)


def test_the_image_is_built_of_the_locked_dependencies_and_of_files_that_are_sent() -> None:
    sent = [line.removeprefix("!") for line in read(".dockerignore").splitlines() if line.startswith("!")]
    assert "*" in read(".dockerignore").splitlines(), "all else stays out"
    copied = [
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert {name.partition("/")[0] for name in copied} == set(sent)
    assert [name for name in copied if not (CHECKOUT / name).exists()] == []
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    assert "--constraint constraints.txt" in install
    assert {line.split("==")[0].lower() for line in read("constraints.txt").splitlines() if "==" in line} >= {
        "aiohttp",
        "asyncpg",
        "python-socketio",
        "uvloop",
    }


def test_the_image_has_no_postgresql_unless_it_is_asked_for() -> None:
    assert arguments()["EXTRAS"] == ""
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    words = re.findall(r'"(\.[^"]*)"', install)

    def asked(extras: str) -> str:
        echo = ["bash", "-c", f'echo "{words[0]}"']
        return subprocess.run(echo, env={"EXTRAS": extras}, capture_output=True, text=True, check=True).stdout.strip()

    assert (asked(""), asked("embedded")) == (".", ".[embedded]")


def test_the_image_stands_on_slim_ones_that_may_be_named_by_their_digest() -> None:
    assert [rest for word, rest in instructions() if word == "FROM"] == [
        "${NODE} AS page",
        "${PYTHON} AS build",
        "${PYTHON}",
    ]
    assert arguments()["PYTHON"].startswith("python:3.11-slim")
    assert int(re.fullmatch(r"node:(\d+)-slim", arguments()["NODE"])[1]) >= 20  # type: ignore[index]


def test_the_image_brings_the_page() -> None:
    runs = [rest for word, rest in instructions() if word == "RUN"]
    assert runs[0].startswith("npm ci --ignore-scripts")
    assert runs[1] == "npm run build"
    assert ("COPY", "--from=page /source/frontend/dist frontend/dist") in instructions()
    ignored = read(".dockerignore").splitlines()
    assert ignored.index("**/node_modules") > ignored.index("!frontend")
    assert ignored.index("**/dist") > ignored.index("!frontend")


def test_what_the_wheel_is_made_of_is_copied_into_the_image() -> None:
    copied = " ".join(rest for word, rest in instructions() if word == "COPY")
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "config.toml", "sql"} <= set(copied.split())


def test_every_file_of_the_package_that_is_no_program_is_in_the_wheel() -> None:
    setup = configparser.ConfigParser()
    setup.read(CHECKOUT / "setup.cfg")
    travel = [(name.replace(".", "/"), kind) for name, kind in setup["options.package_data"].items()]
    package = CHECKOUT / "pairquiz_server"
    files = [path.relative_to(CHECKOUT) for path in package.rglob("*.*") if path.suffix not in (".py", ".pyc")]
    assert len(files) > 10
    for file in files:
        assert any(str(file.parent) == folder and file.match(kind) for folder, kind in travel), file


def test_the_image_runs_as_nobody_special_and_stops_by_sigterm() -> None:
    user = only("USER")
    number, _, group = user.partition(":")
    assert int(number) > 0
    assert any(f"--uid {number} --gid {group}" in rest for word, rest in final_stage() if word == "RUN")
    words = [word for word, _ in final_stage()]
    assert words.index("USER") < words.index("CMD")
    assert only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(only("CMD")) == ["pairquiz-server", "serve"], "no shell stands between us and the signal"


async def test_the_health_check_of_the_image_is_true(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    assert await asyncio.to_thread(health_check, PORT=port) == 0
    assert await asyncio.to_thread(health_check, PORT="1") != 0
    assert await asyncio.to_thread(health_check, PORT="1", PAIRQUIZ_SERVER__PORT=port) == 0


async def test_the_health_check_of_the_image_hears_more_than_that_somebody_listens() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as sick:
        port = str(sick.sockets[0].getsockname()[1])
        assert await asyncio.to_thread(health_check, PORT=port) != 0
