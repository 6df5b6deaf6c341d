"""Requests for a rematch: one method for each query of sql/queries/rematches.sql. No decisions."""

from msgspec import Struct

from pairquiz_server.rules.rematch import Standing
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("rematches")
FOUND_AT_ONCE = 100
FORGOTTEN_AT_ONCE = 1000


class Noted(Struct, frozen=True):
    """What has become of a request: when each seat has asked, and when this one had before (milliseconds)."""

    asked: tuple[int | None, int | None]
    earlier_at: int | None


class RematchRows:
    """The requests of one database. Every method may be repeated, and raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, match_id: str) -> Standing:
        """Return what is known of a match's rematch."""
        for record in await self._database.fetch(_QUERIES["look"], match_id):
            return Standing(
                asked=(record["player1_asked_at"], record["player2_asked_at"]),
                next_id=None if record["next_id"] is None else str(record["next_id"]),
                blocks=(record["player1_blocks"], record["player2_blocks"]),
            )
        return Standing()

    async def ask(
        self, match_id: str, seat: int, now: int, other_id: str, *, stands_after: int, needs_presence_before: int
    ) -> Noted:
        """Note that the player of a seat asks at `now`.

        The own request of after `stands_after` stays as it is, an older one is renewed; the other's of before
        `needs_presence_before` is dropped where that player is connected nowhere. All are milliseconds.
        """
        arguments = (match_id, seat + 1, now, other_id, stands_after, needs_presence_before)
        ((first, second, earlier_at),) = await self._database.fetch(_QUERIES["ask"], *arguments)
        return Noted((first, second), earlier_at)

    async def find_agreed(self, first: int, last: int) -> list[str]:
        """Return matches whose players both want a rematch and have none: who asked second did so between the times."""
        records = await self._database.fetch(_QUERIES["find_agreed"], first, last, FOUND_AT_ONCE)
        return [str(record["match_id"]) for record in records]

    async def forget(self, before: int) -> int:
        """Delete some requests of before a time (milliseconds); return how many."""
        count: int = await self._database.fetchval(_QUERIES["forget"], before, FORGOTTEN_AT_ONCE)
        return count
