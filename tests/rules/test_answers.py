"""How an answer names an option, which answers are refused, and what they are worth."""

import pytest
from msgspec.structs import replace

from pairquiz_server.rules.commands import Command, MatchQuestion
from pairquiz_server.rules.decide import decide
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.scoring import Scoring
from tests.rules.matches import (
    ANNA,
    BEN,
    DEADLINE_AT,
    DRAW,
    FIRST,
    SECOND,
    STARTED_AT,
    complete,
    in_progress,
    leave,
    play,
    submit,
)

NOW = STARTED_AT + 2_000


@pytest.mark.parametrize("question", DRAW, ids=["first", "second"])
@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("by_text", [False, True], ids=["index", "text"])
def test_player_names_option(question: MatchQuestion, index: int, by_text: bool) -> None:
    answer = question.options[index] if by_text else index
    seat = decide(in_progress(), submit(ANNA, question, answer), NOW).match.seats[0]
    assert seat.answers[0].chosen == index
    assert seat.answers[0].correct == (index == question.correct)
    assert seat.score == (145 if index == question.correct else 0)


def test_text_is_never_an_index() -> None:
    assert SECOND.options[0] == "0"
    assert decide(in_progress(), submit(ANNA, SECOND, "0"), NOW).match.seats[0].answers[0].chosen == 0
    with pytest.raises(Refused) as refused:
        decide(in_progress(), submit(ANNA, SECOND, "1"), NOW)
    assert refused.value.code is Code.INVALID_PAYLOAD


@pytest.mark.parametrize("answer", [-1, 4, 2**63, "rhine", "Rhine ", "", "Everest"])
def test_answer_that_names_no_option_is_refused(answer: int | str) -> None:
    with pytest.raises(Refused, match=r"^answer: ") as refused:
        decide(in_progress(), submit(ANNA, FIRST, answer), NOW)
    assert refused.value.code is Code.INVALID_PAYLOAD


@pytest.mark.parametrize("answer", [0, "Rhine", 9])
def test_answer_to_a_question_of_no_match_is_refused(answer: int | str) -> None:
    with pytest.raises(Refused) as refused:
        decide(in_progress(), submit(ANNA, replace(FIRST, id=99), answer), NOW)
    assert refused.value.code is Code.UNKNOWN_QUESTION


def test_player_answers_in_any_order() -> None:
    seat = in_progress(submit(ANNA, SECOND), submit(ANNA, FIRST)).seats[0]
    assert [answer.question_id for answer in seat.answers] == [SECOND.id, FIRST.id]
    assert seat.completed_at is not None


@pytest.mark.parametrize("commands", [[complete(ANNA)], [submit(ANNA, FIRST, 0), submit(ANNA, SECOND, 1)]])
def test_player_who_is_done_answers_no_more(commands: list[Command]) -> None:
    with pytest.raises(Refused, match="done with this session") as refused:
        decide(in_progress(*commands), submit(ANNA, replace(FIRST, id=99)), NOW)
    assert refused.value.code is Code.WRONG_STATE


def test_player_answers_after_the_opponent_is_done() -> None:
    assert decide(in_progress(complete(BEN)), submit(ANNA), NOW).match.seats[0].score == 145


@pytest.mark.parametrize(
    ("at", "points"),
    [
        (STARTED_AT - 1, 150),
        (STARTED_AT, 150),
        (STARTED_AT + 1, 149),
        (STARTED_AT + 10_000, 125),
        (DEADLINE_AT - 1, 100),
        (DEADLINE_AT, 100),
    ],
)
def test_bonus_falls_over_the_match_and_not_over_a_question(at: int, points: int) -> None:
    running = in_progress(now=STARTED_AT)
    assert decide(running, submit(ANNA, FIRST), at).match.seats[0].score == points
    assert decide(running, submit(ANNA, SECOND), at).match.seats[0].score == points


def test_answer_one_millisecond_late_is_refused() -> None:
    running = in_progress()
    assert decide(running, submit(ANNA), DEADLINE_AT).events
    with pytest.raises(Refused) as refused:
        decide(running, submit(ANNA), DEADLINE_AT + 1)
    assert refused.value.code is Code.TOO_LATE


def test_scoring_is_what_the_match_was_created_with() -> None:
    match = in_progress(submit(ANNA), submit(BEN), scoring=Scoring(points=10, speed_bonus=0))
    assert [seat.score for seat in match.seats] == [10, 10]


def test_score_is_the_sum_of_the_answers_of_this_player_alone() -> None:
    match = play(in_progress(submit(BEN, FIRST)), NOW, submit(ANNA, FIRST), submit(ANNA, SECOND, 2))
    assert [seat.score for seat in match.seats] == [145, 147]


def test_answers_given_before_leaving_stay() -> None:
    match = in_progress(submit(ANNA), leave(ANNA))
    assert match.seats[0].score == 147
    assert len(match.seats[0].answers) == 1
