"""What players may say of the questions that they were shown."""

from enum import StrEnum

from msgspec import Struct

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match

NOTE_MAX = 500


class ReportReason(StrEnum):
    """What a player says is wrong with a question."""

    WRONG_ANSWER = "wrong_answer"
    """The option that counts as right is not, or another one is right too."""
    UNCLEAR = "unclear"
    """It cannot be understood, or not in one way."""
    OUTDATED = "outdated"
    """It was right once."""
    OFFENSIVE = "offensive"
    """It hurts people."""
    OTHER = "other"
    """The note says what."""


class Report(Struct, frozen=True):
    """What a player says of a question; `note` is in the player's own words."""

    player_id: str
    question_id: int
    reason: ReportReason
    note: str | None = None


def require_shown(match: Match, question_id: int) -> None:
    """Refuse (`unknown_question`) what players of a match were not shown in it: in rounds, all that did not open."""
    if not any(question.id == question_id for question in match.opened):
        raise Refused(Code.UNKNOWN_QUESTION)
