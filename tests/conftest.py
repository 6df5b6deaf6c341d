"""What all tests stand on: one real PostgreSQL a process, a database a test, and servers on ports of their own."""

import asyncio
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import pytest
from aiohttp import web

from pairquiz_server import app, config, node
from pairquiz_server.database import open_database, prepared_database
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.pool import Database
from pairquiz_server.web.runner import Runner

TEMPLATE = "pairquiz_template"
ROOM_IN_MEMORY = 2 * 1024**3


LONG = frozenset({"acceptance", "bench", "cli", "cost", "simulation"})
"""Folders of files with few tests, each of which takes long: processes are started in them, or whole matches played."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: where files are shared out among processes, none is left alone with one of these.

    The others follow by how many tests they have.
    """
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (LONG.isdisjoint(item.path.parts), -tests[item.path]))


def pytest_configure() -> None:
    """A shell's background job ignores Ctrl+C, and so would each process that a test starts and interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach: as root, PostgreSQL runs as another one, and pytest's folders are private.

    In memory where there is room, because a database a test means many gigabytes that nobody reads again.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free >= ROOM_IN_MEMORY
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-test-", dir=memory if roomy else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this process."""
    with EmbeddedPostgres.join(open_folder / "data") as embedded:
        yield embedded


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """A database with the schema and the starter questions, to be copied."""

    async def make() -> None:
        await execute(postgres.dsn, f"CREATE DATABASE {TEMPLATE}")
        settings = config.load(environ={})
        async with prepared_database(settings, sibling(postgres.dsn, TEMPLATE)):
            pass

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """Where this test's own database is: the schema, the starter questions, and nobody has played."""
    async with _database(postgres.dsn, template) as url:
        yield url


@pytest.fixture
async def empty_database_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """Where a database without even a schema is."""
    async with _database(postgres.dsn, "template0") as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """This test's own database, connected."""
    async with open_database(config.load(environ={}), database_url) as opened:
        yield opened


@dataclass(frozen=True)
class Server:
    """A server in this process, listening on a port of its own."""

    url: str
    running: node.Running
    settings: config.Settings


StartServer = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def serving(database_url: str, environ: dict[str, str]) -> AsyncIterator[Server]:
    settings = config.load(environ=environ)
    listener = app.bind("127.0.0.1", 0)
    async with node.running(settings, database_url) as running:
        runner = Runner(running.site, running.lines, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}", running, settings)
        finally:
            await runner.cleanup()


@pytest.fixture
async def start_server(database_url: str) -> AsyncIterator[StartServer]:
    """Start servers on this test's database; keyword arguments are the environment of each."""
    async with AsyncExitStack() as servers:

        async def start(**environ: str) -> Server:
            return await servers.enter_async_context(serving(database_url, environ))

        yield start


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    """A server with the default settings: guests may play."""
    return await start_server()


@asynccontextmanager
async def _database(dsn: str, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    await execute(dsn, copied(name, template))
    try:
        yield sibling(dsn, name)
    finally:
        await execute(dsn, f"DROP DATABASE {name} WITH (FORCE)")


def copied(name: str, template: str) -> str:
    """The statement that makes a database: as files, which takes half as long as PostgreSQL's other way, by its log."""
    return f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def sibling(dsn: str, name: str) -> str:
    """The same server's other database."""
    head, separator, query = dsn.partition("?")
    return f"{head.rpartition('/')[0]}/{quote(name)}{separator}{query}"
