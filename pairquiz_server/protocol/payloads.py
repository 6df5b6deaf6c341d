"""What clients send: a struct for each command's payload, and what is said at CONNECT.

Unknown keys are ignored; a known key of a wrong type, range or length is refused by its name; a missing payload and
`null` are the empty object, and an optional key that is `null` is absent.
"""

from typing import Annotated

from msgspec import Meta, Struct

from pairquiz_server.protocol.fields import SECONDS, SESSION, opaque, said
from pairquiz_server.rules.reporting import NOTE_MAX, ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace

DEFAULT_TOPIC = "General"
QUESTIONS_MAX = 50
TIME_LIMITS = (5, 300)
_SHORT = Meta(min_length=1, max_length=64)

Id = int | str
ClaimedUser = int | float | str | None

UserClaim = Annotated[
    ClaimedUser,
    said("What the frontend calls the player. It proves nothing: with a user's token it must be its `sub`.", 1),
]
ClaimedScore = Annotated[
    ClaimedUser, said("What a client takes for its score. It is not read: the server counts.", 480, unit="points")
]
SessionId = Annotated[str, said("The match, a UUID in any spelling.", SESSION)]
QuestionId = Annotated[Id, said("The question's id; its decimal text is taken, too.", 7)]

WantedTopic = Annotated[
    str | None, said(f"The topic, in any spelling; `{DEFAULT_TOPIC}` where none is named.", "General")
]
WantedCount = Annotated[
    Annotated[int, Meta(ge=1, le=QUESTIONS_MAX)] | None,
    said(
        "How many questions the match is to have; as the server is set (5) where it is not said.", 5, unit="questions"
    ),
]
WantedLimit = Annotated[
    Annotated[int, Meta(ge=TIME_LIMITS[0], le=TIME_LIMITS[1])] | None,
    said("How long a question is to have; as the server is set (30) where it is not said.", 30, unit=SECONDS),
]
WantedPace = Annotated[Pace | None, said("How the questions are to be asked; `free` where it is not said.", "rounds")]
WantedScoring = Annotated[
    ScoringProfile | None, said("What answers are to be worth; `speed_bonus` where it is not said.", "speed_bonus")
]


class ConnectAuth(Struct, frozen=True, gc=False):
    """What a client says of itself as it connects: the `auth` of Socket.IO."""

    token: Annotated[
        str | None, opaque("Who one is: a user's token, or a guest's newest one. Without one, one is a new guest.")
    ] = None
    protocol: Annotated[
        int | None, said("Which version of the protocol one was written for; the current one where it is not said.", 1)
    ] = None


class CreatePairQuiz(Struct, frozen=True, gc=False):
    """Create a match, which waits for an opponent."""

    user_id: UserClaim = None
    topic: WantedTopic = None
    question_count: WantedCount = None
    time_limit: WantedLimit = None
    pace: WantedPace = None
    scoring: WantedScoring = None
    request_id: Annotated[
        Annotated[str, _SHORT] | None,
        said("A text of one's own: the same again within 24 hours is the same match.", "b1f0c6de"),
    ] = None


class JoinPairQuiz(Struct, frozen=True, gc=False):
    """Take the second seat of a match, by its id or by its join code: one of the two is needed."""

    user_id: UserClaim = None
    session_id: Annotated[str | None, said("The match, a UUID in any spelling.", SESSION)] = None
    join_code: Annotated[
        Annotated[str, _SHORT] | None, said("The code of the match, in any spelling.", "7kq2-m4xa")
    ] = None


class StartQuiz(Struct, frozen=True, gc=False):
    """Start a match that is ready: either player may."""

    session_id: SessionId


class SubmitAnswer(Struct, frozen=True, gc=False):
    """Answer a question. The first answer stands."""

    session_id: SessionId
    question_id: QuestionId
    answer: Annotated[int | str, said("The option's index (a number, from 0), or its exact text (a string).", 2)]


class QuizCompleted(Struct, frozen=True, gc=False):
    """Be done: what is unanswered counts as wrong."""

    session_id: SessionId
    score: ClaimedScore = None


class ResumePairQuiz(Struct, frozen=True, gc=False):
    """Ask how a match stands, and hear of it from now on; or which matches are not over."""

    session_id: Annotated[str | None, said("The match; all that are not over where none is named.", SESSION)] = None


class LeavePairQuiz(Struct, frozen=True, gc=False):
    """Give up: in a running match the other has won."""

    session_id: SessionId


class FindOpponent(Struct, frozen=True, gc=False):
    """Look for somebody who wants to play the same."""

    topic: WantedTopic = None
    question_count: WantedCount = None
    time_limit: WantedLimit = None
    pace: WantedPace = None
    scoring: WantedScoring = None
    accept_ghost: Annotated[
        bool | None, said("Whether a recorded run will do, where nobody is found soon; no where it is not said.", True)
    ] = None


class CancelFindOpponent(Struct, frozen=True, gc=False):
    """Look for nobody any more."""


class BlockPlayer(Struct, frozen=True, gc=False):
    """Be brought together with the opponent of a session no more."""

    session_id: SessionId


class UnblockPlayer(Struct, frozen=True, gc=False):
    """Take that back."""

    session_id: SessionId


class RequestRematch(Struct, frozen=True, gc=False):
    """Ask for another match against the same opponent; once both have asked, there is one."""

    session_id: SessionId


class ReportQuestion(Struct, frozen=True, gc=False):
    """Say what is wrong with a question that one was shown."""

    session_id: SessionId
    question_id: QuestionId
    reason: Annotated[ReportReason, said("What is wrong with it.", "unclear")]
    note: Annotated[
        Annotated[str, Meta(max_length=NOTE_MAX)] | None, said("The same in one's own words.", "Which of the two?")
    ] = None


class RefreshToken(Struct, frozen=True, gc=False):
    """Let the connection last as long as the next token of the same player."""

    token: Annotated[str, Meta(min_length=1), opaque("The next token.")]


class SetProfile(Struct, frozen=True, gc=False):
    """Say what one is called, and whether runs may be recorded; what is not said stays as it is."""

    display_name: Annotated[
        str | None, said("What one is called: 1 to 40 characters as readers count them, of any script.", "Ada")
    ] = None
    record_runs: Annotated[bool | None, said("Whether one's runs may be replayed as ghosts.", False)] = None


class CreateChallenge(Struct, frozen=True, gc=False):
    """Get a link to one's own run in a session that was played to its end."""

    session_id: SessionId


class AcceptChallenge(Struct, frozen=True, gc=False):
    """Play against the run that a code leads to."""

    challenge_code: Annotated[str, _SHORT, said("The code of the challenge, in any spelling.", "7KQ2M4XA7KQ2")]


class SyncClock(Struct, frozen=True, gc=False):
    """Ask what the server's clock shows."""

    client_time: Annotated[
        int | float | None, said("What the own clock shows: it is given back beside the server's.", 12_345.6, unit="ms")
    ] = None
