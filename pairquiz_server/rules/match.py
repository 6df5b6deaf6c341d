"""What a match is, and which moves it allows. `decide` has what each command makes of it."""

from enum import StrEnum
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    EndMatch,
    EndOverdue,
    JoinMatch,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    MatchQuestion,
    StartMatch,
    SubmitAnswer,
    Tick,
)
from pairquiz_server.rules.events import Answer, EndReason
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import Accuracy, Scoring, ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace, Run


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
        MarkAbsent: frozenset({Status.WAITING}),
        MarkPresent: frozenset({Status.WAITING}),
        EndOverdue: frozenset({Status.EXPIRED}),
        EndMatch: frozenset({Status.ABANDONED}),
    },
    Status.READY: {
        StartMatch: frozenset({Status.IN_PROGRESS, Status.EXPIRED}),
        LeaveMatch: frozenset({Status.ABANDONED}),
        MarkAbsent: frozenset({Status.READY}),
        MarkPresent: frozenset({Status.READY}),
        EndOverdue: frozenset({Status.EXPIRED}),
        EndMatch: frozenset({Status.ABANDONED}),
    },
    Status.IN_PROGRESS: {
        SubmitAnswer: frozenset({Status.IN_PROGRESS, Status.COMPLETED}),
        CompleteQuiz: frozenset({Status.IN_PROGRESS, Status.COMPLETED}),
        LeaveMatch: frozenset({Status.COMPLETED}),
        MarkAbsent: frozenset({Status.IN_PROGRESS}),
        MarkPresent: frozenset({Status.IN_PROGRESS}),
        Tick: frozenset({Status.IN_PROGRESS, Status.COMPLETED}),
        EndOverdue: frozenset({Status.IN_PROGRESS, Status.COMPLETED, Status.ABANDONED}),
        EndMatch: frozenset({Status.ABANDONED, Status.COMPLETED}),
    },
    Status.COMPLETED: {},
    Status.ABANDONED: {},
    Status.EXPIRED: {},
}
"""State × command → the states that a change may lead to. What is not here changes nothing, ever.

`CreateMatch` and `PairPlayers` stand in no row: they are decided on no match, and make one that is `WAITING`, or
`READY`.
"""

LIVE = frozenset(status for status, moves in MOVES.items() if moves)
"""The states in which a match can still change."""
_is_correct = attrgetter("correct")


class Outcome(StrEnum):
    """How a match went for one of its players."""

    WON = "won"
    LOST = "lost"
    DRAW = "draw"
    NONE = "none"


class Seat(Struct, frozen=True, gc=False):
    """One player's side of a match; `answers` stand in the order in which they were given.

    `absence` is there while the player is connected nowhere; `away_ms` is what earlier ones took from the budget. What
    the answers come to is summed as they come: `score`, `lag_credit_ms` (what the line was credited so far),
    `reading_ms` (how long nobody undercuts who reads their questions) and `answered` (a bit for each place of theirs
    among the match's questions).
    """

    player: Player
    score: int = 0
    completed_at: int | None = None
    answers: tuple[Answer, ...] = ()
    absence: Absence | None = None
    away_ms: int = 0
    lag_credit_ms: int = 0
    reading_ms: int = 0
    answered: int = 0

    def answer_to(self, question_id: int) -> Answer | None:
        """Return this player's locked answer to a question, if there is one; the latest is asked for most."""
        for answer in reversed(self.answers):
            if answer.question_id == question_id:
                return answer
        return None


