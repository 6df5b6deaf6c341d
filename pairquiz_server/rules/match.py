"""The whole game: what a match is, which moves it allows, and what each command makes of it.

Everything here is a frozen value or a pure function. A command is decided on a match, at a time that somebody
else measured (milliseconds), and gives the match as it is afterwards; a refusal changes nothing.
"""

from enum import StrEnum
from typing import assert_never
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    CreateMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MatchQuestion,
    StartMatch,
    SubmitAnswer,
)
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
    Answer,
    AnswerAccepted,
    EndReason,
    Event,
    MatchCreated,
    MatchEnded,
    MatchExpired,
    MatchStarted,
    PlayerCompleted,
    PlayerJoined,
    PlayerLeft,
)
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import Scoring, score_answer


class Status(StrEnum):
    """The states of a match, as they stand in the database and in `quiz_state.status`."""

    WAITING = "waiting"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    EXPIRED = "expired"


MOVES: dict[Status, dict[type[Command], frozenset[Status]]] = {
    Status.WAITING: {
        JoinMatch: frozenset({Status.READY}),
        LeaveMatch: frozenset({Status.ABANDONED}),
        EndOverdue: frozenset({Status.EXPIRED}),
    },
    Status.READY: {
        StartMatch: frozenset({Status.IN_PROGRESS}),
        LeaveMatch: frozenset({Status.ABANDONED}),
        EndOverdue: frozenset({Status.EXPIRED}),
    },
    Status.IN_PROGRESS: {
        SubmitAnswer: frozenset({Status.IN_PROGRESS, Status.COMPLETED}),
        CompleteQuiz: frozenset({Status.IN_PROGRESS, Status.COMPLETED}),
        LeaveMatch: frozenset({Status.COMPLETED}),
        EndOverdue: frozenset({Status.COMPLETED}),
    },
    Status.COMPLETED: {},
    Status.ABANDONED: {},
    Status.EXPIRED: {},
}
"""State × command → the states that a change may lead to. What is not here changes nothing, ever.

`CreateMatch` stands in no row: it is decided on no match, and makes one that is `WAITING`.
"""

LIVE = frozenset(status for status, moves in MOVES.items() if moves)
"""The states in which a match can still change."""


_WHERE_IT_STANDS = {
    Status.WAITING: "The session still waits for an opponent: share its link or code",
    Status.READY: "The session has not started: send start_quiz first",
    Status.IN_PROGRESS: "The session is running already",
    Status.COMPLETED: "The session is over: create another one",
    Status.ABANDONED: "A player has left the session before it began: create another one",
    Status.EXPIRED: "The session has expired: create another one",
}


class Outcome(StrEnum):
    """How a match went for one of its players."""

    WON = "won"
    LOST = "lost"
    DRAW = "draw"
    NONE = "none"


class Seat(Struct, frozen=True):
    """One player's side of a match; `answers` stand in the order in which they were given."""

    player: Player
    score: int = 0
    completed_at: int | None = None
    answers: tuple[Answer, ...] = ()

    def answer_to(self, question_id: int) -> Answer | None:
        """Return this player's locked answer to a question, if there is one."""
        return next((answer for answer in self.answers if answer.question_id == question_id), None)


class Match(Struct, frozen=True, kw_only=True):
    """One game between two players; `seats[0]` created it. All times are in milliseconds.

    `due_at` is when the sweeper has to look: the end of the wait, of the readiness, or `deadline_at`.
    `forfeited_by` is the seat of a player who gave up.
    """

    id: UUID
    version: int
    status: Status
    topic_id: int
    topic: str
    question_count: int
    time_limit_s: int
    scoring: Scoring
    join_code: str
    request_id: str | None
    seats: tuple[Seat, ...]
    created_at: int
    due_at: int
    joined_at: int | None = None
    started_at: int | None = None
    deadline_at: int | None = None
    ended_at: int | None = None
    end_reason: EndReason | None = None
    forfeited_by: int | None = None
    questions: tuple[MatchQuestion, ...] = ()

    def seat_of(self, player_id: str) -> int | None:
        """Return the index of the player's seat, or None for a stranger."""
        return next((index for index, seat in enumerate(self.seats) if seat.player.id == player_id), None)

    def question(self, question_id: int) -> MatchQuestion | None:
        """Return the drawn question with this id, or None where it is not one of this match."""
        return next((question for question in self.questions if question.id == question_id), None)

    def outcome(self, seat: int) -> Outcome:
        """Return how the match went for a seat: who gave up has lost, else points decide."""
        if self.status is not Status.COMPLETED:
            return Outcome.NONE
        if self.forfeited_by is not None:
            return Outcome.LOST if self.forfeited_by == seat else Outcome.WON
        mine, theirs = self.seats[seat].score, self.seats[1 - seat].score
        if mine == theirs:
            return Outcome.DRAW
        return Outcome.WON if mine > theirs else Outcome.LOST


