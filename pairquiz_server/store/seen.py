"""What players have answered lately: the query of sql/queries/seen.sql."""

from collections.abc import Sequence

from msgspec import Struct

from pairquiz_server.rules.drawing import SEEN_ANSWERS
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("seen")


class LastAnswers(Struct, frozen=True):
    """A player's last answers: each question's id, and when it was answered (milliseconds), the latest at the end.

    `playing` tells that the player is in a running match, so that there may be more in a moment.
    """

    answers: Sequence[tuple[int, int]] = ()
    playing: bool = False


class SeenRows:
    """What the players of one database have answered. Raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_last(self, players: Sequence[str]) -> dict[str, LastAnswers]:
        """Return the last `SEEN_ANSWERS` answers of those players who have given any, over all their matches."""
        records = await self._database.fetch(_QUERIES["find_last"], players, SEEN_ANSWERS)
        return {
            record["player_id"]: LastAnswers(
                list(zip(record["question_ids"] or (), record["times"] or (), strict=True)), record["playing"]
            )
            for record in records
        }
