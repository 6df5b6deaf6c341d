"""The whole match as one of its players may see it."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.events.absence import AbsenceState
from pairquiz_server.protocol.events.ending import Accuracy, QuizResults
from pairquiz_server.protocol.events.meeting import RematchState
from pairquiz_server.protocol.events.players import OpponentPresence, Series
from pairquiz_server.protocol.events.playing import QuestionView, RoundResult, RoundState
from pairquiz_server.protocol.fields import (
    GhostPlays,
    JoinCode,
    OpponentScore,
    Option,
    OwnScore,
    Points,
    PreviousSessionId,
    QuestionCount,
    ReconnectBy,
    ServerTime,
    SessionId,
    StartsAt,
    TimeLimit,
    Topic,
    Version,
    amount,
    instant,
    said,
    span,
    whole,
)
from pairquiz_server.protocol.words import AwayCause
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace


class YourAnswer(Struct, frozen=True):
    """One's own locked answer."""

    answer: Option
    correct: Annotated[bool, said("Whether it is right.", True)]
    points: Points


class OpponentState(OpponentPresence, frozen=True, kw_only=True, omit_defaults=True):
    """How far the opponent is; `cause` and `reconnect_by` while they are away."""

    answered: Annotated[int, amount("How many questions the opponent has answered.", 3, "answers")]
    score: OpponentScore
    completed: Annotated[bool, said("Whether the opponent is done.", False)]
    cause: Annotated[AwayCause | None, said("Why the opponent is away.", "connection_lost")] = None
    reconnect_by: ReconnectBy | None = None
    rating: Annotated[
        int | None, amount("The opponent's rating: where the two were brought together.", 1490, "rating points")
    ] = None


class QuizState(Struct, frozen=True, omit_defaults=True):
    """The whole match as one of its players may see it: everything that is needed to draw the screen.

    `opponent_accuracy` comes with the results: before, it would tell which of the opponent's answers are right.
    """

    session_id: SessionId
    topic: Topic
    status: Annotated[Status, said("Where the match is.", "in_progress")]
    pace: Annotated[Pace, said("How the questions are asked.", "free")]
    scoring: Annotated[ScoringProfile, said("What answers are worth.", "speed_bonus")]
    question_count: QuestionCount
    time_limit: TimeLimit
    started_at: Annotated[int | None, instant("When the match has begun; null before.")]
    deadline_at: Annotated[
        int | None, instant("Until when answers are in time; null before the start and in rounds.", 1_790_000_150_000)
    ]
    remaining_ms: Annotated[
        int | None, span("How long the match, or the open round, still has; null where no clock runs.", 93_000)
    ]
    server_time: ServerTime
    questions: Annotated[list[QuestionView], whole("The questions that were asked: none before the start.")]
    your_answers: Annotated[dict[str, YourAnswer], whole("One's own answers, each by its question's id as text.")]
    your_score: OwnScore
    your_accuracy: Annotated[Accuracy, whole("How many of one's own answers are right.")]
    opponent: Annotated[OpponentState | None, whole("How far the opponent is; null while nobody has joined.")]
    version: Version
    join_code: JoinCode | None = None
    starts_at: StartsAt | None = None
    your_absence: Annotated[AbsenceState | None, whole("That one counts as away oneself.")] = None
    round: Annotated[RoundState | None, whole("Where the rounds are, while they run.")] = None
    closed_rounds: Annotated[list[RoundResult] | None, whole("The rounds that are over, while rounds run.")] = None
    opponent_accuracy: Annotated[Accuracy | None, whole("How many of the opponent's answers are right.")] = None
    results: Annotated[QuizResults | None, whole("As `quiz_results`, once the match is completed.")] = None
    previous_session_id: PreviousSessionId | None = None
    series: Annotated[Series | None, whole("How the series stands.")] = None
    rematch: Annotated[RematchState | None, whole("Who has asked for a rematch, while one may be asked for.")] = None
    ghost: GhostPlays = False
