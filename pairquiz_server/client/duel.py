"""A match as one of its players knows it: what each event makes of it. Pure.

What a client has missed it asks for (`quiz_state`); an event that a state had in it already changes nothing.
"""

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.protocol.events import (
    Completed,
    OpponentAnswer,
    OpponentDisconnected,
    OpponentJoined,
    OpponentLeft,
    OpponentReconnected,
    OpponentState,
    OwnAnswer,
    QuestionView,
    QuizResults,
    QuizStarted,
    QuizState,
    RoundClosed,
    RoundOpened,
    RoundState,
    SessionDelayed,
    SessionExpired,
)

_OVER = frozenset({"completed", "abandoned", "expired"})


class Duel(Struct, frozen=True, kw_only=True):
    """A match, from one seat. `answered` are the questions that this player can answer no more.

    `version` is that of the last change, `whole_at` that of the last state: what is not newer than this was in it.
    `expired` is why a match ended that nobody has won.
    """

    session_id: str
    topic: str
    status: str
    pace: str
    question_count: int
    time_limit: int
    version: int
    whole_at: int
    questions: tuple[QuestionView, ...] = ()
    answered: frozenset[int] = frozenset()
    score: int = 0
    opponent: OpponentState | None = None
    join_code: str | None = None
    starts_at: int | None = None
    started_at: int | None = None
    deadline_at: int | None = None
    round: RoundState | None = None
    results: QuizResults | None = None
    expired: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing can be done in it any more."""
        return self.status in _OVER

    @property
    def in_rounds(self) -> bool:
        """Whether both get one question at a time."""
        return self.pace == "rounds"

    @property
    def question(self) -> QuestionView | None:
        """The question that waits for this player's answer; in rounds, to be shown at `round.reveal_at`."""
        if self.status != "in_progress":
            return None
        if self.in_rounds:
            asked = self.questions[-1:] if self.round is not None and self.round.closes_at is not None else ()
        else:
            asked = self.questions
        return next((one for one in asked if one.id not in self.answered), None)

    def place_of(self, question: QuestionView) -> int:
        """Return which question it is, counted from 1."""
        return self.questions.index(question) + 1


def of_state(state: QuizState) -> Duel:
    """Return the match that a `quiz_state` tells of."""
    return Duel(
        session_id=state.session_id,
        topic=state.topic,
        status=state.status,
        pace=state.pace,
        question_count=state.question_count,
        time_limit=state.time_limit,
        version=state.version,
        whole_at=state.version,
        questions=tuple(state.questions),
        answered=frozenset(map(int, state.your_answers)),
        score=state.your_score,
        opponent=state.opponent,
        join_code=state.join_code,
        starts_at=state.starts_at,
        started_at=state.started_at,
        deadline_at=state.deadline_at,
        round=state.round,
        results=state.results,
    )


def is_news(duel: Duel, version: int) -> bool:
    """Tell whether an event of this version was in no state, and nothing newer was told since."""
    return version > duel.whole_at and version >= duel.version


def after(duel: Duel, event: Struct) -> Duel:
    """Return the match after an event of it, which has to be news; what changes nothing here changes its version."""
    match event:
        case OpponentJoined():
            changed = replace(duel, status="ready", join_code=None, starts_at=event.starts_at, opponent=_joined(event))
        case QuizStarted():
            changed = replace(
                duel,
                status="in_progress",
                questions=tuple(event.questions),
                started_at=event.started_at,
                deadline_at=event.deadline_at,
            )
        case RoundOpened():
            opened = RoundState(event.index, event.reveal_at, event.closes_at, None)
            changed = replace(duel, questions=(*duel.questions, event.question), round=opened)
        case RoundClosed():
            changed = _closed(duel, event)
        case OwnAnswer():
            changed = replace(duel, answered=duel.answered | {event.question_id}, score=event.score)
        case SessionDelayed():
            changed = replace(duel, deadline_at=event.deadline_at, round=event.round or duel.round)
        case QuizResults():
            changed = replace(duel, status="completed", score=event.your_score, results=event)
        case OpponentLeft() if duel.status == "ready":
            changed = replace(duel, status="abandoned", expired="opponent_left")
        case SessionExpired():
            ended_for_good = event.by_operator or event.reason == "both_absent"
            status = "abandoned" if ended_for_good else "expired"
            changed = replace(duel, status=status, expired="operator" if event.by_operator else event.reason)
        case _:
            changed = duel
    version: int = getattr(event, "version", duel.version)
    return replace(changed, opponent=_opponent_after(changed.opponent, event), version=version)


def missed(duel: Duel, question_id: int) -> Duel:
    """Return the match after an answer that came too late."""
    return replace(duel, answered=duel.answered | {question_id})


def _closed(duel: Duel, event: RoundClosed) -> Duel:
    assert duel.round is not None  # it was opened before, and a gap is mended by a state
    return replace(
        duel,
        score=event.your_score,
        round=RoundState(event.index, duel.round.reveal_at, None, event.next_at),
    )


def _joined(event: OpponentJoined) -> OpponentState:
    brief = event.opponent
    return OpponentState(brief.display_name, brief.connected, brief.kind, answered=0, score=0, completed=False)


def _opponent_after(opponent: OpponentState | None, event: Struct) -> OpponentState | None:
    if opponent is None:
        return None
    match event:
        case OpponentAnswer():
            return replace(opponent, answered=event.answered, score=event.score)
        case RoundClosed():
            return replace(opponent, score=event.opponent_score)
        case Completed():
            return replace(opponent, completed=True, score=event.score)
        case OpponentDisconnected():
            return replace(opponent, connected=False, cause=event.cause, reconnect_by=event.reconnect_by)
        case OpponentReconnected():
            return replace(opponent, connected=True, cause=None, reconnect_by=None)
        case SessionDelayed() if opponent.reconnect_by is not None:
            return replace(opponent, reconnect_by=event.opponent_reconnect_by)
        case OpponentLeft():
            return replace(opponent, connected=False)
        case QuizResults():
            return replace(opponent, score=event.opponent_score)
        case _:
            return opponent
