"""The processes that serve one database, and their common clock: one method for each query of sql/queries/nodes.sql."""

from uuid import UUID

import msgspec
from msgspec import Struct

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("nodes")
_ALIVE_MS = 5000
_MOVE_TIMEOUT_S = 30.0
"""Moving the clocks of very many matches may take longer than a player waits, and must not be given up half-way."""

NEW_SESSION_MS = 60_000
"""A session that is older was not made by a process that starts."""


class ClockReading(Struct, frozen=True):
    """The game's clock and the database's at the last sign of life (None where none ran), and the latter now."""

    game_at: int | None
    beaten_at: int | None
    database_at: int


class MovedMatch(Struct, frozen=True):
    """A match whose clocks were moved after an outage.

    `deadline_at` is None before the start and in rounds; those have `reveals`, of which an open round's was moved.
    """

    id: str
    version: int
    deadline_at: int | None
    player1_id: str
    player2_id: str | None
    player1_reconnect_by: int | None
    player2_reconnect_by: int | None
    reveals: tuple[int, ...] | None = None
    closes_at: int | None = None
    tick_at: int | None = None


class Beat(Struct, frozen=True):
    """What a sign of life has found: the game's clock, the gap that was credited, and whether the node is known.

    `late` tells that it was held up and does not count; `database_at` is the database's clock; `alone`, that no other
    node has entered.
    """

    now: int
    gap_ms: int
    alive: bool
    moved: list[MovedMatch]
    database_at: int = 0
    late: bool = False
    alone: bool = False


_moved = msgspec.json.Decoder(list[MovedMatch])


class Nodes:
    """The nodes of one database; times in milliseconds. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read_clock(self) -> ClockReading:
        """Return what a starting node must know of the time."""
        (record,) = await self._database.fetch(_QUERIES["read_clock"])
        return ClockReading(**record)

    async def alone(self) -> bool:
        """Tell whether it is certain that no other node runs, because nobody else has a session of the database.

        To be asked by a process that starts. Behind a pooler, whose sessions are anybody's, it is never certain; nor is
        it on a session that a pooler had before, though we know of none.
        """
        return not self._database.pooled and bool(await self._database.fetchval(_QUERIES["alone"], NEW_SESSION_MS))

    async def enter(self, node: UUID, now: int) -> None:
        """Note that a node serves."""
        await self._database.fetch(_QUERIES["open_clock"], now)
        await self._database.fetch(_QUERIES["enter"], node, now)

    async def beat(
        self, node: UUID, now: int, overlooked_ms: int, *, after_silence: bool, expected_at: int | None = None
    ) -> Beat:
        """Give a sign of life; after a silence of more than `overlooked_ms` move the clocks of all live matches.

        `expected_at` is what the database's clock should show. It probes the database: a failure means that it is
        away. To be called once at a time.
        """
        timeout_s = _MOVE_TIMEOUT_S if after_silence else None
        query = _QUERIES["beat"]
        own = not self._database.pooled
        (record,) = await self._database.probe(query, node, now, overlooked_ms, expected_at, own, timeout_s=timeout_s)
        moved = _moved.decode(record["moved"]) if record["moved"] else []
        return Beat(
            now=record["now"],
            gap_ms=record["gap"],
            alive=record["alive"],
            moved=moved,
            database_at=record["database_at"],
            late=record["late"],
            alone=record["alone"],
        )

    async def bury(self, silent_ms: int) -> dict[str, int]:
        """Remove nodes that were silent for so long; return the players who were connected to them, and since when."""
        return {
            record["player_id"]: record["came_at"] for record in await self._database.fetch(_QUERIES["bury"], silent_ms)
        }

    async def alive(self) -> bool:
        """Tell whether any server runs, as far as is known."""
        return bool(await self._database.fetchval(_QUERIES["alive"], _ALIVE_MS))
