"""What somebody wants to happen to a match. Each names its match; only the committer carries them out."""

from msgspec import Struct

from pairquiz_server.rules.absence import Cause, Patience
from pairquiz_server.rules.lag import LagAllowance
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Ghost, Origin, Pace, Run


class Topic(Struct, frozen=True, gc=False):
    """A topic as the store knows it, with how many questions a match may draw from now."""

    id: int
    name: str
    available: int


class MatchQuestion(Struct, frozen=True, gc=False):
    """A question as it was drawn for one match: `options` in the match's own order, the same for both players.

    `option_order[i]` is the place that option `i` has in the stored question; `correct` is the right index
    in the match's order.
    """

    id: int
    text: str
    options: tuple[str, ...]
    correct: int
    option_order: tuple[int, ...]
    lang: str | None = None
    explanation: str | None = None
    difficulty: Difficulty = Difficulty.MEDIUM


class CreateMatch(Struct, frozen=True, kw_only=True, gc=False):
    """A player opens a match that waits for an opponent until `waiting_ttl_ms` is over."""

    match_id: str
    player: Player
    topic: Topic
    join_code: str
    question_count: int
    time_limit_s: int
    scoring: Scoring
    waiting_ttl_ms: int
    request_id: str | None = None
    pace: Pace = Pace.FREE


class PairPlayers(Struct, frozen=True, kw_only=True, gc=False):
    """Two players who were brought together get a match that is ready, and starts by itself after `start_delay_ms`.

    The one who asked first is the first; a ghost is the second. A rematch has the `previous_id` of the match that it
    follows, and what each has won of the series so far. `ratings` are how strong the two are, where that was looked at.
    """

    match_id: str
    players: tuple[Player, Player]
    origin: Origin
    topic: Topic
    question_count: int
    time_limit_s: int
    scoring: Scoring
    pace: Pace
    start_delay_ms: int
    ready_ttl_ms: int
    previous_id: str | None = None
    wins: tuple[int, int] = (0, 0)
    ghost: Ghost | None = None
    ratings: tuple[int, int] | None = None


class JoinMatch(Struct, frozen=True, kw_only=True, gc=False):
    """A second player takes the free seat; the match then waits `ready_ttl_ms` for a start."""

    match_id: str
    player: Player
    ready_ttl_ms: int


class StartMatch(Struct, frozen=True, kw_only=True, gc=False):
    """Either player starts, or the match by itself (no player); `draw` are the questions that the engine has drawn.

    `drawn_for` is how many players it had in view: who joined since may have seen them. Who is away meanwhile has
    `patience` from now. In rounds, the first question is revealed `lead_ms` from now, and each later one is opened
    `pause_ms` after the one before. A ghost's `run` comes with the questions that it was recorded on. `unrecorded` has
    a bit for each seat whose run is to be replayed to nobody.
    """

    match_id: str
    player_id: str | None
    draw: tuple[MatchQuestion, ...]
    drawn_for: int = 2
    patience: Patience = Patience()
    lead_ms: int = 0
    pause_ms: int = 0
    run: Run | None = None
    unrecorded: int = 0


class SubmitAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """A player answers a question: by the option's zero-based index (`int`) or its exact text (`str`).

    `lag_ms` is what the server has measured of the line that it came by; `allowance` is how much of that counts.
    """

    match_id: str
    player_id: str
    question_id: int
    answer: int | str
    lag_ms: int = 0
    allowance: LagAllowance = LagAllowance()


class CompleteQuiz(Struct, frozen=True, kw_only=True, gc=False):
    """A player is done: what is unanswered counts as wrong."""

    match_id: str
    player_id: str


class LeaveMatch(Struct, frozen=True, kw_only=True, gc=False):
    """A player gives up."""

    match_id: str
    player_id: str


class MarkAbsent(Struct, frozen=True, kw_only=True, gc=False):
    """A player's last connection is gone, everywhere."""

    match_id: str
    player_id: str
    cause: Cause
    patience: Patience


class MarkPresent(Struct, frozen=True, kw_only=True, gc=False):
    """A player is connected again, somewhere."""

    match_id: str
    player_id: str


class Tick(Struct, frozen=True, kw_only=True, gc=False):
    """The sweeper lets happen what happens in a running match by itself, if it is time.

    A question that is opened by it is revealed `lead_ms` later.
    """

    match_id: str
    lead_ms: int = 0


class EndOverdue(Struct, frozen=True, kw_only=True, gc=False):
    """The sweeper ends a match, or a round, whose time is over by `margin_ms`; one that is not due stays as it is."""

    match_id: str
    margin_ms: int


class EndMatch(Struct, frozen=True, kw_only=True, gc=False):
    """The operator ends a match: without a result, or, of one that runs, by the seat that is the `winner`."""

    match_id: str
    winner: int | None = None


Creation = CreateMatch | PairPlayers
"""A command that makes a match, and is decided on none."""
CREATIONS = (CreateMatch, PairPlayers)
Command = (
    Creation
    | JoinMatch
    | StartMatch
    | SubmitAnswer
    | CompleteQuiz
    | LeaveMatch
    | MarkAbsent
    | MarkPresent
    | Tick
    | EndOverdue
    | EndMatch
)
