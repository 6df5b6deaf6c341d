"""What each change leaves behind: the match afterwards, its events, and the version that rises by one a change."""

import pytest

from pairquiz_server.rules.commands import Command, MatchQuestion, Topic
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
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
from pairquiz_server.rules.match import Match, Seat, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import Scoring
from tests.rules.matches import (
    ANNA,
    BEN,
    CREATED_AT,
    DEADLINE_AT,
    DRAW,
    FIRST,
    JOINED_AT,
    MARGIN_MS,
    MATCH_ID,
    READY_UNTIL,
    SECOND,
    STARTED_AT,
    WAITING_UNTIL,
    complete,
    create,
    end_overdue,
    in_progress,
    join,
    leave,
    ready,
    start,
    submit,
    waiting,
)

NOW = STARTED_AT + 2_000


def test_player_creates_match() -> None:
    decision = decide(None, create(), CREATED_AT)
    assert decision.events == (MatchCreated(1),)
    assert decision.match == Match(
        id=MATCH_ID,
        version=1,
        status=Status.WAITING,
        topic_id=7,
        topic="Sea",
        question_count=2,
        time_limit_s=10,
        scoring=Scoring(100, 50),
        join_code="7KQ2M4XA",
        request_id="wish-1",
        seats=(Seat(ANNA),),
        created_at=CREATED_AT,
        due_at=WAITING_UNTIL,
    )


def test_opponent_joins() -> None:
    decision = decide(waiting(), join(), JOINED_AT)
    assert decision.events == (PlayerJoined(2),)
    after = decision.match
    assert (after.version, after.status, after.joined_at, after.due_at) == (2, Status.READY, JOINED_AT, READY_UNTIL)
    assert after.seats == (Seat(ANNA), Seat(BEN))


@pytest.mark.parametrize(("player", "seat"), [(ANNA, 0), (BEN, 1)], ids=["creator", "opponent"])
def test_either_player_starts(player: Player, seat: int) -> None:
    decision = decide(ready(), start(player), STARTED_AT)
    assert decision.events == (MatchStarted(3, seat),)
    after = decision.match
    assert (after.version, after.status, after.started_at) == (3, Status.IN_PROGRESS, STARTED_AT)
    assert after.deadline_at == after.due_at == STARTED_AT + 2 * 10 * 1000
    assert after.questions == DRAW


def test_start_when_the_topic_shrank_leaves_match_ready() -> None:
    with pytest.raises(Refused, match="1 of the 2 questions") as refused:
        decide(ready(), start(draw=DRAW[:1]), STARTED_AT)
    assert refused.value.code is Code.NOT_ENOUGH_QUESTIONS
    assert refused.value.details == {"available": 1}
    assert decide(ready(), start(), STARTED_AT).match.status is Status.IN_PROGRESS


@pytest.mark.parametrize("available", [0, 1])
def test_creation_from_too_small_a_topic_is_refused(available: int) -> None:
    with pytest.raises(Refused, match="'Sea'") as refused:
        decide(None, create(topic=Topic(7, "Sea", available)), CREATED_AT)
    assert refused.value.code is Code.NOT_ENOUGH_QUESTIONS
    assert refused.value.details == {"available": available}


@pytest.mark.parametrize(("player", "seat"), [(ANNA, 0), (BEN, 1)], ids=["creator", "opponent"])
def test_player_answers(player: Player, seat: int) -> None:
    before = in_progress()
    decision = decide(before, submit(player), NOW)
    after = decision.match
    (answer,) = after.seats[seat].answers
    assert decision.events == (AnswerAccepted(4, seat, answer, 1, 145),)
    assert (answer.question_id, answer.chosen, answer.correct) == (FIRST.id, FIRST.correct, True)
    assert (answer.base, answer.bonus, answer.points) == (100, 45, 145)
    assert (answer.arrived_at, answer.judged_at, answer.lag_credit_ms) == (NOW, NOW, 0)
    assert after.version == 4
    assert after.seats[seat].score == 145
    assert after.seats[seat].completed_at is None
    assert after.seats[1 - seat] == before.seats[1 - seat]


