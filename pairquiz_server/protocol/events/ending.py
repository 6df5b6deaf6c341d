"""A match that is over: with a result, or with none."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.events.players import OpponentBrief, Series
from pairquiz_server.protocol.events.playing import Receipt
from pairquiz_server.protocol.fields import (
    ByOperator,
    CorrectOption,
    GhostPlays,
    OpponentChoice,
    OpponentPoints,
    OpponentScore,
    OwnChoice,
    OwnScore,
    QuestionId,
    SessionId,
    Version,
    YourPoints,
    amount,
    said,
    whole,
)
from pairquiz_server.protocol.words import EndedBy, ExpiredBy
from pairquiz_server.rules.match import Outcome


class Accuracy(Struct, frozen=True, gc=False):
    """How many answers are right, apart from all points and from speed."""

    right: Annotated[int, amount("How many answers are right.", 4, "answers")]
    answered: Annotated[int, amount("How many answers there are.", 5, "answers")]
    of: Annotated[int, amount("How many questions the match has.", 5, "questions")]


class QuestionResult(Struct, frozen=True, omit_defaults=True):
    """What both made of a question."""

    id: QuestionId
    correct_option: CorrectOption
    your_answer: OwnChoice
    opponent_answer: OpponentChoice
    your_points: YourPoints
    opponent_points: OpponentPoints
    receipt: Annotated[Receipt | None, whole("How one's own answer was judged; null where there is none.")]
    explanation: Annotated[str | None, said("Why the right option is right.", "By far.")] = None


class QuizResults(Struct, frozen=True, omit_defaults=True):
    """How the match went, and how the series stands after it."""

    session_id: SessionId
    your_score: OwnScore
    opponent_score: OpponentScore
    your_accuracy: Annotated[Accuracy, whole("How many of one's own answers are right.")]
    opponent_accuracy: Annotated[Accuracy, whole("How many of the opponent's answers are right.")]
    outcome: Annotated[Outcome, said("How it went for oneself; `none` in practice.", "won")]
    reason: Annotated[EndedBy, said("Why the match is over.", "all_answered")]
    questions: Annotated[list[QuestionResult], whole("What both made of each question that was asked.")]
    opponent: Annotated[OpponentBrief, whole("Who one has played against.")]
    version: Version
    series: Annotated[Series | None, whole("How the series stands; none where a recorded run has played.")] = None
    ghost: GhostPlays = False
    by_operator: ByOperator = False


class SessionExpired(Struct, frozen=True, omit_defaults=True):
    """The match is over, and nobody has won."""

    session_id: SessionId
    reason: Annotated[ExpiredBy, said("Why the match is over.", "nobody_joined")]
    version: Version
    ghost: GhostPlays = False
    by_operator: ByOperator = False
