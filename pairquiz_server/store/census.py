"""How much of everything there is in one database: one method for each query of sql/queries/census.sql."""

from collections.abc import Mapping

from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("census")
_ALIVE_MS = 5000
"""A node that is silent for longer is taken for dead."""


class LiveMatches(Struct, frozen=True):
    """How many live matches there are, by status, and how many of their seats are away."""

    by_status: Mapping[str, int]
    absent_seats: int


class Service(Struct, frozen=True):
    """Who looks for an opponent, how many nodes serve, and what is not rated: spans in milliseconds, 0 for none."""

    seekers: int
    seeking_ms: int
    nodes: int
    unrated_ms: int


class Sessions(Struct, frozen=True):
    """The sessions of a database, by state; how many PostgreSQL takes; how long (seconds) the longest query goes on."""

    by_state: Mapping[str, int]
    most: int
    longest_query_s: float


class CensusRows:
    """Counts of one database. Every method raises `StorageUnavailable` where the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def matches(self) -> LiveMatches:
        """Count live matches."""
        records = await self._database.fetch(_QUERIES["matches"])
        return LiveMatches(
            {record["status"]: record["matches"] for record in records}, sum(record["absent"] for record in records)
        )

    async def service(self) -> Service:
        """Count all else that is the game's."""
        (record,) = await self._database.fetch(_QUERIES["service"], _ALIVE_MS)
        now = record["now"]

        def ago(at: int | None) -> int:
            return 0 if at is None or now is None else max(now - at, 0)

        return Service(record["seekers"], ago(record["seeking_since"]), record["nodes"], ago(record["unrated_since"]))

    async def sessions(self) -> Sessions:
        """Count PostgreSQL's sessions."""
        records = await self._database.fetch(_QUERIES["sessions"])
        return Sessions(
            {record["state"]: record["sessions"] for record in records},
            max((record["most"] for record in records), default=0),
            max((record["longest_s"] or 0.0 for record in records), default=0.0),
        )
