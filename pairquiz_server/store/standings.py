"""Lists of the best: one method for each query of sql/queries/standings.sql."""

from collections.abc import Iterable

import asyncpg
from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.ratings import Standing, standing

_QUERIES = load("standings")

TOP = 100
"""How many of the best are read."""
BY_RATING = 0
"""The week that stands for no week: of all time, by rating."""


class Board(Struct, frozen=True):
    """A list: of a topic (0 for all), of a week or by rating (`BY_RATING`)."""

    topic_id: int
    week: int


class FoundTopic(Struct, frozen=True):
    """A topic's number and name."""

    id: int
    name: str


class Placed(Struct, frozen=True):
    """Somebody who has a place: by `score`, from so many fair matches."""

    player_id: str
    display_name: str
    score: int
    matches: int


class Points(Struct, frozen=True):
    """A player's points of a week."""

    points: int
    matches: int


class Standings:
    """The lists of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def topic(self, key: str) -> FoundTopic | None:
        """Return the topic of a key, None where there is none."""
        records = await self._database.fetch(_QUERIES["topic"], key)
        return FoundTopic(**records[0]) if records else None

    async def size(self, board: Board) -> int:
        """Return how many have a place."""
        size: int = await self._database.fetchval(_QUERIES["size"], board.week, board.topic_id)
        return size

    async def ranks(self, board: Board, scores: Iterable[int]) -> dict[int, int]:
        """Return the ranks of scores."""
        records = await self._database.fetch(_QUERIES["ranks"], board.week, board.topic_id, sorted(set(scores)))
        return {record["score"]: record["rank"] for record in records}

    async def top(self, board: Board) -> list[Placed]:
        """Return the best, `TOP` at most."""
        if board.week == BY_RATING:
            records = await self._database.fetch(_QUERIES["top_rated"], board.topic_id)
        else:
            records = await self._database.fetch(_QUERIES["top_of_week"], board.week, board.topic_id)
        return _placed(records)

    async def own_rating(self, player_id: str, topic_id: int) -> Standing | None:
        """Return a player's rating, None where there is none."""
        records = await self._database.fetch(_QUERIES["own_rating"], player_id, topic_id)
        return standing(records[0]) if records else None

    async def own_points(self, player_id: str, board: Board) -> Points | None:
        """Return a player's points of a week, None where there are none."""
        records = await self._database.fetch(_QUERIES["own_points"], player_id, board.week, board.topic_id)
        return Points(**records[0]) if records else None

    async def around(self, player_id: str, board: Board, score: int) -> list[Placed]:
        """Return who has a place right above and right below a player, two each, and the player, the best first."""
        asked = (player_id, board.topic_id, score)
        if board.week == BY_RATING:
            return _placed(await self._database.fetch(_QUERIES["around_rated"], *asked))
        return _placed(await self._database.fetch(_QUERIES["around_of_week"], *asked, board.week))


def _placed(records: list[asyncpg.Record]) -> list[Placed]:
    return [Placed(**record) for record in records]
