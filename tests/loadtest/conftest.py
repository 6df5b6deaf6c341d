"""One server for all load tests of this folder, in whose loop they run; it limits nobody's commands."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.conftest import Server, copied, execute, serving, sibling
from tests.loadtest.meddler import Meddler, meddling


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def unlimited(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Server]:
    """The server."""
    name = f"loaded_{uuid4().hex}"
    await execute(postgres.dsn, copied(name, template))
    async with serving(sibling(postgres.dsn, name), {"PAIRQUIZ_LIMITS__COMMANDS_PER_S": "0"}) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def meddler(unlimited: Server) -> AsyncIterator[Meddler]:
    """Who stands before it, and leaves all as it is until it is told otherwise."""
    async with meddling(unlimited.url) as meddler:
        yield meddler
