"""What stands in the database, for the metrics: counted when somebody asks, and not again for some seconds."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from pairquiz_server.engine.recent import Recent
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.match import LIVE
from pairquiz_server.store.census import CensusRows, LiveMatches, Service, Sessions
from pairquiz_server.store.pool import StorageUnavailable

KEEP_S = 10.0
"""All live matches are counted one by one, and each node's are the same."""


class Counted(Struct, frozen=True):
    """What one look at the database has found."""

    matches: LiveMatches
    service: Service
    sessions: Sessions


class Census:
    """Sets the levels `database_…` of `metrics`. Where the database does not answer, they are not known."""

    def __init__(self, rows: CensusRows, metrics: Metrics, *, keep_s: float = KEEP_S) -> None:
        self._rows = rows
        self._recent = Recent(self._count, keep_s)
        self._counted: Counted | None = None
        self._set(metrics)

    async def look(self) -> None:
        """Count anew, unless that was done a moment ago; waits no longer than three reads may take."""
        try:
            self._counted = await self._recent.get()
        except StorageUnavailable:
            self._counted = None

    async def _count(self) -> Counted:
        return Counted(await self._rows.matches(), await self._rows.service(), await self._rows.sessions())

    def _set(self, metrics: Metrics) -> None:
        statuses = sorted(LIVE)
        metrics.database_matches.read = self._by_label(
            lambda found: {status: found.matches.by_status.get(status, 0) for status in statuses}
        )
        metrics.database_absent_seats.read = self._level(lambda found: found.matches.absent_seats)
        metrics.database_seekers.read = self._level(lambda found: found.service.seekers)
        metrics.database_seekers_age_seconds.read = self._level(lambda found: found.service.seeking_ms / 1000)
        metrics.database_nodes.read = self._level(lambda found: found.service.nodes)
        metrics.database_rating_lag_seconds.read = self._level(lambda found: found.service.unrated_ms / 1000)
        metrics.database_connections.read = self._by_label(lambda found: found.sessions.by_state)
        metrics.database_connections_limit.read = self._level(lambda found: found.sessions.most)
        metrics.database_longest_query_seconds.read = self._level(lambda found: found.sessions.longest_query_s)

    def _level(self, read: Callable[[Counted], float]) -> Callable[[], float | None]:
        return lambda: None if self._counted is None else read(self._counted)

    def _by_label(self, read: Callable[[Counted], Mapping[str, float]]) -> Callable[[], Mapping[str, float]]:
        return lambda: {} if self._counted is None else read(self._counted)
