"""Node with the official client, and the real server."""

import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.player import Player, playing
from tests.acceptance.server import Server, serving
from tests.nodejs import find_node, installed, npm
from tests.web.valkey import valkey

CLIENT = Path(__file__).parent / "client"
ROOT = Path(__file__).parents[2]
FRONTEND, EXAMPLES = ROOT / "frontend", ROOT / "examples"
Play = Callable[..., AbstractAsyncContextManager[Player]]
Pair = tuple[Server, Server]
AT_ONCE = {"PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0", "PAIRQUIZ_GAME__GHOST_WAIT_S": "0"}
"""A player who asks again and again what has come meanwhile is no flood here, and nobody waits for a ghost."""


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is. Without it these stories are skipped, but not in CI."""
    return find_node()


@pytest.fixture(scope="session")
def client_folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official client, installed for this run alone: two runs at a time do not meet."""
    return installed(node, CLIENT, tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="session")
def frontend_folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of our own client package, and what is needed to build it."""
    return installed(node, FRONTEND, tmp_path_factory.mktemp("frontend"), "--workspace", "client")


@pytest.fixture(scope="session")
def package_folder(node: str, client_folder: Path, frontend_folder: Path) -> Path:
    """The official client's folder, with our own package beside it, as npm packs it."""
    packed = npm(node, frontend_folder / "client", "pack", "--silent").strip().splitlines()[-1]
    place = client_folder / "node_modules" / "@pairquiz" / "client"
    place.mkdir(parents=True)
    with tarfile.open(frontend_folder / "client" / packed) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(place, members=_unpacked(archive))
    return client_folder


@pytest.fixture(scope="session")
def examples_folder(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, with what they need."""
    return installed(node, EXAMPLES, tmp_path_factory.mktemp("examples"))


def _unpacked(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a package without the folder that npm puts them into."""
    for member in archive.getmembers():
        member.name = member.name.removeprefix("package/")
        yield member


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
