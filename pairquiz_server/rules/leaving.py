"""What happens when somebody leaves, is away, or comes back, when time has run out, and by the operator's word."""

from msgspec.structs import replace

from pairquiz_server.rules import ghosts, rounds
from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.commands import EndMatch, EndOverdue, LeaveMatch, MarkAbsent, MarkPresent
from pairquiz_server.rules.decision import (
    Decision,
    ended,
    expired,
    is_decided,
    require_move,
    returned,
    seat_of_player,
    stays_away,
    wrong_state,
)
from pairquiz_server.rules.events import (
    EndReason,
    PlayerAbsent,
    PlayerForfeited,
    PlayerLeft,
    PlayerReturned,
)
from pairquiz_server.rules.match import LIVE, Match, Seat, Status
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.terms import Pace


def leave(match: Match, command: LeaveMatch, now: int) -> Decision:
    """Give up: in a running match the other has won."""
    index = seat_of_player(match, command.player_id)
    if match.forfeited_by == index:
        return Decision(match, duplicate=True)
    require_move(match, command)
    if is_decided(match, now) or match.seats[index].completed_at is not None:
        return Decision(match)  # who has completed loses nothing by leaving, nor does anybody when time has decided
    version = match.version + 1
    left = PlayerLeft(version, index)
    if match.status is Status.IN_PROGRESS:
        decision = ended(replace(match, forfeited_by=index), (), EndReason.PLAYER_LEFT, now)
        return replace(decision, events=(left, *decision.events))
    after = replace(
        match,
        version=version,
        status=Status.ABANDONED,
        forfeited_by=index,
        ended_at=now,
        end_reason=EndReason.PLAYER_LEFT,
    )
    return Decision(after, (left,))


def mark_absent(match: Match, command: MarkAbsent, now: int) -> Decision:
    """Let the grace of a player who is gone begin. A ghost is never gone."""
    index = seat_of_player(match, command.player_id)
    seat = match.seats[index]
    if match.status not in LIVE or is_decided(match, now) or seat.absence or seat.completed_at is not None:
        return Decision(match)
    if seat.player.kind is PlayerKind.GHOST:
        return Decision(match)
    absence = Absence(now, command.cause)
    if match.status is Status.IN_PROGRESS:
        absence = command.patience.absence(command.cause, seat.away_ms, now)
    after = _with_absence(match, index, replace(seat, absence=absence))
    return Decision(after, (PlayerAbsent(after.version, index, absence),))


def mark_present(match: Match, command: MarkPresent, now: int) -> Decision:
    """End the absence of a player who has come back in time."""
    index = seat_of_player(match, command.player_id)
    seat = match.seats[index]
    if match.status not in LIVE or seat.absence is None or stays_away(match, seat, now):
        return Decision(match)
    after = _with_absence(match, index, returned(match, seat, now))
    return Decision(after, (PlayerReturned(after.version, index),))


def end_overdue(match: Match, command: EndOverdue, now: int) -> Decision:
    """End a match whose time is over, as it stands then, or in rounds the open one: after what its ghost has done."""
    if match.status not in LIVE or now < match.due_at + command.margin_ms:
        return Decision(match)
    played = ghosts.play(match, now)
    if played.events:
        rest = end_overdue(played.match, command, now)
        return Decision(rest.match, played.events + rest.events)
    if match.status is Status.WAITING:
        return expired(match, Status.EXPIRED, EndReason.NOBODY_JOINED, now)
    if match.status is Status.READY:
        return expired(match, Status.EXPIRED, EndReason.NEVER_STARTED, now)
    if match.pace is Pace.ROUNDS:
        return rounds.end_overdue(match, now)
    away = [index for index, seat in enumerate(match.seats) if seat.absence]
    if match.due_at == match.deadline_at or not away:
        return ended(match, (), EndReason.DEADLINE, now)
    if len(away) == 2:
        return expired(match, Status.ABANDONED, EndReason.BOTH_ABSENT, now)
    forfeited = PlayerForfeited(match.version + 1, away[0])
    return ended(replace(match, forfeited_by=away[0]), (forfeited,), EndReason.PLAYER_ABSENT, now)


def end(match: Match, command: EndMatch, now: int) -> Decision:
    """End a match because the operator says so: nobody has lost anything by it, unless a winner is named."""
    if match.end_reason is EndReason.OPERATOR:
        return Decision(match, duplicate=True)
    require_move(match, command)
    if command.winner is None:
        return expired(match, Status.ABANDONED, EndReason.OPERATOR, now)
    if match.status is not Status.IN_PROGRESS:
        raise wrong_state("Only a session that runs can be won: end it without a winner")
    return ended(replace(match, forfeited_by=1 - command.winner), (), EndReason.OPERATOR, now)


def _with_absence(match: Match, index: int, seat: Seat) -> Match:
    """Return the next version of a match, with a seat whose absence has begun or ended."""
    after = replace(match.with_seat(index, seat), version=match.version + 1)
    return replace(after, due_at=after.running_due_at()) if after.status is Status.IN_PROGRESS else after
