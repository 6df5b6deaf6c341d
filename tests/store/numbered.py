"""A node that writes batches, as the committer does."""

from collections.abc import Iterable
from uuid import uuid4

from pairquiz_server.store import matches
from pairquiz_server.store.pool import Database
from pairquiz_server.store.rows import Change


class Matches(matches.Matches):
    """Matches whose `save` counts its batches itself."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.node = uuid4()
        self.number = 0

    async def save(self, changes: Iterable[Change]) -> frozenset[str]:  # type: ignore[override]
        if self.number == 0:
            await self.register(self.node)
        self.number += 1
        return await super().save(changes, self.node, self.number)