class Decision(Struct, frozen=True):
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
    if match is None:
        raise Refused(Code.NOT_FOUND)
    match command:
        case JoinMatch():
            return _join(match, command, now)
        case StartMatch():
            return _start(match, command, now)
        case SubmitAnswer():
            return _submit(match, command, now)
        case CompleteQuiz():
            return _complete(match, command, now)
        case LeaveMatch():
            return _leave(match, command, now)
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
    )
    return Decision(match, (MatchCreated(1),))


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
    seat = _seat(match, command.player_id)
    if match.started_at is not None:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    if now > match.due_at:
        raise _wrong_state("The session has expired: nobody started it in time")
    if len(command.draw) < match.question_count:
        raise _not_enough(match.topic, len(command.draw), match.question_count)
    deadline_at = now + match.question_count * match.time_limit_s * 1000
    after = replace(
        match,
        version=match.version + 1,
        status=Status.IN_PROGRESS,
        questions=command.draw,
        started_at=now,
        deadline_at=deadline_at,
        due_at=deadline_at,
    )
    return Decision(after, (MatchStarted(after.version, seat),))


def _submit(match: Match, command: SubmitAnswer, now: int) -> Decision:
    index = _seat(match, command.player_id)
    seat = match.seats[index]
    question = match.question(command.question_id)
    standing = seat.answer_to(command.question_id)
    if question is not None and standing is not None:
        if standing.chosen == _chosen(question, command.answer):
            return Decision(match, duplicate=True)
        raise Refused(Code.ALREADY_ANSWERED)
    if match.end_reason is EndReason.DEADLINE:
        raise Refused(Code.TOO_LATE)
    _require_move(match, command)
    if seat.completed_at is not None:
        raise _wrong_state("You are done with this session: it takes no more answers from you")
    if question is None:
        raise Refused(Code.UNKNOWN_QUESTION)
    chosen = _chosen(question, command.answer)
    assert match.started_at is not None  # a match that takes answers has both
    assert match.deadline_at is not None
    if _time_is_over(match, now):
        raise Refused(Code.TOO_LATE)

    points = score_answer(
        match.scoring,
        correct=chosen == question.correct,
        judged_at=now,
        started_at=match.started_at,
        deadline_at=match.deadline_at,
    )
    answer = Answer(
        question_id=question.id,
        chosen=chosen,
        correct=chosen == question.correct,
        base=points.base,
        bonus=points.bonus,
        arrived_at=now,
        judged_at=now,
    )
    answers = (*seat.answers, answer)
    score = seat.score + points.total
    last = len(answers) == match.question_count
    version = match.version + 1
    after = _with_seat(
        replace(match, version=version),
        index,
        replace(seat, answers=answers, score=score, completed_at=now if last else None),
    )
    events: tuple[Event, ...] = (AnswerAccepted(version, index, answer, len(answers), score),)
    if _both_completed(after):
        return _ended(after, events, EndReason.ALL_ANSWERED, now)
    if last:
        events = (*events, PlayerCompleted(version, index, score, by_command=False))
    return Decision(after, events)


def _complete(match: Match, command: CompleteQuiz, now: int) -> Decision:
    index = _seat(match, command.player_id)
    seat = match.seats[index]
    if seat.completed_at is not None or match.status is Status.COMPLETED:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    if _time_is_over(match, now):
        return Decision(match, duplicate=True)  # what is unanswered counts as wrong already
    completed = _with_seat(match, index, replace(seat, completed_at=now))
    if _both_completed(completed):
        return _ended(completed, (), EndReason.ALL_ANSWERED, now)
    after = replace(completed, version=match.version + 1)
    return Decision(after, (PlayerCompleted(after.version, index, seat.score, by_command=True),))


def _leave(match: Match, command: LeaveMatch, now: int) -> Decision:
    index = _seat(match, command.player_id)
    if match.forfeited_by == index:
        return Decision(match, duplicate=True)
    _require_move(match, command)
    if _time_is_over(match, now) or match.seats[index].completed_at is not None:
        return Decision(match)  # points decide: who has completed, or whose time is over, loses nothing by leaving
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


def _end_overdue(match: Match, command: EndOverdue, now: int) -> Decision:
    if match.status not in LIVE or now < match.due_at + command.margin_ms:
        return Decision(match)
    if match.status is Status.IN_PROGRESS:
        return _ended(match, (), EndReason.DEADLINE, now)
    reason = EndReason.NOBODY_JOINED if match.status is Status.WAITING else EndReason.NEVER_STARTED
    after = replace(match, version=match.version + 1, status=Status.EXPIRED, ended_at=now, end_reason=reason)
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


def _with_seat(match: Match, index: int, seat: Seat) -> Match:
    return replace(match, seats=(*match.seats[:index], seat, *match.seats[index + 1 :]))


def _time_is_over(match: Match, now: int) -> bool:
    return match.deadline_at is not None and now > match.deadline_at


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
