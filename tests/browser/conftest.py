"""Chromium, the page as it is built, and the real server; after each story, no window has complained of anything."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from pairquiz_server import config
from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.acceptance.server import Server, serving
from tests.browser.windows import Chromium, Window, chromium_running
from tests.chaos.proxy import Proxy
from tests.conftest import copied, execute, sibling
from tests.nodejs import find_node, installed, missing

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "build" / "screenshots"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Nobody types as fast as a test; and all of them come from one address.
NO_LIMITS = {"PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0", "PAIRQUIZ_LIMITS__FAILED_JOINS_PER_MINUTE": "0"}

Open = Callable[..., Awaitable[Window]]


@pytest.fixture(scope="session")
def browser_program() -> str:
    """Where Chromium is."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        missing("Chromium is missing: apt-get install chromium, or name one with CHROMIUM=/path/to/it")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def driver_folder(browser_program: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What drives Chromium, installed for this run alone."""
    return installed(find_node(), HERE, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def page() -> Path:
    """The built page."""
    built = config.load(environ={}).page_folder
    if built is None:
        missing("The page is not built: run  scripts/page")
    assert built is not None
    return built


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(driver_folder: Path, browser_program: str) -> AsyncIterator[Chromium]:
    """One Chromium for all stories; each has windows of its own."""
    async with chromium_running(find_node(), driver_folder, browser_program) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_window(chromium: Chromium) -> AsyncIterator[Open]:
    """Open windows: each in a browser of its own, or in that of `beside`, as a second window of one person."""
    numbers = count(1)
    opened: list[Window] = []
    owners: set[str] = set()

    async def opening(
        who: str, url: str, *, phone: bool = False, theme: str = "light", beside: Window | None = None
    ) -> Window:
        number = f"{who} {next(numbers)}"
        window = Window(chromium, number, beside.owner if beside else number, who)
        owners.add(window.owner)
        await window.ask("open", browser=window.owner, phone=phone, theme=theme)
        opened.append(window)
        await window.go(url)
        return window

    yield opening
    complaints = [f"{window.who}: {fault}" for window in opened for fault in await window.faults()]
    for owner in owners:
        await chromium.ask("leave", browser=owner)
    assert not complaints


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(
    postgres: EmbeddedPostgres, template: str, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """`pairquiz-server serve`, with the page, for all stories. Who is away has time, while pictures are taken."""
    await execute(postgres.dsn, copied("browser", template))
    log = tmp_path_factory.mktemp("server") / "server.log"
    patient = {"PAIRQUIZ_GAME__CLOSED_GRACE_S": "120", "PAIRQUIZ_GAME__ABSENCE_BUDGET_S": "600"}
    environ = {"PAIRQUIZ_SERVER__PAGE": str(page), **NO_LIMITS, **patient}
    async with serving(sibling(postgres.dsn, "browser"), log, **environ) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def own_server(database_url: str, page: Path, tmp_path: Path) -> AsyncIterator[Server]:
    """A server of this story's own, with the usual patience; it may die."""
    async with serving(database_url, tmp_path / "server.log", PAIRQUIZ_SERVER__PAGE=str(page), **NO_LIMITS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def line(own_server: Server) -> AsyncIterator[Proxy]:
    """A line to that server, which can be silent."""
    port = int(own_server.url.rpartition(":")[2])
    proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
    await proxy.start()
    yield proxy
    await proxy.close()
