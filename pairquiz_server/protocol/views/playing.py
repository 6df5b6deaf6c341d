"""A match that runs, as each of its players hears it."""

from collections.abc import Sequence

from msgspec.structs import astuple

from pairquiz_server.protocol.events import (
    OpponentAnswer,
    OwnAnswer,
    QuestionView,
    QuizStarted,
    Receipt,
    RoundClosed,
    RoundOpened,
    RoundResult,
    RoundState,
)
from pairquiz_server.protocol.fields import SingleChoice
from pairquiz_server.rules import events
from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.events import Answer, AnswerAccepted
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.scoring import ScoringProfile, sum_in_words
from pairquiz_server.rules.terms import Pace

KIND: SingleChoice = "single_choice"


def quiz_started(match: Match, *, duplicate: bool = False) -> QuizStarted:
    """As both players hear it."""
    assert match.started_at is not None
    return QuizStarted(
        session_id=match.id,
        questions=_started.of(match) if match.pace is Pace.FREE else [],
        time_limit=match.time_limit_s,
        started_at=match.started_at,
        deadline_at=match.deadline_at,
        pace=match.pace,
        scoring=match.scoring.profile,
        version=match.version,
        duplicate=duplicate,
        ghost=match.ghost is not None,
    )


def round_opened(match: Match, event: events.RoundOpened) -> RoundOpened:
    """As both players hear it."""
    return RoundOpened(
        session_id=match.id,
        index=event.index,
        question=questions_as_shown(match, match.questions[event.index : event.index + 1])[0],
        reveal_at=event.reveal_at,
        closes_at=event.closes_at,
        version=event.version,
        ghost=match.ghost is not None,
    )


def round_closed(match: Match, event: events.RoundClosed, seat: int) -> RoundClosed:
    """As the player of `seat` hears it."""
    return RoundClosed(
        *astuple(_round_result(match, seat, event.index)),
        session_id=match.id,
        your_score=match.seats[seat].score,
        opponent_score=match.seats[1 - seat].score,
        next_at=event.next_at,
        version=event.version,
        ghost=match.ghost is not None,
    )


def round_state(reveals: Sequence[int] | None, closes_at: int | None, tick_at: int | None) -> RoundState | None:
    """Say where a running match in rounds is; None in free pace. When a ghost answers is nobody's to know before."""
    next_at = tick_at if closes_at is None else None
    return RoundState(len(reveals) - 1, reveals[-1], closes_at, next_at) if reveals else None


def own_answer(match: Match, seat: int, answer: Answer, version: int, *, duplicate: bool = False) -> OwnAnswer:
    """As the one who answered hears it."""
    place = match.place_of(answer.question_id, near=len(match.seats[seat].answers) - 1)
    assert place is not None
    question = match.questions[place]
    judged = receipt(match, question, answer)
    return OwnAnswer(
        question_id=answer.question_id,
        player="you",
        session_id=match.id,
        correct=answer.correct,
        correct_option=question.correct,
        points=judged.points,
        score=match.seats[seat].score,
        receipt=judged,
        version=version,
        duplicate=duplicate,
        ghost=match.ghost is not None,
    )


def opponent_answer(match: Match, event: AnswerAccepted) -> OpponentAnswer:
    """As the other player hears it: that something was answered."""
    return OpponentAnswer(
        question_id=event.answer.question_id,
        player="opponent",
        session_id=match.id,
        answered=event.answered,
        score=event.score,
        version=event.version,
        ghost=match.ghost is not None,
    )


def receipt(match: Match, question: MatchQuestion, answer: Answer) -> Receipt:
    """Say how an answer was judged, with its points as a sum in words."""
    base, bonus = answer.base, answer.bonus
    reason = sum_in_words(match.scoring, question.difficulty, answer.correct, base, bonus)
    return Receipt(answer.arrived_at, answer.lag_credit_ms, answer.judged_at, base + bonus, reason)


def questions_as_shown(match: Match, questions: Sequence[MatchQuestion], *, after: bool = False) -> list[QuestionView]:
    """Questions as players see them, with their explanations `after` the match."""
    by_difficulty = match.scoring.profile is ScoringProfile.DIFFICULTY
    return [
        QuestionView(
            question.id,
            question.text,
            question.options,
            KIND,
            question.lang,
            question.explanation if after else None,
            question.difficulty if by_difficulty else None,
        )
        for question in questions
    ]


class _Started:
    """The questions of the match that was shown last as it started: its reply and its event have the same."""

    def __init__(self) -> None:
        self._match: Match | None = None
        self._questions: list[QuestionView] = []

    def of(self, match: Match) -> list[QuestionView]:
        """Return all questions of a match as its players see them; the list is nobody's to change."""
        if match is not self._match:
            self._match, self._questions = match, questions_as_shown(match, match.questions)
        return self._questions


_started = _Started()


def closed_rounds(match: Match, seat: int) -> list[RoundResult]:
    """What both made of the rounds that are over."""
    count = len(match.reveals) - (match.closes_at is not None)
    return [_round_result(match, seat, index) for index in range(count)]


def _round_result(match: Match, seat: int, index: int) -> RoundResult:
    question = match.questions[index]
    mine, theirs = (match.seats[one].answer_to(question.id) for one in (seat, 1 - seat))
    return RoundResult(
        index=index,
        question_id=question.id,
        correct_option=question.correct,
        your_answer=mine.chosen if mine else None,
        opponent_answer=theirs.chosen if theirs else None,
        your_points=mine.points if mine else 0,
        opponent_points=theirs.points if theirs else 0,
    )
