"""What each command makes of a match: the whole game, as pure functions.

A command is decided on a match, at a time that somebody else measured (milliseconds), and gives the match as it is
afterwards; a refusal changes nothing.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    PairPlayers,
    StartMatch,
    SubmitAnswer,
    Tick,
)
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
    AnswerAccepted,
    EndReason,
    Event,
    MatchCreated,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    PlayerAbsent,
    PlayerCompleted,
    PlayerForfeited,
    PlayerJoined,
    PlayerLeft,
    PlayerReturned,
    PlayersPaired,
)
from pairquiz_server.rules.judging import judge
from pairquiz_server.rules.match import LIVE, MOVES, Match, Seat, Status
from pairquiz_server.rules.reading import least_ms

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


def decide(match: Match | None, command: Command, now: int) -> Decision:
    """Decide a command that arrived at `now` on a match, None where there is none.

    The order of checks is the same for all: player, duplicate, state, deadline.
    Raises `Refused`; then nothing has changed.
    """
    if isinstance(command, CreateMatch):
        return _create(command, now)
    if isinstance(command, PairPlayers):
        return _pair(command, now)
    if match is None:
        raise Refused(Code.NOT_FOUND)
    if isinstance(command, SubmitAnswer):  # by far the most frequent; a `match` takes twice as long to find it
        return _submit(match, command, now)
    match command:
        case JoinMatch():
            return _join(match, command, now)
        case StartMatch():
            return _start(match, command, now)
        case CompleteQuiz():
            return _complete(match, command, now)
        case LeaveMatch():
            return _leave(match, command, now)
        case MarkAbsent():
            return _mark_absent(match, command, now)
        case MarkPresent():
            return _mark_present(match, command, now)
        case Tick():
            return Decision(match)
        case EndOverdue():
            return _end_overdue(match, command, now)
        case _:
            assert_never(command)


def _create(command: CreateMatch, now: int) -> Decision:
    if command.topic.available < command.question_count:
        raise _not_enough(command.topic.name, command.topic.available, command.question_count)
    match = Match(
        id=command.match_id,
        version=1,
        status=Status.WAITING,
        topic_id=command.topic.id,
        topic=command.topic.name,
        question_count=command.question_count,
        time_limit_s=command.time_limit_s,
        scoring=command.scoring,
        join_code=command.join_code,
        request_id=command.request_id,
        seats=(Seat(command.player),),
        created_at=now,
        due_at=now + command.waiting_ttl_ms,
        pace=command.pace,
    )
    return Decision(match, (MatchCreated(1),))


def _pair(command: PairPlayers, now: int) -> Decision:
    if command.topic.available < command.question_count:
        raise _not_enough(command.topic.name, command.topic.available, command.question_count)
    match = Match(
        id=command.match_id,
        version=1,
        status=Status.READY,
        topic_id=command.topic.id,
        topic=command.topic.name,
        question_count=command.question_count,
        time_limit_s=command.time_limit_s,
        scoring=command.scoring,
        join_code="",
        request_id=None,
        seats=(Seat(command.players[0]), Seat(command.players[1])),
        created_at=now,
        due_at=now + command.ready_ttl_ms,
        joined_at=now,
        pace=command.pace,
        origin=command.origin,
        tick_at=now + command.start_delay_ms,
        previous_id=command.previous_id,
        wins=command.wins,
        ghost=command.ghost,
    )
    return Decision(match, (PlayersPaired(1),))


def _join(match: Match, command: JoinMatch, now: int) -> Decision:
    seat = match.seat_of(command.player.id)
    if seat == 0:
        raise Refused(Code.OWN_MATCH)
    if seat == 1:
        return Decision(match, duplicate=True)
    if match.status in (Status.ABANDONED, Status.EXPIRED):
        raise Refused(Code.NOT_FOUND)  # withdrawn or expired, however many seats were taken
    if len(match.seats) == 2:
        raise Refused(Code.SESSION_FULL)
    if now > match.due_at:
        raise Refused(Code.NOT_FOUND)
    after = replace(
        match,
        version=match.version + 1,
        status=Status.READY,
        seats=(*match.seats, Seat(command.player)),
        joined_at=now,
        due_at=now + command.ready_ttl_ms,
    )
    return Decision(after, (PlayerJoined(after.version),))


def _start(match: Match, command: StartMatch, now: int) -> Decision:
    seat = None if command.player_id is None else _seat(match, command.player_id)
    if match.started_at is not None:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    if seat is None and (match.tick_at is None or now < match.tick_at):
        return Decision(match)
    if now > match.due_at:
        raise _wrong_state("The session has expired: nobody started it in time")
    if len(command.draw) < match.question_count:
        if seat is None:  # nobody is there to ask for another topic, and there is no time for one
            return _expired(match, Status.EXPIRED, EndReason.NEVER_STARTED, now)
        raise _not_enough(match.topic, len(command.draw), match.question_count)
    now = match.counts_at(now)  # an outage before the start is no part of the match
    version = match.version + 1
    after = replace(
        match,
        version=version,
        status=Status.IN_PROGRESS,
        seats=tuple(
            replace(one, absence=command.patience.absence_at_start(one.absence.cause, now)) if one.absence else one
            for one in match.seats
        ),
        questions=command.draw,
        started_at=now,
        deadline_at=now + match.span_ms,
        tick_at=None,
    )
    away = tuple(PlayerAbsent(version, index, one.absence) for index, one in enumerate(after.seats) if one.absence)
    return Decision(replace(after, due_at=after.running_due_at()), (MatchStarted(version, seat), *away))


def _submit(match: Match, command: SubmitAnswer, now: int) -> Decision:
    index = match.seat_of(command.player_id)
    if index is None:
        raise Refused(Code.NOT_A_PLAYER)
    seat = match.seats[index]
    count = len(seat.answers)
    question = match.question(command.question_id, near=count)
    standing = seat.answer_to(command.question_id)
    if standing is not None and question is not None:
        if standing.chosen == _chosen(question, command.answer):
            return Decision(match, duplicate=True)
        raise Refused(Code.ALREADY_ANSWERED)
    if SubmitAnswer not in MOVES[match.status]:
        if match.end_reason is EndReason.DEADLINE:
            raise Refused(Code.TOO_LATE)
        raise _wrong_state(_WHERE_IT_STANDS[match.status])
    if seat.completed_at is not None:
        raise _wrong_state("You are done with this session: it takes no more answers from you")
    if seat.absence is not None:
        _require_presence(match, seat, now)
    if question is None:
        raise Refused(Code.UNKNOWN_QUESTION)
    reading_ms = seat.reading_ms + least_ms(question.text)
    answer = judge(match, seat, question, _chosen(question, command.answer), command, now, reading_ms)

    count += 1
    score = seat.score + answer.base + answer.bonus
    answered = replace(
        seat,
        answers=(*seat.answers, answer),
        score=score,
        lag_credit_ms=seat.lag_credit_ms + answer.lag_credit_ms,
        reading_ms=reading_ms,
    )
    version = match.version + 1
    events: tuple[Event, ...] = (AnswerAccepted(version, index, answer, count, score),)
    if count < match.question_count:
        return Decision(replace(match, version=version, seats=match.seats_with(index, answered)), events)
    after = _with_completed(replace(match, version=version), index, answered, now)
    events = (*_back(seat, index, version), *events)
    if _both_completed(after):
        return _ended(after, events, EndReason.ALL_ANSWERED, now)
    return Decision(after, (*events, PlayerCompleted(version, index, score, by_command=False)))


def _complete(match: Match, command: CompleteQuiz, now: int) -> Decision:
    index = _seat(match, command.player_id)
    seat = match.seats[index]
    if seat.completed_at is not None or match.status is Status.COMPLETED:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    _require_presence(match, seat, now)
    if _time_is_over(match, now):
        return Decision(match, duplicate=True)  # what is unanswered counts as wrong already
    completed = _with_completed(match, index, seat, now)
    back = _back(seat, index, match.version + 1)
    if _both_completed(completed):
        return _ended(completed, back, EndReason.ALL_ANSWERED, now)
    after = replace(completed, version=match.version + 1)
    return Decision(after, (*back, PlayerCompleted(after.version, index, seat.score, by_command=True)))


def _leave(match: Match, command: LeaveMatch, now: int) -> Decision:
    index = _seat(match, command.player_id)
    if match.forfeited_by == index:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    if _is_decided(match, now) or match.seats[index].completed_at is not None:
        return Decision(match)  # who has completed loses nothing by leaving, nor does anybody when time has decided
    version = match.version + 1
    left = PlayerLeft(version, index)
    if match.status is Status.IN_PROGRESS:
        ended = _ended(replace(match, forfeited_by=index), (), EndReason.PLAYER_LEFT, now)
        return replace(ended, events=(left, *ended.events))
    after = replace(
        match,
        version=version,
        status=Status.ABANDONED,
        forfeited_by=index,
        ended_at=now,
        end_reason=EndReason.PLAYER_LEFT,
    )
    return Decision(after, (left,))


def _mark_absent(match: Match, command: MarkAbsent, now: int) -> Decision:
    index = _seat(match, command.player_id)
    seat = match.seats[index]
    if match.status not in LIVE or _is_decided(match, now) or seat.absence or seat.completed_at is not None:
        return Decision(match)
    absence = Absence(now, command.cause)
    if match.status is Status.IN_PROGRESS:
        absence = command.patience.absence(command.cause, seat.away_ms, now)
    after = _with_absence(match, index, replace(seat, absence=absence))
    return Decision(after, (PlayerAbsent(after.version, index, absence),))


def _mark_present(match: Match, command: MarkPresent, now: int) -> Decision:
    index = _seat(match, command.player_id)
    seat = match.seats[index]
    if match.status not in LIVE or seat.absence is None or seat.absence.is_over(now):
        return Decision(match)
    after = _with_absence(match, index, _returned(seat, now))
    return Decision(after, (PlayerReturned(after.version, index),))


def _end_overdue(match: Match, command: EndOverdue, now: int) -> Decision:
    if match.status not in LIVE or now < match.due_at + command.margin_ms:
        return Decision(match)
    if match.status is Status.WAITING:
        return _expired(match, Status.EXPIRED, EndReason.NOBODY_JOINED, now)
    if match.status is Status.READY:
        return _expired(match, Status.EXPIRED, EndReason.NEVER_STARTED, now)
    away = [index for index, seat in enumerate(match.seats) if seat.absence]
    if match.due_at == match.deadline_at or not away:
        return _ended(match, (), EndReason.DEADLINE, now)
    if len(away) == 2:
        return _expired(match, Status.ABANDONED, EndReason.BOTH_ABSENT, now)
    forfeited = PlayerForfeited(match.version + 1, away[0])
    return _ended(replace(match, forfeited_by=away[0]), (forfeited,), EndReason.PLAYER_ABSENT, now)


def _expired(match: Match, status: Status, reason: EndReason, now: int) -> Decision:
    """End a match that has no results."""
    after = replace(match, version=match.version + 1, status=status, ended_at=now, end_reason=reason)
    return Decision(after, (MatchExpired(after.version, reason),))


def _ended(match: Match, before: tuple[Event, ...], reason: EndReason, now: int) -> Decision:
    """End a running match with results, as a change of its own after the events `before`."""
    after = replace(match, version=match.version + 1, status=Status.COMPLETED, ended_at=now, end_reason=reason)
    return Decision(after, (*before, MatchEnded(after.version, reason)))


def _seat(match: Match, player_id: str) -> int:
    seat = match.seat_of(player_id)
    if seat is None:
        raise Refused(Code.NOT_A_PLAYER)
    return seat


def _require_presence(match: Match, seat: Seat, now: int) -> None:
    """Refuse what comes from a player whose grace is over; a sooner sign of life is as good as a connection.

    Where the deadline has decided, it came too late like everybody's.
    """
    if seat.absence is None or not seat.absence.is_over(now):
        return
    by_deadline = match.due_at == match.deadline_at and _time_is_over(match, now)
    if not by_deadline:
        raise _wrong_state("You were away for too long: the session goes on without you")


def _returned(seat: Seat, now: int) -> Seat:
    if seat.absence is None:
        return seat
    return replace(seat, absence=None, away_ms=seat.away_ms + seat.absence.spent(now))


def _back(seat: Seat, index: int, version: int) -> tuple[Event, ...]:
    """Return the event of a player who comes back by completing: whoever has completed is away no more."""
    return (PlayerReturned(version, index),) if seat.absence else ()


def _with_completed(match: Match, index: int, seat: Seat, now: int) -> Match:
    after = match.with_seat(index, replace(_returned(seat, now), completed_at=now))
    return replace(after, due_at=after.running_due_at())


def _with_absence(match: Match, index: int, seat: Seat) -> Match:
    """Return the next version of a match, with a seat whose absence has begun or ended."""
    after = replace(match.with_seat(index, seat), version=match.version + 1)
    return replace(after, due_at=after.running_due_at()) if after.status is Status.IN_PROGRESS else after


def _is_decided(match: Match, now: int) -> bool:
    """Whether time has decided a running match, though nobody has looked yet."""
    return match.status is Status.IN_PROGRESS and match.counts_at(now) > match.due_at


def _time_is_over(match: Match, now: int) -> bool:
    return match.deadline_at is not None and match.left_ms(now) < 0


def _both_completed(match: Match) -> bool:
    return all(seat.completed_at is not None for seat in match.seats)


def _require_move(match: Match, command: Command) -> None:
    if type(command) not in MOVES[match.status]:
        raise _wrong_state(_WHERE_IT_STANDS[match.status])


def _wrong_state(message: str) -> Refused:
    return Refused(Code.WRONG_STATE, message)


def _not_enough(topic: str, available: int, wanted: int) -> Refused:
    message = f"The topic {topic!r} has {available} of the {wanted} questions needed: ask for fewer, or another topic"
    return Refused(Code.NOT_ENOUGH_QUESTIONS, message, available=available)


def _chosen(question: MatchQuestion, answer: int | str) -> int:
    """Return the index of the option that an answer names: a number is an index, a text the option itself."""
    if isinstance(answer, int):
        if 0 <= answer < len(question.options):
            return answer
        raise Refused(
            Code.INVALID_PAYLOAD,
            f"answer: {answer} is not the index of an option (0 to {len(question.options) - 1})",
        )
    if answer in question.options:
        return question.options.index(answer)
    raise Refused(Code.INVALID_PAYLOAD, "answer: no option of this question has exactly this text")
