"""What every decision is made of: its value, and the checks and steps that several commands share."""

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.commands import Command
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import EndReason, Event, MatchEnded, MatchExpired, PlayerReturned
from pairquiz_server.rules.match import MOVES, Match, Seat, Status
from pairquiz_server.rules.terms import Pace

_WHERE_IT_STANDS = {
    Status.WAITING: "The session still waits for an opponent: share its link or code",
    Status.READY: "The session has not started: send start_quiz first",
    Status.IN_PROGRESS: "The session is running already",
    Status.COMPLETED: "The session is over: create another one",
    Status.ABANDONED: "A player has left the session before it began: create another one",
    Status.EXPIRED: "The session has expired: create another one",
}


class Decision(Struct, frozen=True, gc=False):
    """What a command made of a match. Without events nothing has changed.

    `duplicate` says that the command's effect already stood.
    """

    match: Match
    events: tuple[Event, ...] = ()
    duplicate: bool = False


def seat_of_player(match: Match, player_id: str) -> int:
    """Return the index of a player's seat. Raises `Refused`."""
    seat = match.seat_of(player_id)
    if seat is None:
        raise Refused(Code.NOT_A_PLAYER)
    return seat


def require_move(match: Match, command: Command) -> None:
    """Refuse a command that the state of its match does not allow."""
    if type(command) not in MOVES[match.status]:
        raise stands_elsewhere(match)


def stands_elsewhere(match: Match) -> Refused:
    """Return the refusal that tells in which state a match is."""
    return wrong_state(_WHERE_IT_STANDS[match.status])


def require_presence(match: Match, seat: Seat, now: int) -> None:
    """Refuse what comes from a player whose grace is over; a sooner sign of life is as good as a connection.

    Where the deadline has decided, it came too late like everybody's.
    """
    if not stays_away(match, seat, now):
        return
    by_deadline = match.due_at in (match.deadline_at, match.closes_at) and time_is_over(match, now)
    if not by_deadline:
        raise wrong_state("You were away for too long: the session goes on without you")


def wrong_state(message: str) -> Refused:
    """Return the refusal of a command that its match, or its player's side of it, takes no more, or not yet."""
    return Refused(Code.WRONG_STATE, message)


def stays_away(match: Match, seat: Seat, now: int) -> bool:
    """Whether a player can come no more; in rounds nobody can, or everybody."""
    if seat.absence is None:
        return False
    if match.pace is Pace.ROUNDS:
        forsaken_at = match.forsaken_at()
        return forsaken_at is not None and now > forsaken_at
    return seat.absence.is_over(now)


def returned(match: Match, seat: Seat, now: int) -> Seat:
    """Return a seat whose player is there again. In rounds an absence costs its rounds, and nothing of the budget."""
    if seat.absence is None:
        return seat
    spent_ms = 0 if match.pace is Pace.ROUNDS else seat.absence.spent(now)
    return replace(seat, absence=None, away_ms=seat.away_ms + spent_ms)


def back(seat: Seat, index: int, version: int) -> tuple[Event, ...]:
    """Return the event of a player who comes back by completing: whoever has completed is away no more."""
    return (PlayerReturned(version, index),) if seat.absence else ()


def with_completed(match: Match, index: int, seat: Seat, now: int) -> Match:
    """Return a match with a seat whose player is done."""
    after = match.with_seat(index, replace(returned(match, seat, now), completed_at=now))
    return replace(after, due_at=after.running_due_at())


def both_completed(match: Match) -> bool:
    """Whether both players are done."""
    first, second = match.seats
    return first.completed_at is not None and second.completed_at is not None


def is_decided(match: Match, now: int) -> bool:
    """Whether time has decided a running match, though nobody has looked yet."""
    if match.status is not Status.IN_PROGRESS or match.counts_at(now) <= match.due_at:
        return False
    return match.final or match.due_at == match.forsaken_at()  # else it is but a round that is over


def time_is_over(match: Match, now: int) -> bool:
    """Whether the deadline of a match, or of its last round, has passed."""
    return match.started_at is not None and match.final and match.left_ms(now) < 0


def ended(match: Match, before: tuple[Event, ...], reason: EndReason, now: int) -> Decision:
    """End a running match with results, as a change of its own after the events `before`."""
    after = _over(match, Status.COMPLETED, reason, now)
    return Decision(after, (*before, MatchEnded(after.version, reason)))


def expired(match: Match, status: Status, reason: EndReason, now: int) -> Decision:
    """End a match that has no results."""
    after = _over(match, status, reason, now)
    return Decision(after, (MatchExpired(after.version, reason),))


def _over(match: Match, status: Status, reason: EndReason, now: int) -> Match:
    version = match.version + 1
    return replace(match, version=version, status=status, ended_at=now, end_reason=reason, tick_at=None, closes_at=None)
