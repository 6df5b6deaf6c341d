"""What is no longer needed: one method for each query of sql/queries/retention.sql."""

from pairquiz_server.rules.match import Status
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("retention")
_LOCK = 0x70616972_666F7267  # "pairforg": one node at a time
MATCHES_AT_ONCE = 200
USES_AT_ONCE = 1000
GUESTS_AT_ONCE = 20
BANS_AT_ONCE = 1000
CHALLENGES_AT_ONCE = 1000
POINTS_AT_ONCE = 1000
DEEDS_AT_ONCE = 1000


class RetentionRows:
    """Removes a little at a time, and returns how many rows; nothing where another node is at it.

    Every method raises `StorageUnavailable`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_matches(self, before: int, status: Status) -> int:
        """Delete matches that ended in this state before `before` (milliseconds)."""
        return await self._count(_QUERIES["forget_matches"], before, status, MATCHES_AT_ONCE)

    async def forget_usage(self, before: int) -> int:
        """Delete feature usage from before `before` (milliseconds)."""
        return await self._count(_QUERIES["forget_usage"], before, USES_AT_ONCE)

    async def forget_guests(self, before: int) -> int:
        """Wish the erasure of guests who were last seen before `before` (milliseconds)."""
        return await self._count(_QUERIES["forget_guests"], before, GUESTS_AT_ONCE)

    async def forget_bans(self, days: int) -> int:
        """Delete bans that ended so many days ago."""
        return await self._count(_QUERIES["forget_bans"], days, BANS_AT_ONCE)

    async def forget_challenges(self, before: int) -> int:
        """Delete challenges that expired before `before` (milliseconds)."""
        return await self._count(_QUERIES["forget_challenges"], before, CHALLENGES_AT_ONCE)

    async def forget_weeks(self, before: int) -> int:
        """Delete points of the league's weeks before the week `before`."""
        return await self._count(_QUERIES["forget_weeks"], before, POINTS_AT_ONCE)

    async def forget_audit(self, days: int) -> int:
        """Delete what the audit has of deeds that are so many days old."""
        return await self._count(_QUERIES["forget_audit"], days, DEEDS_AT_ONCE)

    async def _count(self, query: str, *arguments: object) -> int:
        count: int = await self._database.fetchval(query, _LOCK, *arguments)
        return count
