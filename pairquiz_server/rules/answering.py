"""What a player's answers make of a match, and being done with it."""

from msgspec.structs import replace

from pairquiz_server.rules.commands import CompleteQuiz, SubmitAnswer
from pairquiz_server.rules.decision import (
    Decision,
    ended,
    require_move,
    require_presence,
    returned,
    seat_of_player,
    stands_elsewhere,
    time_is_over,
    wrong_state,
)
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import AnswerAccepted, EndReason, Event, PlayerCompleted, PlayerReturned
from pairquiz_server.rules.judging import chosen, judge
from pairquiz_server.rules.match import MOVES, Match, Seat, Status
from pairquiz_server.rules.reading import least_ms


def submit(match: Match, command: SubmitAnswer, now: int) -> Decision:
    """Lock an answer; a player's last one completes the player, and the second player's the match."""
    index = match.seat_of(command.player_id)
    if index is None:
        raise Refused(Code.NOT_A_PLAYER)
    seat = match.seats[index]
    count = len(seat.answers)
    place = match.place_of(command.question_id, near=count)
    if place is not None and seat.answered >> place & 1:
        return _repeated(match, seat, command, place)
    if SubmitAnswer not in MOVES[match.status]:
        raise Refused(Code.TOO_LATE) if match.end_reason is EndReason.DEADLINE else stands_elsewhere(match)
    if seat.completed_at is not None:
        raise wrong_state("You are done with this session: it takes no more answers from you")
    if seat.absence is not None:
        require_presence(match, seat, now)
    if place is None:
        raise Refused(Code.UNKNOWN_QUESTION)
    question = match.questions[place]
    reading_ms = seat.reading_ms + least_ms(question.text)
    answer = judge(match, seat, question, command, now, reading_ms)

    count += 1
    score = seat.score + answer.base + answer.bonus
    seat_after = replace(
        seat,
        answers=(*seat.answers, answer),
        answered=seat.answered | 1 << place,
        score=score,
        lag_credit_ms=seat.lag_credit_ms + answer.lag_credit_ms,
        reading_ms=reading_ms,
    )
    version = match.version + 1
    accepted = AnswerAccepted(version, index, answer, count, score)
    if count < match.question_count:
        return Decision(replace(match, version=version, seats=match.seats_with(index, seat_after)), (accepted,))
    after = _with_completed(replace(match, version=version), index, seat_after, now)
    events: tuple[Event, ...] = (*_back(seat, index, version), accepted)
    if _both_completed(after):
        return ended(after, events, EndReason.ALL_ANSWERED, now)
    return Decision(after, (*events, PlayerCompleted(version, index, score, by_command=False)))


def _repeated(match: Match, seat: Seat, command: SubmitAnswer, place: int) -> Decision:
    """Answer somebody who has answered this question before: the same again is a duplicate."""
    question = match.questions[place]
    standing = seat.answer_to(question.id)
    assert standing is not None
    if standing.chosen != chosen(question, command.answer):
        raise Refused(Code.ALREADY_ANSWERED)
    return Decision(match, duplicate=True)


def complete(match: Match, command: CompleteQuiz, now: int) -> Decision:
    """Let a player be done; the second one ends the match."""
    index = seat_of_player(match, command.player_id)
    seat = match.seats[index]
    if seat.completed_at is not None or match.status is Status.COMPLETED:
        return Decision(match, duplicate=True)
    require_move(match, command)
    require_presence(match, seat, now)
    if time_is_over(match, now):
        return Decision(match, duplicate=True)  # what is unanswered counts as wrong already
    completed = _with_completed(match, index, seat, now)
    back = _back(seat, index, match.version + 1)
    if _both_completed(completed):
        return ended(completed, back, EndReason.ALL_ANSWERED, now)
    after = replace(completed, version=match.version + 1)
    return Decision(after, (*back, PlayerCompleted(after.version, index, seat.score, by_command=True)))


def _back(seat: Seat, index: int, version: int) -> tuple[Event, ...]:
    """Return the event of a player who comes back by completing: whoever has completed is away no more."""
    return (PlayerReturned(version, index),) if seat.absence else ()


def _with_completed(match: Match, index: int, seat: Seat, now: int) -> Match:
    after = match.with_seat(index, replace(returned(seat, now), completed_at=now))
    return replace(after, due_at=after.running_due_at())


def _both_completed(match: Match) -> bool:
    return all(seat.completed_at is not None for seat in match.seats)