class Match(Struct, frozen=True, kw_only=True, gc=False):
    """One game between two players; `seats[0]` created it. All times are in milliseconds.

    `id` is the text of a UUID, in small letters, as it stands on the wire: a `UUID` is hashed and compared by code in
    Python, which took longer than the rules.
    `due_at` is when the sweeper has to look: the end of the wait, of the readiness, of a grace, `deadline_at`, or
    `closes_at`. `tick_at` is when something happens by itself: the start of a match whose players were brought
    together, the next round, or what its ghost does next. `ghost` is the run that plays the second seat, `run` what it
    does, known from the start on. In rounds `reveals` says when each question that was opened so far is, or was, asked;
    `closes_at` until when the last one of them may be answered, None between two rounds, which are `pause_ms` apart.
    `forfeited_by` is the seat of a player who gave up, or stayed away. From `paused_at` to `resumed_at` the match's
    clock stood still: the last outage of the service. `ratings` are how strong the two were who were brought together.
    `unrecorded` has a bit for each seat whose run is replayed to nobody.
    """

    id: str
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
    paused_at: int | None = None
    resumed_at: int | None = None
    questions: tuple[MatchQuestion, ...] = ()
    pace: Pace = Pace.FREE
    origin: Origin = Origin.INVITATION
    tick_at: int | None = None
    reveals: tuple[int, ...] = ()
    closes_at: int | None = None
    previous_id: str | None = None
    wins: tuple[int, int] = (0, 0)
    ghost: Ghost | None = None
    ratings: tuple[int, int] | None = None
    pause_ms: int = 0
    run: Run | None = None
    unrecorded: int = 0

    def seat_of(self, player_id: str) -> int | None:
        """Return the index of the player's seat, or None for a stranger."""
        seats = self.seats
        if seats[0].player.id == player_id:
            return 0
        return 1 if len(seats) == 2 and seats[1].player.id == player_id else None

    def place_of(self, question_id: int, near: int = 0) -> int | None:
        """Return the place of a drawn question, or None where it is not one of this match.

        It is looked for at the place `near` first: most players answer in the order in which questions were drawn.
        """
        questions = self.questions
        if near < len(questions) and questions[near].id == question_id:
            return near
        for place, question in enumerate(questions):
            if question.id == question_id:
                return place
        return None

    def outcome(self, seat: int) -> Outcome:
        """Return how the match went for a seat: who gave up has lost, else points decide. Nobody wins in practice."""
        if self.status is not Status.COMPLETED or self.scoring.profile is ScoringProfile.PRACTICE:
            return Outcome.NONE
        if self.forfeited_by is not None:
            return Outcome.LOST if self.forfeited_by == seat else Outcome.WON
        mine, theirs = self.seats[seat].score, self.seats[1 - seat].score
        if mine == theirs:
            return Outcome.DRAW
        return Outcome.WON if mine > theirs else Outcome.LOST

    def accuracy(self, seat: int) -> Accuracy:
        """Return how many of a seat's answers are right, whatever they are worth."""
        answers = self.seats[seat].answers
        return Accuracy(sum(map(_is_correct, answers)), len(answers), self.question_count)

    @property
    def opened(self) -> tuple[MatchQuestion, ...]:
        """The questions that its players may see. In rounds no other one has left the server."""
        return self.questions if self.pace is Pace.FREE else self.questions[: len(self.reveals)]

    @property
    def final(self) -> bool:
        """Whether no question follows those that are opened."""
        return self.pace is Pace.FREE or len(self.reveals) == self.question_count

    @property
    def span_ms(self) -> int:
        """For how long all questions, or in rounds each, may be answered, but for when the clock stands still."""
        count = self.question_count if self.pace is Pace.FREE else 1
        return count * self.time_limit_s * 1000

    def counts_at(self, at: int) -> int:
        """Return when something that arrived at `at` counts, by the clock that the last outage has moved.

        What came before the outage keeps its distance from the deadline, what came within it counts as its end.
        """
        if self.paused_at is None or self.resumed_at is None or at >= self.resumed_at:
            return at
        return min(at + self.resumed_at - self.paused_at, self.resumed_at)

    def left_ms(self, at: int) -> int:
        """Return how much of a running match, or its open round, is left at `at`; negative where it is over."""
        until = self.deadline_at if self.closes_at is None else self.closes_at
        assert until is not None
        return until - (at if self.resumed_at is None else self.counts_at(at))

    def with_seat(self, index: int, seat: Seat) -> "Match":
        """Return the match with another seat in the place of one."""
        return replace(self, seats=self.seats_with(index, seat))

    def seats_with(self, index: int, seat: Seat) -> tuple[Seat, ...]:
        """Return the seats with another one in the place of one."""
        seats = self.seats
        return (seats[0], seat) if index else (seat, seats[1]) if len(seats) == 2 else (seat,)

    def running_due_at(self) -> int:
        """Return when a running match is over if nothing happens: at a grace's end, or at the deadline.

        While both are away, the first grace to end decides nothing: the other may still come, and has won then.
        In rounds the open one is over then, and the match only where both stay away.
        """
        if self.pace is Pace.ROUNDS:
            return self._round_due_at()
        assert self.deadline_at is not None
        graces = [seat.absence.reconnect_by for seat in self.seats if seat.absence and seat.absence.reconnect_by]
        return min(self.deadline_at, max(graces)) if graces else self.deadline_at

    def _round_due_at(self) -> int:
        until = self.closes_at
        if until is None:  # it opens by itself, and cannot be over before this
            assert self.tick_at is not None
            until = self.tick_at + self.span_ms
        forsaken_at = self.forsaken_at()
        return until if forsaken_at is None else min(until, forsaken_at)

    def forsaken_at(self) -> int | None:
        """Return when a match in rounds is over because nobody came back; None while somebody is there, or done.

        Who is there plays on, and misses nobody; so each of both may come until both graces are over.
        """
        graces = [seat.absence.reconnect_by for seat in self.seats if seat.absence and seat.absence.reconnect_by]
        return max(graces) if len(graces) == 2 else None
