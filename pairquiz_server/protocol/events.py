"""What clients receive: a struct for each event and for each reply that is not an event.

Times are milliseconds since the epoch, spans end in `_ms`, `time_limit` is in seconds. Every event of a match
carries its `version`, and `ghost` (true) where a recorded run plays the other seat. A key that may be missing has a
default here; one that may be null has none.
"""

from typing import Literal

from msgspec import Struct

from pairquiz_server.protocol.records import TopicRecord
from pairquiz_server.rules.scoring import Accuracy


class OpponentBrief(Struct, frozen=True):
    """Who one plays against; `kind` is `player` or `ghost`."""

    display_name: str
    kind: str


class OpponentPresence(Struct, frozen=True):
    """Who one plays against, and whether they are there."""

    display_name: str
    connected: bool
    kind: str


class Session(Struct, frozen=True, omit_defaults=True):
    """A live match in a list."""

    session_id: str
    topic: str
    status: str
    opponent: OpponentBrief | None
    ghost: bool = False


class Sessions(Struct, frozen=True):
    """All live matches of a player."""

    sessions: list[Session]


class Welcome(Struct, frozen=True, omit_defaults=True):
    """The first event of a connection."""

    user_id: str
    server_time: int
    protocol: int
    region: str
    sessions: list[Session]
    guest_token: str | None = None


class TokenExpiring(Struct, frozen=True):
    """The connection's token ends soon, and then the connection does."""

    expires_at: int


class TokenRefreshed(Struct, frozen=True, omit_defaults=True):
    """Until when the connection may last; a guest gets a new token with it."""

    expires_at: int
    guest_token: str | None = None


class QuizCreated(Struct, frozen=True, omit_defaults=True):
    """A match waits for an opponent."""

    session_id: str
    topic: str
    join_url: str
    join_code: str
    status: str
    pace: str
    scoring: str
    version: int
    duplicate: bool = False


class Series(Struct, frozen=True):
    """How many matches of a series each has won: of those that are over. A draw counts for neither."""

    you: int
    opponent: int


class OpponentJoined(Struct, frozen=True, omit_defaults=True):
    """Both seats are taken; a match whose players were brought together starts by itself at `starts_at`.

    A rematch has the match that it follows, and how the series stands.
    """

    session_id: str
    status: str
    opponent: OpponentPresence
    version: int
    duplicate: bool = False
    starts_at: int | None = None
    previous_session_id: str | None = None
    series: Series | None = None
    ghost: bool = False


class Searching(Struct, frozen=True, omit_defaults=True):
    """The reply to `find_opponent` and `cancel_find_opponent`: whether the player looks for somebody."""

    seeking: bool
    duplicate: bool = False


class OpponentSearch(Struct, frozen=True):
    """How a search goes: how far from the own rating an opponent may be by now, and how many look for the same."""

    waited_ms: int
    rating_range: int
    seeking: int


class OpponentRated(Struct, frozen=True):
    """Who one was brought together with; `kind` is `player`, or `ghost` for a recorded run."""

    display_name: str
    rating: int | None
    kind: str


class OpponentFound(Struct, frozen=True, omit_defaults=True):
    """Two who looked for somebody were brought together; the match starts by itself at `starts_at`."""

    session_id: str
    topic: str
    status: str
    opponent: OpponentRated
    starts_at: int | None
    version: int
    ghost: bool = False


class Blocked(Struct, frozen=True, omit_defaults=True):
    """The reply to `block_player` and `unblock_player`."""

    session_id: str
    blocked: bool
    duplicate: bool = False


class QuestionView(Struct, frozen=True, omit_defaults=True):
    """A question as players see it; `explanation` after the match only, `difficulty` where points go by it."""

    id: int
    text: str
    options: tuple[str, ...]
    kind: str
    lang: str | None = None
    explanation: str | None = None
    difficulty: str | None = None


