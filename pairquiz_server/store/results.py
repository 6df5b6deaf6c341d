"""What is remembered of a player's matches: one method for each query of sql/queries/results.sql."""

from msgspec import Struct

from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import Outcome
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.ratings import Standing, standing

_QUERIES = load("results")


class Tally(Struct, frozen=True):
    """How often a player has won, lost and drawn."""

    won: int = 0
    lost: int = 0
    draw: int = 0


class TopicStanding(Struct, frozen=True):
    """How strong a player is in a topic; the one over all has no name."""

    topic_id: int
    topic: str | None
    standing: Standing


class TopicTally(Struct, frozen=True):
    """A tally of one topic."""

    topic_id: int
    topic: str
    tally: Tally


class PastMatch(Struct, frozen=True):
    """A finished match as one of its players sees it; `opponent_name` is None where nothing is known of the other.

    `rating_…` and `deviation` are of the topic, None where the match did not count (`weight` 0).
    """

    id: str
    topic: str
    origin: str
    pace: str
    scoring: str
    question_count: int
    ended_at: int
    outcome: Outcome
    end_reason: EndReason
    you_forfeited: bool
    your_score: int
    opponent_score: int
    opponent_name: str | None
    ghost: bool
    weight: float
    rating_before: float | None
    rating_after: float | None
    deviation: float | None


class Results:
    """The past matches of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ratings(self, player_id: str) -> list[TopicStanding]:
        """Return a player's ratings by topic, and over all (0)."""
        records = await self._database.fetch(_QUERIES["ratings"], player_id)
        return [TopicStanding(record["topic_id"], record["topic"], standing(record)) for record in records]

    async def tally(self, player_id: str) -> list[TopicTally]:
        """Return how often a player has won, lost and drawn, by topic."""
        records = await self._database.fetch(_QUERIES["tally"], player_id)
        return [
            TopicTally(record["topic_id"], record["topic"], Tally(record["won"], record["lost"], record["draw"]))
            for record in records
        ]

    async def against(self, player_id: str, opponent_id: str) -> Tally:
        """Return how often a player has won, lost and drawn against another."""
        ((won, lost, draw),) = await self._database.fetch(_QUERIES["against"], player_id, opponent_id)
        return Tally(won, lost, draw)

    async def page(self, player_id: str, ended_at: int, match_id: str, limit: int) -> list[PastMatch]:
        """Return a player's matches that ended before this one, the latest first."""
        records = await self._database.fetch(_QUERIES["page"], player_id, ended_at, match_id, limit)
        return [
            PastMatch(
                id=str(record["id"]),
                topic=record["topic"],
                origin=record["origin"],
                pace=record["pace"],
                scoring=record["scoring"],
                question_count=record["question_count"],
                ended_at=record["ended_at"],
                outcome=Outcome(record["outcome"]),
                end_reason=EndReason(record["end_reason"]),
                you_forfeited=record["forfeited_by"] == record["player"],
                your_score=record["your_score"],
                opponent_score=record["opponent_score"],
                opponent_name=record["opponent_name"],
                ghost=record["ghost"],
                weight=record["weight"],
                rating_before=record["rating_before"],
                rating_after=record["rating_after"],
                deviation=record["deviation"],
            )
            for record in records
        ]

    async def person(self, player_id: str) -> str | None:
        """Return what a player is called, None where there is none of this id."""
        name: str | None = await self._database.fetchval(_QUERIES["person"], player_id)
        return name
