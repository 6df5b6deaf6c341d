"""A struct for each table that a batch writes: a row, whose fields are the columns."""

from operator import attrgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import astuple

from pairquiz_server.rules.events import Answer
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.terms import Run


class AsItIs(Struct, omit_defaults=True, gc=False):
    """The columns of `matches` that have the names, and the values, that the match has them by."""

    id: str
    version: int
    status: str
    topic_id: int
    question_count: int
    time_limit_s: int
    join_code: str
    created_at: int
    due_at: int
    pace: str
    origin: str
    pause_ms: int
    request_id: str | None = None
    joined_at: int | None = None
    started_at: int | None = None
    deadline_at: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None
    paused_at: int | None = None
    resumed_at: int | None = None
    tick_at: int | None = None
    closes_at: int | None = None
    previous_id: str | None = None


as_it_is = attrgetter(*AsItIs.__struct_fields__)
"""Takes these values from a match."""


class MatchRow(AsItIs, kw_only=True, omit_defaults=True, gc=False):
    """A row of `matches`, `whole`; a key that is left out is null."""

    whole: Literal[True]
    from_version: int
    points: int
    speed_bonus: int
    scoring: str
    player1_id: str
    player2_id: str | None = None
    # Without a default, because null is not nought.
    player1_score: int
    player2_score: int
    player1_completed_at: int | None = None
    player2_completed_at: int | None = None
    player1_absent_since: int | None = None
    player1_absence_cause: str | None = None
    player1_reconnect_by: int | None = None
    player1_away_ms: int
    player2_absent_since: int | None = None
    player2_absence_cause: str | None = None
    player2_reconnect_by: int | None = None
    player2_away_ms: int
    by_operator: Literal[True] | None = None
    forfeited_by: int | None = None
    reveals: tuple[int, ...] | None = None
    player1_wins: int
    player2_wins: int
    ghost_match_id: str | None = None
    ghost_player: int | None = None
    player1_rating: int | None = None
    player2_rating: int | None = None


class ScoreRow(Struct, kw_only=True, gc=False):
    """What answers alone change of a row of `matches`: nine of ten changes are no more than that."""

    id: str
    from_version: int
    version: int
    player1_score: int
    player2_score: int


class PlayerRow(Struct, gc=False):
    """A row of `players`, and the match that brings the player."""

    id: str
    kind: PlayerKind
    display_name: str
    label: str | None
    created_at: int
    match_id: str


class DrawRow(Struct, gc=False, omit_defaults=True):
    """A row of `draws`."""

    match_id: str
    question_ids: list[int]
    option_orders: list[tuple[int, ...]]
    ghost_run: Run | None = None
    unrecorded: int | None = None


class AnswerRow(Answer, frozen=True, kw_only=True, gc=False):
    """A row of `answers`: an answer, and whose. `player` is 1 or 2, `ordinal` counts this player's answers from 1."""

    match_id: str
    player: int
    ordinal: int

    def answer(self) -> Answer:
        """Return the answer as the rules know it."""
        return Answer(*astuple(self)[: len(Answer.__struct_fields__)])


class UsageRow(Struct, gc=False):
    """A row of `feature_usage`."""

    used_at: int
    player_id: str
    feature: str
    match_id: str
