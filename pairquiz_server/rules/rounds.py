"""A match in rounds: both players have the same question at the same moment, and the next one after a pause.

Each round is opened, answered, and closed: when both have answered, or its time is up. An absent player misses rounds,
not the match. All times are in milliseconds.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from pairquiz_server.rules.commands import Tick
from pairquiz_server.rules.decision import Decision, both_completed, ended, expired, is_decided
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import EndReason, Event, RoundClosed, RoundOpened
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.runs import next_at
from pairquiz_server.rules.terms import Pace

COMMITTED_WITHIN_MS = 50
"""So long it takes, at most and nearly always, until an opening is committed and on its way."""
UNMEASURED_TRIP_MS = 150
"""Of a line that nobody has measured here: a network of phones, or half-way round the world."""


def lead_ms(trips_ms: Iterable[int | None], most_ms: int) -> int:
    """Return how long before its reveal a question has to leave, for lines of these round trips (None: not known).

    A whole trip, and not half of one: few lines are as fast in both directions, or always.
    """
    slowest_ms = max((UNMEASURED_TRIP_MS if trip is None else trip for trip in trips_ms), default=0)
    return min(COMMITTED_WITHIN_MS + slowest_ms, most_ms)


def with_next(match: Match, lead_ms: int, now: int) -> tuple[Match, RoundOpened]:
    """Return a match with its next question opened, in the same version, and the event that tells of it."""
    reveal_at = now + lead_ms
    closes_at = reveal_at + match.span_ms
    after = replace(match, reveals=(*match.reveals, reveal_at), closes_at=closes_at, tick_at=None)
    if after.run is not None:
        after = replace(after, tick_at=next_at(after))
    event = RoundOpened(match.version, len(match.reveals), reveal_at, closes_at)
    return replace(after, due_at=after.running_due_at()), event


def tick(match: Match, command: Tick, now: int) -> Decision:
    """Open the next round when the pause is over."""
    if match.status is not Status.IN_PROGRESS or match.pace is not Pace.ROUNDS:
        return Decision(match)
    if match.closes_at is not None or match.tick_at is None or now < match.tick_at or is_decided(match, now):
        return Decision(match)
    after, opened = with_next(replace(match, version=match.version + 1), command.lead_ms, now)
    return Decision(after, (opened,))


def require_open(match: Match, place: int) -> None:
    """Refuse an answer to a question that is not open; one that was not opened yet is none of the match's."""
    index = len(match.reveals) - 1
    if place > index:
        raise Refused(Code.UNKNOWN_QUESTION)
    if place < index or match.closes_at is None:
        raise Refused(Code.TOO_LATE)


def waits(match: Match) -> bool:
    """Whether the open round waits for somebody: who is done is not waited for, who is away is."""
    place = len(match.reveals) - 1
    return any(seat.completed_at is None and not seat.answered >> place & 1 for seat in match.seats)


def close(match: Match, before: tuple[Event, ...], reason: EndReason, now: int) -> Decision:
    """Close the open round, a change of its own after the events `before`; the last one ends the match, by `reason`."""
    version, index = match.version + 1, len(match.reveals) - 1
    if match.final or both_completed(match):
        return ended(match, (*before, RoundClosed(version, index, None)), reason, now)
    next_at = match.counts_at(now) + match.pause_ms
    after = replace(match, version=version, closes_at=None, tick_at=next_at)
    return Decision(replace(after, due_at=after.running_due_at()), (*before, RoundClosed(version, index, next_at)))


def end_overdue(match: Match, now: int) -> Decision:
    """End what is over in a running match that is due: all of it where both stayed away, else the open round."""
    if match.due_at == match.forsaken_at():
        return expired(match, Status.ABANDONED, EndReason.BOTH_ABSENT, now)
    if match.closes_at is None:
        return Decision(match)
    return close(match, (), EndReason.DEADLINE, now)
