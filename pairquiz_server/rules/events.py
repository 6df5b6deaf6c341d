"""What has happened to a match. Each change raises the match's version by one, and is one event.

Some changes are several events that share a version: a last answer (`AnswerAccepted`, `PlayerCompleted`), leaving a
running match (`PlayerLeft`, `MatchEnded`), a grace that is over (`PlayerForfeited`, `MatchEnded`), the start of a
match in rounds, or while somebody is away (`MatchStarted`, `RoundOpened`, `PlayerAbsent`), the end of the last round
(`RoundClosed`, `MatchEnded`), and being done, where that ends a round (`PlayerCompleted`, `RoundClosed`).
"""

from enum import StrEnum

from msgspec import Struct

from pairquiz_server.rules.absence import Absence


class EndReason(StrEnum):
    """Why a match is over."""

    ALL_ANSWERED = "all_answered"
    """Both players have answered everything, or said that they are done."""
    DEADLINE = "deadline"
    """The time was over; points decide."""
    PLAYER_LEFT = "player_left"
    """A player gave up; in a running match the other has won."""
    NOBODY_JOINED = "nobody_joined"
    """No opponent came in time."""
    NEVER_STARTED = "never_started"
    """Both were there, and nobody started in time."""
    PLAYER_ABSENT = "player_absent"
    """A player was away for too long; the other has won."""
    BOTH_ABSENT = "both_absent"
    """Both were away for too long; nobody has won."""
    OPERATOR = "operator"
    """The operator has ended it; nobody has won, unless the operator says who."""


class Answer(Struct, frozen=True, gc=False):
    """One player's locked answer: `chosen` is the option's index in the match's order, times are in milliseconds.

    `judged_at` is `arrived_at` less `lag_credit_ms`; `points` is `base` (below nought where being wrong costs) plus
    `bonus`. `too_fast` tells that it came
    sooner than a person can read: for the operator alone.
    """

    question_id: int
    chosen: int
    correct: bool
    base: int
    bonus: int
    arrived_at: int
    judged_at: int
    lag_credit_ms: int = 0
    too_fast: bool = False

    @property
    def points(self) -> int:
        """What the answer counts."""
        return self.base + self.bonus


class MatchCreated(Struct, frozen=True, gc=False):
    """A match waits for an opponent."""

    version: int


class PlayerJoined(Struct, frozen=True, gc=False):
    """The second seat is taken; the match is ready."""

    version: int


class PlayersPaired(Struct, frozen=True, gc=False):
    """Two players were brought together; the match is ready, and starts by itself."""

    version: int


class MatchStarted(Struct, frozen=True, gc=False):
    """The questions are drawn and the clock runs; `seat` said so, or nobody had to."""

    version: int
    seat: int | None


class RoundOpened(Struct, frozen=True, gc=False):
    """The question at the place `index` is asked: shown at `reveal_at`, and answered until `closes_at`."""

    version: int
    index: int
    reveal_at: int
    closes_at: int


class RoundClosed(Struct, frozen=True, gc=False):
    """The question at the place `index` takes no more answers; the next one is opened at `next_at`, if there is one."""

    version: int
    index: int
    next_at: int | None


class AnswerAccepted(Struct, frozen=True, gc=False):
    """An answer of `seat` is locked and scored."""

    version: int
    seat: int
    answer: Answer
    answered: int
    score: int


class PlayerCompleted(Struct, frozen=True, gc=False):
    """`seat` has nothing more to answer."""

    version: int
    seat: int
    score: int
    by_command: bool


class PlayerLeft(Struct, frozen=True, gc=False):
    """`seat` gave up."""

    version: int
    seat: int


class PlayerAbsent(Struct, frozen=True, gc=False):
    """`seat` is away."""

    version: int
    seat: int
    absence: Absence


class PlayerReturned(Struct, frozen=True, gc=False):
    """`seat` is back."""

    version: int
    seat: int


class PlayerForfeited(Struct, frozen=True, gc=False):
    """`seat` did not come back in time."""

    version: int
    seat: int


class MatchEnded(Struct, frozen=True, gc=False):
    """The match is over, and its results stand."""

    version: int
    reason: EndReason


class MatchExpired(Struct, frozen=True, gc=False):
    """The match is over, and nobody has won: it never began, or both players were away for too long."""

    version: int
    reason: EndReason


Milestone = (
    MatchCreated
    | PlayerJoined
    | PlayersPaired
    | MatchStarted
    | RoundOpened
    | RoundClosed
    | PlayerCompleted
    | PlayerLeft
    | PlayerAbsent
    | PlayerReturned
    | PlayerForfeited
    | MatchEnded
    | MatchExpired
)
"""What happens a few times a match. Answers are nine of ten events."""
Event = AnswerAccepted | Milestone
