"""What is new in a match between two looks at it, a line each: pure, and in the order in which it happened."""

from collections.abc import Iterator

from pairquiz_server.protocol.admin.matches import MatchChange
from pairquiz_server.rules.match import LIVE, Match, Seat


def changes(before: Match | None, after: Match) -> list[MatchChange]:
    """Return the lines of what has changed; of a match that is seen for the first time, how it stands."""
    if before is None:
        return [_line(after, "state", at=after.started_at or after.created_at)]
    lines = [*_opened(before, after), *_answered(before, after), *_seats(before, after)]
    if after.status is not before.status and after.status not in LIVE:
        lines.append(_line(after, "ended", at=after.ended_at, reason=after.end_reason))
    if not lines and after.version != before.version:
        lines.append(_line(after, "state"))
    return lines


def _opened(before: Match, after: Match) -> Iterator[MatchChange]:
    if len(before.seats) < len(after.seats):
        yield _line(after, "joined", at=after.joined_at, player=2)
    if before.started_at is None and after.started_at is not None:
        yield _line(after, "started", at=after.started_at)
    for place in range(len(before.reveals), len(after.reveals)):
        yield _line(after, "round_opened", at=after.reveals[place], question=place + 1)


def _answered(before: Match, after: Match) -> Iterator[MatchChange]:
    """Go through the new answers of both, as they arrived, each with the scores that it made."""
    known = [len(seat.answers) for seat in before.seats] + [0] * (len(after.seats) - len(before.seats))
    new = [
        (answer.arrived_at, seat, answer)
        for seat, side in enumerate(after.seats)
        for answer in side.answers[known[seat] :]
    ]
    scores = [seat.score for seat in before.seats] + [0] * (len(after.seats) - len(before.seats))
    for arrived_at, seat, answer in sorted(new, key=lambda one: one[:2]):
        scores[seat] += answer.points
        place = after.place_of(answer.question_id)
        yield MatchChange(
            version=after.version,
            what="answered",
            status=after.status,
            at=arrived_at,
            player=seat + 1,
            question=None if place is None else place + 1,
            points=answer.points,
            scores=tuple(scores),
        )


def _seats(before: Match, after: Match) -> Iterator[MatchChange]:
    for number, (was, now) in enumerate(zip(before.seats, after.seats, strict=False), start=1):
        yield from _seat(after, number, was, now)


def _seat(after: Match, number: int, was: Seat, now: Seat) -> Iterator[MatchChange]:
    if was.absence is None and now.absence is not None:
        yield _line(after, "away", at=now.absence.since, player=number, cause=now.absence.cause)
    if was.absence is not None and now.absence is None and after.status in LIVE:
        yield _line(after, "back", player=number)
    if was.completed_at is None and now.completed_at is not None:
        yield _line(after, "completed", at=now.completed_at, player=number)


def _line(
    match: Match,
    what: str,
    *,
    at: int | None = None,
    player: int | None = None,
    question: int | None = None,
    cause: str | None = None,
    reason: str | None = None,
) -> MatchChange:
    return MatchChange(
        version=match.version,
        what=what,
        status=match.status,
        at=at,
        player=player,
        question=question,
        scores=tuple(seat.score for seat in match.seats),
        cause=cause,
        reason=reason,
    )
