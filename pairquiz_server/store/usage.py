"""Feature usage in PostgreSQL: who used what, when. Written by `matches.save`, read here."""

import datetime

from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("usage")
_TIMEOUT_S = 60.0


class FeatureDay(Struct, frozen=True):
    """How often a feature was used on a day (UTC), and by how many different players."""

    day: datetime.date
    feature: str
    uses: int
    players: int


class Usage:
    """The feature usage of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_day(self, from_ms: int, until_ms: int) -> list[FeatureDay]:
        """Return uses by day and feature, the newest day first; `until_ms` is excluded."""
        records = await self._database.fetch(_QUERIES["by_day"], from_ms, until_ms, timeout_s=_TIMEOUT_S)
        return [FeatureDay(*record) for record in records]
