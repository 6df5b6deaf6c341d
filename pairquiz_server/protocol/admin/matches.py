"""One match as its operator sees it: as it stands, and as it changes. Players are 1 and 2, as in the database."""

from msgspec import Struct

from pairquiz_server.rules.match import Status


class ShownPlayer(Struct, frozen=True, kw_only=True):
    """One side of a match; the `away_` keys are there while the player is connected nowhere."""

    player: int
    id: str
    kind: str
    display_name: str
    label: str | None
    score: int
    answered: int
    completed_at: int | None
    away_since: int | None
    away_cause: str | None
    reconnect_by: int | None
    away_ms: int
    outcome: str


class ShownAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer, and how it was judged. `chosen` and `correct` are told while it goes on only where asked for."""

    player: int
    arrived_at: int
    judged_at: int
    lag_credit_ms: int
    base: int
    bonus: int
    too_fast: bool = False
    chosen: int | None = None
    correct: bool | None = None


class ShownQuestion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question as it was drawn; `correct` is not told while the match goes on, unless asked for."""

    id: int
    text: str
    options: tuple[str, ...]
    revealed_at: int | None = None
    correct: int | None = None
    answers: list[ShownAnswer]


class ShownMatch(Struct, frozen=True, kw_only=True):
    """The whole match."""

    session_id: str
    version: int
    status: Status
    topic: str
    pace: str
    scoring: str
    origin: str
    question_count: int
    time_limit: int
    join_code: str | None
    created_at: int
    joined_at: int | None
    started_at: int | None
    deadline_at: int | None
    due_at: int
    ended_at: int | None
    end_reason: str | None
    forfeited_by: int | None
    paused_at: int | None
    resumed_at: int | None
    previous_session_id: str | None
    recorded_session_id: str | None
    players: list[ShownPlayer]
    questions: list[ShownQuestion]


class MatchChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a match that is watched: in which version it was seen, and what is new in it.

    `what` is `state` (first of all, and wherever nothing else says it), `joined`, `started`, `round_opened`,
    `answered`, `completed`, `away`, `back`, or `ended`.
    """

    version: int
    what: str
    status: Status
    at: int | None = None
    player: int | None = None
    question: int | None = None
    points: int | None = None
    scores: tuple[int, ...] = ()
    cause: str | None = None
    reason: str | None = None