class QuizStarted(Struct, frozen=True, omit_defaults=True):
    """The questions, and the clock that runs. In rounds both come later, one by one."""

    session_id: str
    questions: list[QuestionView]
    time_limit: int
    started_at: int
    deadline_at: int | None
    pace: str
    scoring: str
    version: int
    duplicate: bool = False
    ghost: bool = False


class RoundOpened(Struct, frozen=True, omit_defaults=True):
    """The next question for both: to be shown at `reveal_at`, to be answered until `closes_at`."""

    session_id: str
    index: int
    question: QuestionView
    reveal_at: int
    closes_at: int
    version: int
    ghost: bool = False


class RoundResult(Struct, frozen=True):
    """What both made of a round that is closed; answers are option indexes, null where there is none."""

    index: int
    question_id: int
    correct_option: int
    your_answer: int | None
    opponent_answer: int | None
    your_points: int
    opponent_points: int


class RoundClosed(RoundResult, frozen=True, kw_only=True, omit_defaults=True):
    """A round is over; the next one opens at `next_at`, null after the last one."""

    session_id: str
    your_score: int
    opponent_score: int
    next_at: int | None
    version: int
    ghost: bool = False


class RoundState(Struct, frozen=True):
    """The round that is open until `closes_at`; between two rounds that is null, and the next opens at `next_at`."""

    index: int
    reveal_at: int
    closes_at: int | None
    next_at: int | None


class Receipt(Struct, frozen=True, gc=False):
    """How an answer was judged: `points` and, as a sum, why."""

    arrived_at: int
    lag_credit_ms: int
    judged_at: int
    points: int
    reason: str


class OwnAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """`answer_submitted` to the one who answered."""

    question_id: int
    player: Literal["you"]
    session_id: str
    correct: bool
    correct_option: int
    points: int
    score: int
    receipt: Receipt
    version: int
    duplicate: bool = False
    ghost: bool = False


