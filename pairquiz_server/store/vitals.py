"""How the processes of one database fare: one method for each query of sql/queries/vitals.sql."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("vitals")


class Vitals(Struct, frozen=True, kw_only=True):
    """What one process says of itself: what it has counted since it started, and what there is now.

    `at` is the game's clock, in milliseconds. Of `command_seconds` and `loop_lag_seconds` each number is of those that
    were at most as large as the bound at its place in `bounds`; the last is of all.
    """

    at: int
    version: str
    region: str
    host: str
    pid: int
    cpu_s: float
    memory_bytes: int
    checks: Mapping[str, bool]

    sockets: Mapping[str, int]
    connections: int
    connections_limit: int | None
    players: int
    seekers: int
    matches: int

    commands: int
    answers: int
    refusals: Mapping[str, int]
    bounds: list[float]
    command_seconds: list[int]
    loop_lag_seconds: list[int]
    queued: int
    queued_age_s: float

    pool: Mapping[str, int]
    pool_limit: int | None
    pool_waiting: int


class NodeVitals(Struct, frozen=True):
    """A process that serves: since when, for how long (both milliseconds) it gave no sign of life, and what it said."""

    id: str
    started_at: int
    silent_ms: int
    vitals: Vitals | None


class LongestQuery(Struct, frozen=True):
    """A query that goes on: of which of PostgreSQL's processes, for how many seconds, and its beginning."""

    pid: int
    seconds: float
    query: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Vitals).decode


class VitalsRows:
    """How the nodes of one database fare. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, node: UUID, vitals: Vitals) -> None:
        """Write how a node fares."""
        await self._database.fetch(_QUERIES["tell"], node, _encode(vitals).decode())

    async def read(self) -> list[NodeVitals]:
        """Return all nodes, the oldest first. What one of another version says may not be understood."""
        return [
            NodeVitals(str(record["id"]), record["started_at"], record["silent_ms"], _read(record["told"]))
            for record in await self._database.fetch(_QUERIES["read"])
        ]

    async def longest(self) -> LongestQuery | None:
        """Return the query that goes on for longest, None where none does."""
        records = await self._database.fetch(_QUERIES["longest"])
        return LongestQuery(**records[0]) if records else None


def _read(told: str | None) -> Vitals | None:
    try:
        return None if told is None else _decode(told)
    except msgspec.ValidationError:
        return None
