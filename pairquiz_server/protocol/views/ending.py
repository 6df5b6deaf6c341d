"""A match that is over, as each of its players hears it."""

from operator import attrgetter

from pairquiz_server.protocol.events import Accuracy, OpponentBrief, QuestionResult, QuizResults, SessionExpired
from pairquiz_server.protocol.views.meeting import series
from pairquiz_server.protocol.views.playing import receipt
from pairquiz_server.protocol.words import ExpiredBy, ended_by, opponent_kind
from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.events import Answer, EndReason, MatchExpired
from pairquiz_server.rules.match import Match

_question_id = attrgetter("question_id")


def quiz_results(match: Match, seat: int) -> QuizResults:
    """As the player of `seat` hears it, once the match is completed."""
    assert match.end_reason is not None
    mine, theirs = match.seats[seat], match.seats[1 - seat]
    my_answers = dict(zip(map(_question_id, mine.answers), mine.answers, strict=True))
    their_answers = dict(zip(map(_question_id, theirs.answers), theirs.answers, strict=True))
    return QuizResults(
        session_id=match.id,
        your_score=mine.score,
        opponent_score=theirs.score,
        your_accuracy=accuracy(match, seat),
        opponent_accuracy=accuracy(match, 1 - seat),
        outcome=match.outcome(seat),
        reason=ended_by(match.end_reason, forfeited=match.forfeited_by == seat),
        questions=[
            _question_result(match, question, my_answers.get(question.id), their_answers.get(question.id))
            for question in match.opened
        ],
        opponent=OpponentBrief(theirs.player.display_name, opponent_kind(theirs.player)),
        version=match.version,
        series=series(match, seat),
        ghost=match.ghost is not None,
        by_operator=match.end_reason is EndReason.OPERATOR,
    )


def session_expired(match: Match, event: MatchExpired) -> SessionExpired:
    """As both players hear it."""
    if event.reason is EndReason.OPERATOR:
        return SessionExpired(match.id, _nearest(match), event.version, match.ghost is not None, by_operator=True)
    return SessionExpired(match.id, ExpiredBy(event.reason), event.version, match.ghost is not None)


def _nearest(match: Match) -> ExpiredBy:
    """Return how a match would have come to nothing at the point where the operator has ended it."""
    if match.joined_at is None:
        return ExpiredBy.NOBODY_JOINED
    return ExpiredBy.NEVER_STARTED if match.started_at is None else ExpiredBy.BOTH_ABSENT


def accuracy(match: Match, seat: int) -> Accuracy:
    """How many answers of the player of `seat` are right."""
    counted = match.accuracy(seat)
    return Accuracy(counted.right, counted.answered, counted.of)


def _question_result(
    match: Match, question: MatchQuestion, mine: Answer | None, theirs: Answer | None
) -> QuestionResult:
    judged = receipt(match, question, mine) if mine else None
    return QuestionResult(
        id=question.id,
        correct_option=question.correct,
        your_answer=mine.chosen if mine else None,
        opponent_answer=theirs.chosen if theirs else None,
        your_points=judged.points if judged else 0,
        opponent_points=theirs.points if theirs else 0,
        receipt=judged,
        explanation=question.explanation,
    )
