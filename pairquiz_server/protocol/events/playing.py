"""A match that runs: its questions, its rounds, and who has answered what."""

from typing import Annotated, Literal

from msgspec import Struct

from pairquiz_server.protocol.fields import (
    ArrivedAt,
    ClosesAt,
    CorrectOption,
    Duplicate,
    GhostPlays,
    JudgedAt,
    Kind,
    OpponentChoice,
    OpponentPoints,
    OpponentScore,
    OwnChoice,
    OwnScore,
    Points,
    QuestionId,
    RevealAt,
    RoundIndex,
    SessionId,
    StartedAt,
    TimeLimit,
    Version,
    YourPoints,
    amount,
    instant,
    said,
    span,
    whole,
)
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.reporting import ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace


class QuestionView(Struct, frozen=True, omit_defaults=True):
    """A question as players see it: never which option is right."""

    id: QuestionId
    text: Annotated[str, said("The question: plain text of any script.", "Which planet is the largest?")]
    options: Annotated[
        tuple[str, ...], said("The options, in the same order for both.", ("Mars", "Venus", "Jupiter", "Saturn"))
    ]
    kind: Kind
    lang: Annotated[str | None, said("The language of the texts, as BCP 47 has it.", "en")] = None
    explanation: Annotated[str | None, said("Why the right option is right: after the match only.", "By far.")] = None
    difficulty: Annotated[Difficulty | None, said("How hard it is: where points go by that.", "easy")] = None


class QuizStarted(Struct, frozen=True, omit_defaults=True):
    """The questions, and the clock that runs. In rounds both come later, one by one."""

    session_id: SessionId
    questions: Annotated[list[QuestionView], whole("The questions; in rounds there are none yet.")]
    time_limit: TimeLimit
    started_at: StartedAt
    deadline_at: Annotated[int | None, instant("Until when answers are in time; null in rounds.", 1_790_000_150_000)]
    pace: Annotated[Pace, said("How the questions are asked.", "free")]
    scoring: Annotated[ScoringProfile, said("What answers are worth.", "speed_bonus")]
    version: Version
    duplicate: Duplicate = False
    ghost: GhostPlays = False


class RoundOpened(Struct, frozen=True, omit_defaults=True):
    """The next question for both: to be shown at `reveal_at`, to be answered until `closes_at`."""

    session_id: SessionId
    index: RoundIndex
    question: Annotated[QuestionView, whole("The question.")]
    reveal_at: RevealAt
    closes_at: ClosesAt
    version: Version
    ghost: GhostPlays = False


class RoundResult(Struct, frozen=True):
    """What both made of a round that is closed."""

    index: RoundIndex
    question_id: QuestionId
    correct_option: CorrectOption
    your_answer: OwnChoice
    opponent_answer: OpponentChoice
    your_points: YourPoints
    opponent_points: OpponentPoints


class RoundClosed(RoundResult, frozen=True, kw_only=True, omit_defaults=True):
    """A round is over, and what both made of it."""

    session_id: SessionId
    your_score: OwnScore
    opponent_score: OpponentScore
    next_at: Annotated[int | None, instant("When the next round opens; null after the last one.", 1_790_000_042_400)]
    version: Version
    ghost: GhostPlays = False


class RoundState(Struct, frozen=True):
    """The round that is open; between two rounds, the one before and when the next one opens."""

    index: RoundIndex
    reveal_at: RevealAt
    closes_at: Annotated[
        int | None, instant("Until when it may be answered; null where it is closed.", 1_790_000_040_400)
    ]
    next_at: Annotated[int | None, instant("When the next round opens; null where one is open.", 1_790_000_042_400)]


class Receipt(Struct, frozen=True, gc=False):
    """How an answer was judged."""

    arrived_at: ArrivedAt
    lag_credit_ms: Annotated[int, span("What the answer's line was credited.", 60)]
    judged_at: JudgedAt
    points: Points
    reason: Annotated[str, said("The points as a sum, in words.", "right: 100, for speed: 42")]


class OwnAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """`answer_submitted` to the one who answered, in all tabs."""

    question_id: QuestionId
    player: Annotated[Literal["you"], said("Whose answer it is.", "you")]
    session_id: SessionId
    correct: Annotated[bool, said("Whether the answer is right.", True)]
    correct_option: CorrectOption
    points: Points
    score: OwnScore
    receipt: Annotated[Receipt, whole("How the answer was judged.")]
    version: Version
    duplicate: Duplicate = False
    ghost: GhostPlays = False


class OpponentAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """`answer_submitted` to the other: that something was answered, never what."""

    question_id: QuestionId
    player: Annotated[Literal["opponent"], said("Whose answer it is.", "opponent")]
    session_id: SessionId
    answered: Annotated[int, amount("How many questions the opponent has answered by now.", 3, "answers")]
    score: OpponentScore
    version: Version
    ghost: GhostPlays = False


class Completed(Struct, frozen=True, omit_defaults=True):
    """`opponent_completed`, and the reply to `quiz_completed`: somebody is done."""

    session_id: SessionId
    score: Annotated[int, amount("The points of who is done.", 365, "points")]
    version: Version
    duplicate: Duplicate = False
    ghost: GhostPlays = False


class Left(Struct, frozen=True, omit_defaults=True):
    """The reply to `leave_pair_quiz`."""

    session_id: SessionId
    status: Annotated[Status, said("Where the match is now.", "completed")]
    version: Version
    duplicate: Duplicate = False
    ghost: GhostPlays = False


class Reported(Struct, frozen=True, omit_defaults=True):
    """The reply to `report_question`: what stands now."""

    session_id: SessionId
    question_id: QuestionId
    reason: Annotated[ReportReason, said("What one says is wrong with the question.", "unclear")]
    duplicate: Duplicate = False
