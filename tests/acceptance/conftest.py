"""Node with the official client, and the real server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving
from tests.nodejs import find_node, installed
from tests.web.valkey import valkey

CLIENT = Path(__file__).parent / "client"
Play = Callable[..., AbstractAsyncContextManager[Player]]
Pair = tuple[Server, Server]


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is. Without it these stories are skipped, but not in CI."""
    return find_node()


@pytest.fixture(scope="session")
def client_folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official client, installed for this run alone."""
    return installed(node, CLIENT, tmp_path_factory.mktemp("client"))


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
    with valkey(tmp_path) as redis:
        # A player who asks again and again what has come meanwhile is no flood here.
        environ = {"REDIS_URL": redis.url, "PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0"}
        async with AsyncExitStack() as servers:
            yield (
                await servers.enter_async_context(serving(database_url, tmp_path / "a.log", **environ)),
                await servers.enter_async_context(serving(database_url, tmp_path / "b.log", **environ)),
            )
