"""What answers are worth is learned from a server, and held against the rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.loadtest.scale import Given, Scale
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.scoring import Scoring, score_answer, sum_in_words

SPAN_MS = 150_000


def given_by(scoring: Scoring, left_ms: int, *, correct: bool = True) -> Given:
    points = score_answer(scoring, correct=correct, left_ms=left_ms, span_ms=SPAN_MS)
    words = sum_in_words(scoring, Difficulty.MEDIUM, correct, points.base, points.bonus)
    return Given(correct, points.total, words, left_ms, SPAN_MS)


def faults(scale: Scale, *some: Given) -> list[str]:
    return [text for one in some for text in scale.faults(one)]


@given(
    st.integers(0, 1000), st.integers(0, 500), st.lists(st.tuples(st.integers(0, SPAN_MS), st.booleans()), max_size=30)
)
def test_what_the_rules_give_is_never_wrong(points: int, bonus: int, answers: list[tuple[int, bool]]) -> None:
    scoring = Scoring(points, bonus)
    assert faults(Scale(), *(given_by(scoring, left, correct=correct) for left, correct in answers)) == []


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (Given(True, 141, "right: 100, for speed: 41", SPAN_MS, SPAN_MS), "a bonus of 41"),
        (Given(True, 151, "right: 101, for speed: 50", SPAN_MS, SPAN_MS), "101 points before its bonus"),
        (Given(True, 150, "right: 100, for speed: 49", SPAN_MS, SPAN_MS), "150 points are explained by"),
        (Given(True, 120, "right: 100, for speed: 20", 0, SPAN_MS), "at the deadline"),
        (Given(True, 120, "because", SPAN_MS, SPAN_MS), "explained by 'because'"),
        (Given(False, 10, "wrong: 0", SPAN_MS, SPAN_MS), "a wrong answer has 10 points"),
    ],
)
def test_another_scale_is_found(wrong: Given, text: str) -> None:
    scale = Scale()
    assert faults(scale, given_by(Scoring(), SPAN_MS)) == []
    (told,) = faults(scale, wrong)
    assert text in told