def test_player_answers_the_last_question_and_both_events_share_the_version() -> None:
    decision = decide(in_progress(submit(BEN, FIRST)), submit(BEN, SECOND, 1), NOW)
    seat = decision.match.seats[1]
    assert decision.events == (
        AnswerAccepted(5, 1, seat.answers[1], 2, 147),
        PlayerCompleted(5, 1, 147, by_command=False),
    )
    assert (decision.match.version, decision.match.status) == (5, Status.IN_PROGRESS)
    assert seat.completed_at == NOW


def test_last_answer_of_both_ends_match_as_a_change_of_its_own() -> None:
    before = in_progress(*(submit(ANNA, question) for question in DRAW), submit(BEN, FIRST))
    decision = decide(before, submit(BEN, SECOND), NOW)
    answered, ended = decision.events
    assert isinstance(answered, AnswerAccepted)
    assert answered.version == before.version + 1
    assert ended == MatchEnded(before.version + 2, EndReason.ALL_ANSWERED)
    after = decision.match
    assert (after.version, after.status, after.ended_at) == (before.version + 2, Status.COMPLETED, NOW)
    assert after.end_reason is EndReason.ALL_ANSWERED
    assert after.seats[1].completed_at == NOW


def test_player_completes() -> None:
    decision = decide(in_progress(submit(ANNA)), complete(ANNA), NOW)
    assert decision.events == (PlayerCompleted(5, 0, 147, by_command=True),)
    assert (decision.match.version, decision.match.status) == (5, Status.IN_PROGRESS)
    assert decision.match.seats[0].completed_at == NOW


def test_second_player_completes_and_match_ends_in_one_change() -> None:
    decision = decide(in_progress(complete(ANNA)), complete(BEN), NOW)
    assert decision.events == (MatchEnded(5, EndReason.ALL_ANSWERED),)
    after = decision.match
    assert (after.version, after.status, after.ended_at) == (5, Status.COMPLETED, NOW)
    assert [seat.completed_at for seat in after.seats] == [STARTED_AT + 1_000, NOW]


@pytest.mark.parametrize(
    ("match", "command", "now", "status", "events"),
    [
        (waiting(), leave(ANNA), JOINED_AT, Status.ABANDONED, (PlayerLeft(2, 0),)),
        (ready(), leave(ANNA), NOW, Status.ABANDONED, (PlayerLeft(3, 0),)),
        (ready(), leave(BEN), NOW, Status.ABANDONED, (PlayerLeft(3, 1),)),
        (
            in_progress(),
            leave(BEN),
            NOW,
            Status.COMPLETED,
            (PlayerLeft(4, 1), MatchEnded(4, EndReason.PLAYER_LEFT)),
        ),
        (
            waiting(),
            end_overdue(),
            WAITING_UNTIL + MARGIN_MS,
            Status.EXPIRED,
            (MatchExpired(2, EndReason.NOBODY_JOINED),),
        ),
        (
            ready(),
            end_overdue(),
            READY_UNTIL + MARGIN_MS,
            Status.EXPIRED,
            (MatchExpired(3, EndReason.NEVER_STARTED),),
        ),
        (
            in_progress(),
            end_overdue(),
            DEADLINE_AT + MARGIN_MS,
            Status.COMPLETED,
            (MatchEnded(4, EndReason.DEADLINE),),
        ),
    ],
)
def test_match_ends_in_one_change(
    match: Match, command: Command, now: int, status: Status, events: tuple[Event, ...]
) -> None:
    decision = decide(match, command, now)
    after = decision.match
    assert decision.events == events
    assert (after.status, after.version, after.ended_at) == (status, match.version + 1, now)
    left = next((event.seat for event in events if isinstance(event, PlayerLeft)), None)
    assert after.forfeited_by == left
    assert after.end_reason is (EndReason.PLAYER_LEFT if left is not None else events[0].reason)
    assert after.seats == match.seats


@pytest.mark.parametrize("question", DRAW, ids=["first", "second"])
def test_both_players_have_the_same_questions_and_orders_of_options(question: MatchQuestion) -> None:
    match = in_progress()
    assert match.questions[match.place_of(question.id) or 0] is question
    right = [decide(match, submit(player, question), NOW).match for player in (ANNA, BEN)]
    assert [after.seats[seat].answers[0].correct for seat, after in enumerate(right)] == [True, True]
