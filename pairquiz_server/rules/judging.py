"""How a locked answer is judged: when it counts as given, what it is worth, and whether it can have been read."""

from pairquiz_server.rules.commands import MatchQuestion, SubmitAnswer
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import Answer
from pairquiz_server.rules.match import Match, Seat
from pairquiz_server.rules.scoring import score_answer


def judge(
    match: Match, seat: Seat, question: MatchQuestion, command: SubmitAnswer, now: int, reading_ms: int
) -> Answer:
    """Return the answer that arrived at `now`. It counts as given so much sooner as its line is credited.

    Nobody is done in less than `reading_ms` who reads this question and, in free pace, those answered before. What
    comes before a round's question is revealed counts as given then.
    Raises `Refused` where it was given after the deadline (`too_late`), or is none of the options (`invalid_payload`).
    """
    assert match.started_at is not None
    reveals = match.reveals
    option = chosen(question, command.answer)
    credit_ms = command.allowance.credit(
        command.lag_ms,
        spent_ms=seat.lag_credit_ms,
        question_count=match.question_count,
        since_start_ms=match.counts_at(now) - reveals[-1] if reveals else now - match.started_at,
    )
    judged_at = now - credit_ms
    left_ms = match.left_ms(judged_at)
    if left_ms < 0:
        raise Refused(Code.TOO_LATE)
    correct = option == question.correct
    span_ms = match.span_ms
    if left_ms > span_ms and reveals:
        judged_at += left_ms - span_ms
    points = score_answer(
        match.scoring, correct=correct, left_ms=left_ms, span_ms=span_ms, difficulty=question.difficulty
    )
    return Answer(
        question_id=question.id,
        chosen=option,
        correct=correct,
        base=points.base,
        bonus=points.bonus,
        arrived_at=now,
        judged_at=judged_at,
        lag_credit_ms=credit_ms,
        too_fast=span_ms - left_ms < reading_ms,
    )


def chosen(question: MatchQuestion, answer: int | str) -> int:
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
