"""A match that two of our players play: what they did in it, and what they were told. Pure."""

from collections.abc import Iterator

from msgspec import Struct, field

from pairquiz_server.loadtest.versions import Versions
from pairquiz_server.protocol.events import (
    OpponentAnswer,
    OwnAnswer,
    QuestionView,
    QuizResults,
    QuizStarted,
    QuizState,
    SessionDelayed,
)


class Answered(Struct):
    """An answer of ours: its option; when it was due, sent and acknowledged (milliseconds of our clock), with what."""

    option: int
    due_ms: float
    sent_ms: float
    acknowledged_ms: float = 0.0
    own: OwnAnswer | None = None


class Side(Struct):
    """What one player did and was told. `cut` is that its line was lost meanwhile: it may have missed something."""

    answers: dict[int, Answered] = field(default_factory=dict)
    opponents: list[OpponentAnswer] = field(default_factory=list)
    versions: Versions = field(default_factory=Versions)
    started: QuizStarted | None = None
    results: list[QuizResults] = field(default_factory=list)
    cut: bool = False

    @property
    def unacknowledged(self) -> int:
        """How many answers nothing came back for, so far."""
        return sum(answer.own is None for answer in self.answers.values())


class Turn(Struct, frozen=True):
    """An answer that is still to be given: by whom (0 or 1), and to which question."""

    seat: int
    question: QuestionView


class Table:
    """A match. `asked_ms` and `told_ms` are when its start was asked for and acknowledged."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.sides = (Side(), Side())
        self.asked_ms = self.told_ms = 0.0
        self.deadline_at = 0
        self.delayed = False
        self._turns: list[Turn] = []

    @property
    def turns_left(self) -> int:
        """How many answers are still to be given."""
        return len(self._turns)

    @property
    def begun(self) -> bool:
        """Whether it runs, or ran."""
        return self.told_ms > 0

    @property
    def over(self) -> bool:
        """Whether both know the results."""
        return all(side.results for side in self.sides)

    def begin(self, started: QuizStarted, *, asked_ms: float, told_ms: float) -> None:
        """Take in that it runs: both answer each question, in turns."""
        self.asked_ms, self.told_ms = asked_ms, told_ms
        self.deadline_at = started.deadline_at or 0
        self._turns = [Turn(seat, question) for question in reversed(started.questions) for seat in (1, 0)]

    def next_turn(self) -> Turn:
        """Return who answers which question next, and leave it out from now on."""
        return self._turns.pop()

    def answers(self) -> Iterator[tuple[int, int, Answered]]:
        """Yield all answers with their seats and questions."""
        for seat, side in enumerate(self.sides):
            for question_id, answer in side.answers.items():
                yield seat, question_id, answer

    def acknowledged(self, seat: int, own: OwnAnswer, at_ms: float) -> None:
        """Take in the acknowledgement of an answer."""
        side = self.sides[seat]
        answer = side.answers[own.question_id]
        answer.own, answer.acknowledged_ms = own, at_ms
        if not own.duplicate:
            side.versions.hear(f"own answer to {own.question_id}", own.version)

    def hear(self, seat: int, name: str, event: Struct) -> None:
        """Take in what a player was told."""
        side = self.sides[seat]
        version: int | None = getattr(event, "version", None)
        if isinstance(event, QuizState):
            self._whole(side, event)
        elif version is not None:
            side.versions.hear(name, version)
        match event:
            case QuizStarted():
                side.started = event
            case OpponentAnswer():
                side.opponents.append(event)
            case QuizResults():
                side.results.append(event)
            case SessionDelayed():
                self.delayed = True
            case _:
                pass

    def lose_line(self, seat: int) -> None:
        """Take in that a player's connection was lost: the next one tells by a state what this one would have told."""
        self.sides[seat].cut = True
        self.sides[seat].versions.forget()

    def _whole(self, side: Side, state: QuizState) -> None:
        side.versions.whole(state.version)
        self.delayed = self.delayed or state.deadline_at not in (None, self.deadline_at)
        if state.results is not None and not side.results:
            side.results.append(state.results)
