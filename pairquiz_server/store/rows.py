"""The rows that a batch writes: matches and their events → the JSON parameters of `matches.save` and `save_answers`."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from pairquiz_server.rules.events import (
    AnswerAccepted,
    EndReason,
    Event,
    MatchCreated,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    Milestone,
    PlayerAbsent,
    PlayerCompleted,
    PlayerForfeited,
    PlayerJoined,
    PlayerLeft,
    PlayerReturned,
    PlayersPaired,
    RoundClosed,
    RoundOpened,
)
from pairquiz_server.rules.match import Match, Seat
from pairquiz_server.rules.player import GHOST_NAME, PlayerKind
from pairquiz_server.store.tables import AnswerRow, DrawRow, MatchRow, PlayerRow, ScoreRow, UsageRow, as_it_is

_encode = msgspec.json.Encoder().encode


class Change(Struct, frozen=True, gc=False):
    """A match as it is to be saved: moved from `from_version` (0 for a new one) by `events`."""

    from_version: int
    match: Match
    events: tuple[Event, ...]


class Batch(Struct):
    """All rows of a batch, table by table in the order of the statement's parameters."""

    matches: list[MatchRow | ScoreRow] = []
    answers: list[AnswerRow] = []
    players: list[PlayerRow] = []
    draws: list[DrawRow] = []
    usage: list[UsageRow] = []
    answers_alone: bool = True

    def parameters(self) -> tuple[str, ...]:
        """Return each table's rows as a JSON text: of matches and answers, and of the others unless all are empty."""
        tables: tuple[Sequence[Struct], ...] = (self.matches, self.answers)
        if not self.answers_alone:
            tables += (self.players, self.draws, self.usage)
        return tuple([_encode(rows).decode() for rows in tables])


def batch(changes: Iterable[Change]) -> Batch:
    """Return the rows of changes, in orders that are the same on every node: matches and players by their ids."""
    rows = Batch()
    for change in sorted(changes, key=attrgetter("match.id")):
        match = change.match
        whole = not change.events or match.run is not None  # a ghost's answer says when the next one comes
        for event in change.events:
            if isinstance(event, AnswerAccepted):
                rows.answers.append(_answer_row(match.id, event))
            else:
                whole = True
                _add(rows, match, event)
        if whole:
            rows.answers_alone = False
            rows.matches.append(_match_row(change.from_version, match))
        else:
            rows.matches.append(_score_row(change.from_version, match))
    rows.players.sort(key=attrgetter("id"))
    return rows


def _score_row(from_version: int, match: Match) -> ScoreRow:
    first, second = match.seats
    return ScoreRow(
        id=match.id,
        from_version=from_version,
        version=match.version,
        player1_score=first.score,
        player2_score=second.score,
    )


def _answer_row(match_id: str, event: AnswerAccepted) -> AnswerRow:
    return AnswerRow(*astuple(event.answer), match_id=match_id, player=event.seat + 1, ordinal=event.answered)


def _match_row(from_version: int, match: Match) -> MatchRow:
    first, scoring = match.seats[0], match.scoring
    row = MatchRow(
        *as_it_is(match),
        whole=True,
        from_version=from_version,
        points=scoring.points,
        speed_bonus=scoring.speed_bonus,
        scoring=scoring.profile,
        player1_id=first.player.id,
        player1_score=first.score,
        player2_score=0,
        player1_completed_at=first.completed_at,
        player1_away_ms=first.away_ms,
        player2_away_ms=0,
        reveals=match.reveals or None,
        player1_wins=match.wins[0],
        player2_wins=match.wins[1],
    )
    if away := first.absence:
        row.player1_absent_since, row.player1_absence_cause = away.since, away.cause
        row.player1_reconnect_by = away.reconnect_by
    if len(match.seats) == 2:
        _add_second(row, match.seats[1])
    if match.end_reason is EndReason.OPERATOR:
        row.end_reason, row.by_operator = _nearest(match), True
    if match.forfeited_by is not None:
        row.forfeited_by = match.forfeited_by + 1
    if match.ghost:
        row.ghost_match_id, row.ghost_player = match.ghost.match_id, match.ghost.seat + 1
    if match.ratings:
        row.player1_rating, row.player2_rating = match.ratings
    return row


def _nearest(match: Match) -> EndReason:
    """Return how a match would have ended so without its operator: what versions read that know of none."""
    if match.started_at is not None and match.forfeited_by is None:
        return EndReason.BOTH_ABSENT
    return EndReason.PLAYER_LEFT


def _add_second(row: MatchRow, seat: Seat) -> None:
    row.player2_id, row.player2_score = seat.player.id, seat.score
    row.player2_completed_at, row.player2_away_ms = seat.completed_at, seat.away_ms
    if away := seat.absence:
        row.player2_absent_since, row.player2_absence_cause = away.since, away.cause
        row.player2_reconnect_by = away.reconnect_by


def _add(rows: Batch, match: Match, event: Milestone) -> None:
    match event:
        case PlayerCompleted():
            pass  # the match's own row says it all
        case MatchEnded():
            assert match.ended_at is not None
            for seat in (0, 1):
                if seat != match.forfeited_by:
                    _add_usage(rows, match, seat, "completed", match.ended_at)
        case MatchCreated():
            _add_player(rows, match, 0, match.created_at)
            _add_usage(rows, match, 0, "created", match.created_at)
        case PlayerJoined():
            assert match.joined_at is not None
            _add_player(rows, match, 1, match.joined_at)
            _add_usage(rows, match, 1, "joined", match.joined_at)
        case PlayersPaired():
            for seat in (0, 1):
                _add_player(rows, match, seat, match.created_at)
                _add_usage(rows, match, seat, "paired", match.created_at)
        case MatchStarted():
            assert match.started_at is not None
            rows.draws.append(
                DrawRow(
                    match.id,
                    [question.id for question in match.questions],
                    [question.option_order for question in match.questions],
                    match.run,
                    match.unrecorded or None,
                )
            )
            if event.seat is not None:
                _add_usage(rows, match, event.seat, "started", match.started_at)
        case PlayerLeft() | PlayerForfeited():
            assert match.ended_at is not None
            _add_usage(rows, match, event.seat, "abandoned", match.ended_at)
        case PlayerAbsent() | PlayerReturned() | MatchExpired() | RoundOpened() | RoundClosed():
            pass  # the match's own row says it all
        case _:
            assert_never(event)


def _add_player(rows: Batch, match: Match, seat: int, at: int) -> None:
    player = match.seats[seat].player
    # The ghost's row is the stand-in's, whoever was recorded.
    name = GHOST_NAME if player.kind is PlayerKind.GHOST else player.display_name
    rows.players.append(PlayerRow(player.id, player.kind, name, player.label, at, match.id))


def _add_usage(rows: Batch, match: Match, seat: int, feature: str, at: int) -> None:
    player = match.seats[seat].player
    if player.kind is not PlayerKind.GHOST:
        rows.usage.append(UsageRow(at, player.id, feature, match.id))
