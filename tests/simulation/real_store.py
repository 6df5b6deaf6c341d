"""The store's objects on one real database, which a model is held against."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from pairquiz_server.rules.commands import Topic
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from pairquiz_server.store.questions import FoundTopic, Questions
from pairquiz_server.store.ratings import RatingRows
from pairquiz_server.store.rematches import RematchRows
from pairquiz_server.store.seekers import Seekers
from pairquiz_server.store.seen import SeenRows
from tests.conftest import copied, execute, sibling
from tests.store.numbered import Matches


class RealStore:
    """The store's objects on one database, which is emptied for each example."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._database = Database(DatabaseOptions(dsn=url, pool_max=1, command_timeout_s=30.0))
        self.run(self._database.open())
        self.matches = Matches(self._database)
        self.nodes = Nodes(self._database)
        self.presence = PresenceRows(self._database)
        self.requests = RematchRows(self._database)
        self.seen = SeenRows(self._database)
        self.seekers = Seekers(self._database)
        self.blocks = Blocks(self._database)
        self.ratings = RatingRows(self._database)
        questions = Questions(self._database)
        found = self.run(questions.find_topic("General"))
        assert found is not None
        self.topic: Topic = found.topic()
        self.drawn = list(self.run(questions.read(sorted(found.question_ids))).values())
        self._questions = questions

    async def find_topic(self, name: str) -> FoundTopic | None:
        """The topic with its questions in the order of their ids: they come in one by chance."""
        found = await self._questions.find_topic(name)
        return found and replace(found, question_ids=sorted(found.question_ids))

    def run(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return self._runner.run(wait())

    def empty(self) -> None:
        tables = "matches, players, draws, answers, feature_usage, heartbeat, nodes, presence, rematches"
        tables += ", week_points, rank_counts"
        names = ", ".join(f"pairquiz.{table}" for table in tables.split(", "))
        self.run(self._database.fetch(f"TRUNCATE {names} CASCADE"))
        progress = "rated_until = 0, holder = NULL, held_until = to_timestamp(0)"
        self.run(self._database.fetch(f"UPDATE pairquiz.rating_progress SET {progress}"))

    def goes_on(self, span_ms: int) -> None:
        """Let the database's clock be so much later, as seen from the last sign of life."""
        self.run(self._database.fetch("UPDATE pairquiz.heartbeat SET beaten_at = beaten_at - $1", span_ms))

    def session_ends(self, node: UUID) -> None:
        """Let the session be gone by which a node beats: no process of the database has this number."""
        query = "UPDATE pairquiz.nodes SET session_pid = 0 WHERE id = $1 AND session_pid IS NOT NULL"
        self.run(self._database.fetch(query, node))

    def rate(self, player_id: str, topic_id: int, rating: float, deviation: float) -> None:
        """Let a player, who is stored, have a rating of one match."""
        query = "INSERT INTO pairquiz.ratings VALUES ($1, $2, $3, $4, 0.06, 1, 1)"
        self.run(self._database.fetch(query, player_id, topic_id, rating, deviation))

    async def week_points(self) -> dict[tuple[int, int, str], tuple[int, int]]:
        """Return the points and matches of each week, topic and player."""
        rows = await self._database.fetch("SELECT * FROM pairquiz.week_points")
        return {(row["week"], row["topic_id"], row["player_id"]): (row["points"], row["matches"]) for row in rows}

    def close(self) -> None:
        self.run(self._database.close())
        self._runner.close()


@contextmanager
def real_store(postgres: EmbeddedPostgres, template: str) -> Iterator[RealStore]:
    """Yield one on a new database of the template, and drop that afterwards."""
    name = "store_model"
    asyncio.run(execute(postgres.dsn, copied(name, template)))
    store = RealStore(sibling(postgres.dsn, name))
    try:
        yield store
    finally:
        store.close()
        asyncio.run(execute(postgres.dsn, f"DROP DATABASE {name} WITH (FORCE)"))
