"""A match → what one of its players may see of it.

The right option is in no view before the viewer's own answer is locked, and the opponent's choice in none before
the match is over; in rounds, both before the round is. A question that was not opened is in none, ever.
"""

from collections.abc import Sequence
from operator import attrgetter

from msgspec.structs import astuple

from pairquiz_server.engine import challenges, people
from pairquiz_server.engine.memory import Record
from pairquiz_server.protocol.events import (
    AbsenceState,
    ChallengeCreated,
    OpponentAnswer,
    OpponentBrief,
    OpponentDisconnected,
    OpponentFound,
    OpponentJoined,
    OpponentPresence,
    OpponentRated,
    OpponentState,
    OwnAnswer,
    Profile,
    QuestionResult,
    QuestionView,
    QuizCreated,
    QuizResults,
    QuizStarted,
    QuizState,
    Receipt,
    RematchState,
    RoundClosed,
    RoundOpened,
    RoundResult,
    RoundState,
    Series,
    Session,
    YourAnswer,
)
from pairquiz_server.protocol.records import topic_record, topic_records
from pairquiz_server.rules import events
from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.commands import MatchQuestion
from pairquiz_server.rules.events import Answer, AnswerAccepted, EndReason
from pairquiz_server.rules.match import LIVE, Match, Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.rematch import Prospect, wins_after
from pairquiz_server.rules.scoring import ScoringProfile, sum_in_words
from pairquiz_server.rules.terms import Pace

KIND = "single_choice"
_question_id = attrgetter("question_id")


def quiz_created(match: Match, *, duplicate: bool = False) -> QuizCreated:
    """As the creator hears it."""
    return QuizCreated(
        session_id=match.id,
        topic=match.topic,
        join_url=f"/pair-quiz/{match.id}",
        join_code=match.join_code,
        status="waiting_for_opponent",
        pace=match.pace,
        scoring=match.scoring.profile,
        version=match.version,
        duplicate=duplicate,
    )


def opponent_joined(match: Match, seat: int, *, duplicate: bool = False) -> OpponentJoined:
    """As the player of `seat` hears it."""
    other = match.seats[1 - seat]
    return OpponentJoined(
        session_id=match.id,
        status="ready_to_start",
        opponent=OpponentPresence(other.player.display_name, other.absence is None, _kind(other.player)),
        version=match.version,
        duplicate=duplicate,
        starts_at=match.tick_at if match.status is Status.READY else None,
        previous_session_id=match.previous_id,
        series=_series(match, seat),
        ghost=match.ghost is not None,
    )


def opponent_found(match: Match, seat: int) -> OpponentFound:
    """As the player of `seat` hears it, who has looked for somebody."""
    other = match.seats[1 - seat].player
    return OpponentFound(
        session_id=match.id,
        topic=match.topic,
        status="ready_to_start",
        opponent=OpponentRated(other.display_name, _opponent_rating(match, seat), _kind(other)),
        starts_at=match.tick_at if match.status is Status.READY else None,
        version=match.version,
        ghost=match.ghost is not None,
    )


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
        question=_questions(match, match.questions[event.index : event.index + 1])[0],
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


def opponent_disconnected(match: Match, absence: Absence, *, version: int) -> OpponentDisconnected:
    """As the player who is still there hears of the other's absence."""
    return OpponentDisconnected(match.id, absence.shown, version, absence.reconnect_by)


def quiz_results(match: Match, seat: int) -> QuizResults:
    """As the player of `seat` hears it, once the match is completed."""
    mine, theirs = match.seats[seat], match.seats[1 - seat]
    my_answers = dict(zip(map(_question_id, mine.answers), mine.answers, strict=True))
    their_answers = dict(zip(map(_question_id, theirs.answers), theirs.answers, strict=True))
    return QuizResults(
        session_id=match.id,
        your_score=mine.score,
        opponent_score=theirs.score,
        your_accuracy=match.accuracy(seat),
        opponent_accuracy=match.accuracy(1 - seat),
        outcome=match.outcome(seat),
        reason=_reason(match, seat),
        questions=[
            _question_result(match, question, my_answers.get(question.id), their_answers.get(question.id))
            for question in match.opened
        ],
        opponent=OpponentBrief(theirs.player.display_name, _kind(theirs.player)),
        version=match.version,
        series=_series(match, seat),
        ghost=match.ghost is not None,
    )


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
        questions=_questions(match, match.opened, after=match.status not in LIVE),
        your_answers={
            str(answer.question_id): YourAnswer(answer.chosen, answer.correct, answer.points) for answer in mine.answers
        },
        your_score=mine.score,
        your_accuracy=match.accuracy(seat),
        opponent=_opponent_state(match, seat),
        version=match.version,
        join_code=match.join_code if match.status is Status.WAITING else None,
        starts_at=match.tick_at if match.status is Status.READY else None,
        your_absence=AbsenceState(mine.absence.shown, mine.absence.reconnect_by) if mine.absence else None,
        round=round_state(match.reveals, match.closes_at, match.tick_at) if running else None,
        closed_rounds=_closed_rounds(match, seat) if running and match.reveals else None,
        opponent_accuracy=match.accuracy(1 - seat) if match.status is Status.COMPLETED else None,
        results=quiz_results(match, seat) if match.status is Status.COMPLETED else None,
        previous_session_id=match.previous_id,
        series=_series(match, seat),
        rematch=None if rematch is None else _rematch(rematch, seat),
        ghost=match.ghost is not None,
    )


