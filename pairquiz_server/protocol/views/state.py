"""The whole match, and who is away from it, as one of its players sees it."""

from pairquiz_server.protocol.events import (
    AbsenceState,
    OpponentDisconnected,
    OpponentState,
    QuizState,
    YourAnswer,
)
from pairquiz_server.protocol.views.ending import accuracy, quiz_results
from pairquiz_server.protocol.views.meeting import opponent_rating, rematch_state, series
from pairquiz_server.protocol.views.playing import closed_rounds, questions_as_shown, round_state
from pairquiz_server.protocol.words import AwayCause, opponent_kind
from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.rematch import Prospect


def opponent_disconnected(match: Match, absence: Absence, *, version: int) -> OpponentDisconnected:
    """As the player who is still there hears of the other's absence."""
    return OpponentDisconnected(match.id, AwayCause(absence.shown), version, absence.reconnect_by)


def quiz_state(match: Match, seat: int, now: int, rematch: Prospect | None = None) -> QuizState:
    """As the player of `seat` may see the match at `now`; `rematch` is what is known of its rematch."""
    mine = match.seats[seat]
    running = match.status is Status.IN_PROGRESS
    until = (match.deadline_at or match.closes_at) if running else None
    return QuizState(
        session_id=match.id,
        topic=match.topic,
        status=match.status,
        pace=match.pace,
        scoring=match.scoring.profile,
        question_count=match.question_count,
        time_limit=match.time_limit_s,
        started_at=match.started_at,
        deadline_at=match.deadline_at,
        remaining_ms=None if until is None else max(until - now, 0),
        server_time=now,
        questions=questions_as_shown(match, match.opened, after=match.status not in LIVE),
        your_answers={
            str(answer.question_id): YourAnswer(answer.chosen, answer.correct, answer.points) for answer in mine.answers
        },
        your_score=mine.score,
        your_accuracy=accuracy(match, seat),
        opponent=_opponent_state(match, seat),
        version=match.version,
        join_code=match.join_code if match.status is Status.WAITING else None,
        starts_at=match.tick_at if match.status is Status.READY else None,
        your_absence=AbsenceState(AwayCause(mine.absence.shown), mine.absence.reconnect_by) if mine.absence else None,
        round=round_state(match.reveals, match.closes_at, match.tick_at) if running else None,
        closed_rounds=closed_rounds(match, seat) if running and match.reveals else None,
        opponent_accuracy=accuracy(match, 1 - seat) if match.status is Status.COMPLETED else None,
        results=quiz_results(match, seat) if match.status is Status.COMPLETED else None,
        previous_session_id=match.previous_id,
        series=series(match, seat),
        rematch=None if rematch is None else rematch_state(rematch, seat),
        ghost=match.ghost is not None,
    )


def _opponent_state(match: Match, seat: int) -> OpponentState | None:
    if len(match.seats) < 2:
        return None
    other = match.seats[1 - seat]
    return OpponentState(
        display_name=other.player.display_name,
        connected=other.absence is None,
        kind=opponent_kind(other.player),
        answered=len(other.answers),
        score=other.score,
        completed=other.completed_at is not None,
        cause=AwayCause(other.absence.shown) if other.absence else None,
        reconnect_by=other.absence.reconnect_by if other.absence else None,
        rating=opponent_rating(match, seat),
    )
