"""A match as its operator sees it."""

from pairquiz_server.protocol.admin.matches import ShownAnswer, ShownMatch, ShownPlayer, ShownQuestion
from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.events import Answer
from pairquiz_server.rules.match import LIVE, Match, Status


def shown_match(match: Match, *, answers: bool) -> ShownMatch:
    """Return the whole match; with `answers`, or once it is over, the right options too."""
    told = answers or match.status not in LIVE
    return ShownMatch(
        session_id=match.id,
        version=match.version,
        status=match.status,
        topic=match.topic,
        pace=match.pace,
        scoring=match.scoring.profile,
        origin=match.origin,
        question_count=match.question_count,
        time_limit=match.time_limit_s,
        join_code=match.join_code if match.status is Status.WAITING else None,
        created_at=match.created_at,
        joined_at=match.joined_at,
        started_at=match.started_at,
        deadline_at=match.deadline_at,
        due_at=match.due_at,
        ended_at=match.ended_at,
        end_reason=match.end_reason,
        forfeited_by=None if match.forfeited_by is None else match.forfeited_by + 1,
        paused_at=match.paused_at,
        resumed_at=match.resumed_at,
        previous_session_id=match.previous_id,
        recorded_session_id=None if match.ghost is None else match.ghost.match_id,
        players=[_player(match, seat) for seat in range(len(match.seats))],
        questions=[_question(match, place, question, told) for place, question in enumerate(match.questions)],
    )


def _player(match: Match, seat: int) -> ShownPlayer:
    side = match.seats[seat]
    away = side.absence
    return ShownPlayer(
        player=seat + 1,
        id=side.player.id,
        kind=side.player.kind,
        display_name=side.player.display_name,
        label=side.player.label,
        score=side.score,
        answered=len(side.answers),
        completed_at=side.completed_at,
        away_since=None if away is None else away.since,
        away_cause=None if away is None else away.cause,
        reconnect_by=None if away is None else away.reconnect_by,
        away_ms=side.away_ms,
        outcome=match.outcome(seat),
    )


def _question(match: Match, place: int, question: MatchQuestion, told: bool) -> ShownQuestion:
    given = [(number, side.answer_to(question.id)) for number, side in enumerate(match.seats, start=1)]
    return ShownQuestion(
        id=question.id,
        text=question.text,
        options=question.options,
        revealed_at=match.reveals[place] if place < len(match.reveals) else None,
        correct=question.correct if told else None,
        answers=[_answer(number, answer, told) for number, answer in given if answer is not None],
    )


def _answer(number: int, answer: Answer, told: bool) -> ShownAnswer:
    return ShownAnswer(
        player=number,
        arrived_at=answer.arrived_at,
        judged_at=answer.judged_at,
        lag_credit_ms=answer.lag_credit_ms,
        base=answer.base,
        bonus=answer.bonus,
        too_fast=answer.too_fast,
        chosen=answer.chosen if told else None,
        correct=answer.correct if told else None,
    )
