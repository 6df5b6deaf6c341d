"""What players say of questions: one method for each query of sql/queries/reports.sql."""

from msgspec import Struct

from pairquiz_server.rules.reporting import Report
from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load

_QUERIES = load("reports")
_OPERATOR_TIMEOUT_S = 60.0
NOTES_MAX = 5
"""So many of the last notes are shown with a question."""


class ReportedQuestion(Struct, frozen=True):
    """A question that players have reported: how many of them, for which reasons, and what they wrote last.

    `key` names it over all its edits; `edited` tells that it is drawn no more, because an edit took its place.
    `last_at` is in milliseconds.
    """

    key: str
    id: int
    topic: str
    text: str
    edited: bool
    reports: int
    reasons: dict[str, int]
    notes: list[str]
    last_at: int


class Reports:
    """The reports of one database. Every method raises `StorageUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, report: Report, now: int) -> bool:
        """Keep what a player says, in the place of what the player has said of the question before.

        Tell whether it is news: not where it is the same, nor where the player is nobody any more.
        """
        news: bool = await self._database.fetchval(
            _QUERIES["note"], report.player_id, report.question_id, report.reason, report.note, now
        )
        return news

    async def find(self, topic_key: str | None, limit: int, *, edited: bool) -> list[ReportedQuestion]:
        """Return reported questions, those with the most reports first, of one topic where it is named.

        Those that were edited since are among them only where `edited` is true.
        """
        records = await self._database.fetch(
            _QUERIES["find"], topic_key, edited, limit, NOTES_MAX, timeout_s=_OPERATOR_TIMEOUT_S
        )
        return [
            ReportedQuestion(
                key=record["key"],
                id=record["id"],
                topic=record["topic"],
                text=record["text"],
                edited=record["edited"],
                reports=record["reports"],
                reasons=dict(zip(record["reasons"], record["times"], strict=True)),
                notes=list(record["notes"] or ()),
                last_at=record["last_at"],
            )
            for record in records
        ]
