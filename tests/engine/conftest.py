"""Nodes of the game on this test's database, and what they wrote to the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog

from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.pool import Database
from tests.conftest import copied, execute, sibling
from tests.engine.desk import Desk
from tests.engine.stage import HandClock, Node, opened_database, running_node


@pytest.fixture(autouse=True)
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """All log events of this test, at every level."""
    caplog.set_level(logging.DEBUG, "pairquiz")
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as events:
        yield events


@pytest.fixture(scope="module")
def shared_database_url(postgres: EmbeddedPostgres, template: str) -> str:
    """One database for all tests of a file whose matches do not meet: making one takes longer than most tests."""
    name = f"test_{uuid4().hex}"
    asyncio.run(execute(postgres.dsn, copied(name, template)))
    return sibling(postgres.dsn, name)


@pytest.fixture
def clock() -> HandClock:
    """The one clock of all nodes of a test."""
    return HandClock()


@pytest.fixture(params=list(Pace))
def pace(request: pytest.FixtureRequest) -> Pace:
    """Each pace in turn: what holds in one holds in the other."""
    found: Pace = request.param
    return found


@pytest.fixture
async def node(database: Database, clock: HandClock) -> AsyncIterator[Node]:
    async with running_node(database, clock) as running:
        yield running


@pytest.fixture
async def other_database(database_url: str) -> AsyncIterator[Database]:
    """The same database, through connections of its own."""
    async with opened_database(database_url) as opened:
        yield opened


@pytest.fixture
async def other_node(other_database: Database, clock: HandClock) -> AsyncIterator[Node]:
    """A second process beside `node`."""
    async with running_node(other_database, clock) as running:
        yield running


@pytest.fixture
async def desk(node: Node) -> Desk:
    """Where players of `node` look for somebody."""
    return await Desk(node).open()


@pytest.fixture
async def other_desk(other_node: Node) -> Desk:
    """Where players of `other_node` do."""
    return await Desk(other_node).open()
