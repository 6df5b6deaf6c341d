"""What an answer is worth, over the whole clock of a match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.scoring import Points, Scoring, score_answer

SPAN_MS = 150_000


def points_at(after_ms: int, scoring: Scoring | None = None, *, correct: bool = True, span_ms: int = SPAN_MS) -> Points:
    return score_answer(
        scoring or Scoring(),
        correct=correct,
        left_ms=span_ms - after_ms,
        span_ms=span_ms,
    )


@pytest.mark.parametrize(
    ("after_ms", "bonus"),
    [
        (-5_000, 50),
        (0, 50),
        (1, 49),
        (3_000, 49),
        (3_001, 48),
        (SPAN_MS // 2, 25),
        (SPAN_MS // 2 + 1, 24),
        (SPAN_MS - 3_000, 1),
        (SPAN_MS - 2_999, 0),
        (SPAN_MS, 0),
        (SPAN_MS + 5_000, 0),
    ],
)
def test_bonus_falls_in_a_line_and_is_rounded_down(after_ms: int, bonus: int) -> None:
    assert points_at(after_ms) == Points(base=100, bonus=bonus)
    assert points_at(after_ms).total == 100 + bonus


@pytest.mark.parametrize("after_ms", [0, SPAN_MS // 2, SPAN_MS])
def test_wrong_answer_has_no_points(after_ms: int) -> None:
    assert points_at(after_ms, correct=False) == Points(0, 0)


@pytest.mark.parametrize(
    ("scoring", "total"), [(Scoring(0, 0), 0), (Scoring(0, 10), 10), (Scoring(7, 0), 7), (Scoring(1, 1), 2)]
)
def test_both_parts_are_settings(scoring: Scoring, total: int) -> None:
    assert points_at(0, scoring).total == total


scorings = st.builds(Scoring, st.integers(0, 10_000), st.integers(0, 10_000))
spans_ms = st.integers(5_000, 50 * 300_000)


@given(scoring=scorings, span_ms=spans_ms, data=st.data())
def test_who_answers_later_never_has_more(scoring: Scoring, span_ms: int, data: st.DataObject) -> None:
    times = st.integers(-1_000, span_ms + 1_000)
    earlier, later = sorted((data.draw(times), data.draw(times)))
    assert points_at(earlier, scoring, span_ms=span_ms).total >= points_at(later, scoring, span_ms=span_ms).total


@given(scoring=scorings, span_ms=spans_ms, data=st.data())
def test_points_stay_within_the_settings(scoring: Scoring, span_ms: int, data: st.DataObject) -> None:
    points = points_at(data.draw(st.integers(-1_000, span_ms + 1_000)), scoring, span_ms=span_ms)
    assert points.base == scoring.points
    assert 0 <= points.bonus <= scoring.speed_bonus


@given(scoring=scorings, span_ms=spans_ms, data=st.data())
def test_bonus_is_less_than_a_point_below_the_line(scoring: Scoring, span_ms: int, data: st.DataObject) -> None:
    after_ms = data.draw(st.integers(0, span_ms))
    bonus = points_at(after_ms, scoring, span_ms=span_ms).bonus
    assert 0 <= scoring.speed_bonus * (span_ms - after_ms) - bonus * span_ms < span_ms
