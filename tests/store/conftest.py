"""The store's objects on this test's database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pairquiz_server import config
from pairquiz_server.database import open_database
from pairquiz_server.engine.draws import shuffled
from pairquiz_server.rules.match import Match
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from tests.store.duel import Board
from tests.store.numbered import Matches
from tests.store.person import live
from tests.store.processes import open_folder


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


@pytest.fixture
def bans(database: Database) -> Bans:
    return Bans(database, b"a secret of the bans")


@pytest.fixture
def players(database: Database) -> Players:
    return Players(database)


@pytest.fixture
def erasures(database: Database) -> Erasures:
    return Erasures(database)


@pytest.fixture
async def lived(database: Database, matches: Matches, board: Board, bans: Bans, erasures: Erasures) -> list[Match]:
    """The matches of a person who has done everything that can be done, and is banned, and about to go."""
    return await live(database, matches, board, bans, erasures)


@pytest.fixture
def place() -> Iterator[Path]:
    """A new folder that PostgreSQL's account can enter (pytest's own are closed when we are root)."""
    with open_folder() as folder:
        yield folder
