"""What a player's answers make of a match, and being done with it."""

from msgspec.structs import replace

from pairquiz_server.rules import rounds
from pairquiz_server.rules.commands import CompleteQuiz, SubmitAnswer
from pairquiz_server.rules.decision import (
    Decision,
    back,
    both_completed,
    ended,
    require_move,
    require_presence,
    seat_of_player,
    stands_elsewhere,
    time_is_over,
    with_completed,
    wrong_state,
)
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import AnswerAccepted, EndReason, Event, PlayerCompleted
from pairquiz_server.rules.judging import chosen, judge
from pairquiz_server.rules.match import MOVES, Match, Seat, Status
from pairquiz_server.rules.reading import least_ms
from pairquiz_server.rules.terms import Pace


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
    in_rounds = match.pace is Pace.ROUNDS
    if in_rounds:
        rounds.require_open(match, place)
    question = match.questions[place]
    least = least_ms(question.text)
    reading_ms = seat.reading_ms + least
    answer = judge(match, seat, question, command, now, least if in_rounds else reading_ms)

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
    if count < match.question_count and not (in_rounds and match.final):
        after = replace(match, version=version, seats=match.seats_with(index, seat_after))
        if in_rounds and not rounds.waits(after):
            return rounds.close(after, (accepted,), EndReason.ALL_ANSWERED, now)
        return Decision(after, (accepted,))
    after = with_completed(replace(match, version=version), index, seat_after, now)
    events: tuple[Event, ...] = (*back(seat, index, version), accepted)
    if both_completed(after):
        if in_rounds:
            return rounds.close(after, events, EndReason.ALL_ANSWERED, now)
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
    completed = with_completed(match, index, seat, now)
    version = match.version + 1
    events = back(seat, index, version)
    open_round = match.closes_at is not None
    if both_completed(completed):
        end = rounds.close if open_round else ended
        return end(completed, events, EndReason.ALL_ANSWERED, now)
    events = (*events, PlayerCompleted(version, index, seat.score, by_command=True))
    if open_round and not rounds.waits(completed):
        return rounds.close(completed, events, EndReason.ALL_ANSWERED, now)
    return Decision(replace(completed, version=version), events)
