"""The store's objects on this test's database."""

from collections.abc import AsyncIterator

import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.engine.draws import shuffled
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from tests.store.duel import Board
from tests.store.numbered import Matches


@pytest.fixture
async def other_database(database_url: str) -> AsyncIterator[Database]:
    """The same database through connections of its own, as another node has it."""
    async with open_database(config.load(environ={}), database_url) as opened:
        yield opened


@pytest.fixture
def matches(database: Database) -> Matches:
    return Matches(database)


@pytest.fixture
def questions(database: Database) -> Questions:
    return Questions(database)


@pytest.fixture
async def board(questions: Questions) -> Board:
    """Five drawn questions of the topic General, each with its options in another order than the stored one."""
    found = await questions.find_topic("General")
    assert found is not None
    drawn = await questions.read(found.question_ids[:5])
    draw = tuple(shuffled(question, seed) for seed, question in enumerate(drawn.values(), start=1))
    return Board(found.topic(), draw)