class OpponentAnswer(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """`answer_submitted` to the other: that something was answered, never what."""

    question_id: int
    player: Literal["opponent"]
    session_id: str
    answered: int
    score: int
    version: int
    ghost: bool = False


class Completed(Struct, frozen=True, omit_defaults=True):
    """`opponent_completed`, and the reply to `quiz_completed`."""

    session_id: str
    score: int
    version: int
    duplicate: bool = False
    ghost: bool = False


class Left(Struct, frozen=True, omit_defaults=True):
    """The reply to `leave_pair_quiz`."""

    session_id: str
    status: str
    version: int
    duplicate: bool = False
    ghost: bool = False


class Reported(Struct, frozen=True, omit_defaults=True):
    """The reply to `report_question`."""

    session_id: str
    question_id: int
    reason: str
    duplicate: bool = False


class OpponentDisconnected(Struct, frozen=True, omit_defaults=True):
    """The opponent is away, and may come until `reconnect_by` where a clock runs."""

    session_id: str
    cause: str
    version: int
    reconnect_by: int | None = None


class OpponentReconnected(Struct, frozen=True):
    """The opponent is back."""

    session_id: str
    version: int


class OpponentLeft(Struct, frozen=True):
    """The opponent gave up, or did not come back in time."""

    session_id: str
    version: int


class SessionDelayed(Struct, frozen=True, omit_defaults=True):
    """The server was away, and takes that time from nobody: the match's clock has moved by `delayed_ms`.

    `deadline_at` is null before the start, and in rounds, where `round` has the new times. Absences have begun anew:
    `opponent_reconnect_by` while the other is away.
    """

    session_id: str
    delayed_ms: int
    deadline_at: int | None
    server_time: int
    version: int
    opponent_reconnect_by: int | None = None
    round: RoundState | None = None
    ghost: bool = False


class SessionExpired(Struct, frozen=True, omit_defaults=True):
    """The match is over, and nobody has won."""

    session_id: str
    reason: str
    version: int
    ghost: bool = False


class QuestionResult(Struct, frozen=True, omit_defaults=True):
    """What both made of a question; answers are option indexes, null where there is none."""

    id: int
    correct_option: int
    your_answer: int | None
    opponent_answer: int | None
    your_points: int
    opponent_points: int
    receipt: Receipt | None
    explanation: str | None = None


class QuizResults(Struct, frozen=True, omit_defaults=True):
    """How the match went, and how the series stands after it; none where a recorded run has played."""

    session_id: str
    your_score: int
    opponent_score: int
    your_accuracy: Accuracy
    opponent_accuracy: Accuracy
    outcome: str
    reason: str
    questions: list[QuestionResult]
    opponent: OpponentBrief
    version: int
    series: Series | None = None
    ghost: bool = False


class YourAnswer(Struct, frozen=True):
    """One's own locked answer."""

    answer: int
    correct: bool
    points: int


class AbsenceState(Struct, frozen=True, omit_defaults=True):
    """Why a player counts as away, and until when they may come, where a clock runs."""

    cause: str
    reconnect_by: int | None = None


class OpponentState(Struct, frozen=True, omit_defaults=True):
    """How far the opponent is; `cause` and `reconnect_by` while they are away.

    `rating` is there where the two were brought together.
    """

    display_name: str
    connected: bool
    kind: str
    answered: int
    score: int
    completed: bool
    cause: str | None = None
    reconnect_by: int | None = None
    rating: int | None = None


class RematchState(Struct, frozen=True, omit_defaults=True):
    """Who has asked for a rematch of a match that is over, until when that is possible, and the rematch, once made."""

    you: bool
    opponent: bool
    expires_at: int
    session_id: str | None = None


class RematchRequested(Struct, frozen=True):
    """The other asks for a rematch."""

    session_id: str
    version: int


class RematchReply(Struct, frozen=True, omit_defaults=True):
    """The reply to `request_rematch`: of the old session; `next_session_id` once both have asked."""

    session_id: str
    waiting: bool
    next_session_id: str | None = None
    duplicate: bool = False


class QuizState(Struct, frozen=True, omit_defaults=True):
    """The whole match as one of its players may see it; everything that is needed to draw the screen.

    `starts_at` is there while a match waits that starts by itself.
    In rounds `questions` are those that were opened, and `closed_rounds` are there while it runs, with `round`.
    `opponent_accuracy` comes with the results: before, it would tell which of the opponent's answers are right.
    """

    session_id: str
    topic: str
    status: str
    pace: str
    scoring: str
    question_count: int
    time_limit: int
    started_at: int | None
    deadline_at: int | None
    remaining_ms: int | None
    server_time: int
    questions: list[QuestionView]
    your_answers: dict[str, YourAnswer]
    your_score: int
    your_accuracy: Accuracy
    opponent: OpponentState | None
    version: int
    join_code: str | None = None
    starts_at: int | None = None
    your_absence: AbsenceState | None = None
    round: RoundState | None = None
    closed_rounds: list[RoundResult] | None = None
    opponent_accuracy: Accuracy | None = None
    results: QuizResults | None = None
    previous_session_id: str | None = None
    series: Series | None = None
    rematch: RematchState | None = None
    ghost: bool = False


class ServerDraining(Struct, frozen=True):
    """The server stops: it will close the connection, and asks to be left alone for so long after that."""

    reconnect_in_ms: int


class Profile(Struct, frozen=True):
    """What a player may know of itself; `known_since` is null where nothing is stored about it yet.

    The rating is that over all, from so many `rated` matches; `matches` are all that were finished.
    """

    user_id: str
    kind: str
    display_name: str
    known_since: int | None
    record_runs: bool
    rating: int
    provisional: bool
    rated: int
    matches: int
    won: int
    lost: int
    draw: int
    topics: list[TopicRecord]


class ChallengeCreated(Struct, frozen=True, omit_defaults=True):
    """The link to a run, and what it has scored; `expires_at` where it does not hold for ever."""

    challenge_code: str
    challenge_url: str
    session_id: str
    topic: str
    score: int
    expires_at: int | None = None
    duplicate: bool = False


class ClockSync(Struct, frozen=True):
    """The reply to `sync_clock`."""

    client_time: int | float | None
    server_time: int