def session(match: Match, seat: int) -> Session:
    """A line of a list of live matches."""
    other = match.seats[1 - seat].player if len(match.seats) == 2 else None
    return Session(
        session_id=match.id,
        topic=match.topic,
        status=match.status,
        opponent=OpponentBrief(other.display_name, _kind(other)) if other else None,
        ghost=match.ghost is not None,
    )


def profile(own: people.Profile, record: Record) -> Profile:
    """As the player itself sees it."""
    over_all = topic_record("", record.overall)
    return Profile(
        user_id=own.user_id,
        kind=own.kind,
        display_name=own.display_name,
        known_since=own.known_since,
        record_runs=own.record_runs,
        rating=over_all.rating,
        provisional=over_all.provisional,
        rated=over_all.rated,
        matches=over_all.matches,
        won=over_all.won,
        lost=over_all.lost,
        draw=over_all.draw,
        topics=topic_records(record),
    )


def challenge(made: challenges.Challenge) -> ChallengeCreated:
    """As the player whose run it is hears it."""
    return ChallengeCreated(
        challenge_code=made.code,
        challenge_url=f"/pair-quiz/challenge/{made.code}",
        session_id=made.match_id,
        topic=made.topic,
        score=made.score,
        expires_at=made.expires_at,
        duplicate=not made.is_new,
    )


def _kind(player: Player) -> str:
    """What plays a seat."""
    return "ghost" if player.kind is PlayerKind.GHOST else "player"


def _series(match: Match, seat: int) -> Series | None:
    """How a series stands: none is there before a match is over that is no rematch, or against a recorded run."""
    if match.ghost is not None or (match.previous_id is None and match.status is not Status.COMPLETED):
        return None
    wins = wins_after(match)
    return Series(wins[seat], wins[1 - seat])


def _rematch(prospect: Prospect, seat: int) -> RematchState:
    return RematchState(
        you=prospect.asked[seat],
        opponent=prospect.asked[1 - seat],
        expires_at=prospect.expires_at,
        session_id=prospect.next_id,
    )


def _questions(match: Match, questions: Sequence[MatchQuestion], *, after: bool = False) -> list[QuestionView]:
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
            self._match, self._questions = match, _questions(match, match.questions)
        return self._questions


_started = _Started()


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


def _closed_rounds(match: Match, seat: int) -> list[RoundResult]:
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


def _reason(match: Match, seat: int) -> str:
    mine = match.forfeited_by == seat
    if match.end_reason is EndReason.PLAYER_LEFT:
        return "you_left" if mine else "opponent_left"
    if match.end_reason is EndReason.PLAYER_ABSENT:
        return "you_were_absent" if mine else "opponent_absent"
    assert match.end_reason is not None
    return match.end_reason


def _opponent_state(match: Match, seat: int) -> OpponentState | None:
    if len(match.seats) < 2:
        return None
    other = match.seats[1 - seat]
    return OpponentState(
        display_name=other.player.display_name,
        connected=other.absence is None,
        kind=_kind(other.player),
        answered=len(other.answers),
        score=other.score,
        completed=other.completed_at is not None,
        cause=other.absence.shown if other.absence else None,
        reconnect_by=other.absence.reconnect_by if other.absence else None,
        rating=_opponent_rating(match, seat),
    )


def _opponent_rating(match: Match, seat: int) -> int | None:
    return match.ratings[1 - seat] if match.ratings else None
