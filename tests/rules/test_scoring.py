"""What an answer is worth, over the whole clock of a match."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.question import Difficulty
from pairquiz_server.rules.scoring import Points, Scoring, ScoringProfile, penalty, score_answer, sum_in_words
from tests.rules.matches import ANNA, BEN, FIRST, SECOND, complete, forfeited, in_progress, leave, submit

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


ACCURACY, NEGATIVE, BY_DIFFICULTY, PRACTICE = (
    Scoring(profile=profile) for profile in ScoringProfile if profile is not ScoringProfile.SPEED_BONUS
)
EASY, MEDIUM, HARD = Difficulty
profiles = st.sampled_from(ScoringProfile)
timeless = st.sampled_from([profile for profile in ScoringProfile if profile is not ScoringProfile.SPEED_BONUS])
levels = st.sampled_from(Difficulty)


def any_points(
    scoring: Scoring, *, correct: bool, after_ms: int = 0, span_ms: int = SPAN_MS, level: Difficulty = MEDIUM
) -> Points:
    return score_answer(scoring, correct=correct, left_ms=span_ms - after_ms, span_ms=span_ms, difficulty=level)


@pytest.mark.parametrize(
    ("scoring", "level", "right", "wrong"),
    [
        (ACCURACY, HARD, 100, 0),
        (NEGATIVE, HARD, 100, -34),
        (BY_DIFFICULTY, EASY, 100, 0),
        (BY_DIFFICULTY, MEDIUM, 150, 0),
        (BY_DIFFICULTY, HARD, 200, 0),
        (PRACTICE, HARD, 0, 0),
    ],
)
def test_each_profile_has_its_points(scoring: Scoring, level: Difficulty, right: int, wrong: int) -> None:
    assert any_points(scoring, correct=True, level=level) == Points(right, 0)
    assert any_points(scoring, correct=False, level=level) == Points(wrong, 0)


@given(scoring=scorings, profile=timeless, correct=st.booleans(), level=levels, data=st.data())
def test_time_is_worth_nothing_without_a_bonus(
    scoring: Scoring, profile: ScoringProfile, correct: bool, level: Difficulty, data: st.DataObject
) -> None:
    scoring = Scoring(scoring.points, scoring.speed_bonus, profile)
    after_ms = data.draw(st.integers(-1_000, SPAN_MS + 1_000))
    at_once = any_points(scoring, correct=correct, level=level)
    assert any_points(scoring, correct=correct, after_ms=after_ms, level=level) == at_once
    assert at_once.bonus == 0


@given(scoring=scorings, profile=profiles, level=levels, after_ms=st.integers(0, SPAN_MS))
def test_a_right_answer_is_never_worth_less_than_a_wrong_one(
    scoring: Scoring, profile: ScoringProfile, level: Difficulty, after_ms: int
) -> None:
    scoring = Scoring(scoring.points, scoring.speed_bonus, profile)
    right = any_points(scoring, correct=True, after_ms=after_ms, level=level).total
    wrong = any_points(scoring, correct=False, after_ms=after_ms, level=level).total
    assert wrong <= 0 <= right
    assert -scoring.points <= wrong
    assert right <= max(2 * scoring.points, scoring.points + scoring.speed_bonus)


@given(scoring=scorings)
def test_a_harder_question_is_never_worth_less(scoring: Scoring) -> None:
    scoring = Scoring(scoring.points, profile=ScoringProfile.DIFFICULTY)
    easy, medium, hard = (any_points(scoring, correct=True, level=level).total for level in Difficulty)
    assert scoring.points == easy <= medium <= hard == 2 * scoring.points


@given(points=st.integers(0, 10_000))
def test_whoever_guesses_gains_nothing(points: int) -> None:
    gained, lost = points, 3 * penalty(points)  # of four guesses, in the mean, one is right
    assert gained <= lost <= gained + 2


@given(scoring=scorings, profile=profiles, level=levels, correct=st.booleans(), after_ms=st.integers(0, SPAN_MS))
def test_what_is_said_in_words_adds_up(
    scoring: Scoring, profile: ScoringProfile, level: Difficulty, correct: bool, after_ms: int
) -> None:
    scoring = Scoring(scoring.points, scoring.speed_bonus, profile)
    points = any_points(scoring, correct=correct, after_ms=after_ms, level=level)
    said = sum_in_words(scoring, level, correct, points.base, points.bonus)
    assert said.startswith("right" if correct else "wrong")
    numbers = [int(word.strip(",")) for word in said.split() if word.strip(",-").isdigit()]
    assert sum(numbers) == points.total


def test_a_score_may_go_below_nought_and_the_other_wins_by_it() -> None:
    match = in_progress(submit(ANNA, FIRST, 0), submit(ANNA, SECOND, 1), complete(BEN), scoring=NEGATIVE)
    assert [seat.score for seat in match.seats] == [-68, 0]
    assert [match.outcome(seat) for seat in (0, 1)] == [Outcome.LOST, Outcome.WON]
    assert [match.accuracy(seat).right for seat in (0, 1)] == [0, 0]


def test_nobody_wins_or_loses_in_practice() -> None:
    played = in_progress(submit(ANNA), submit(ANNA, SECOND), complete(BEN), scoring=PRACTICE)
    left = in_progress(submit(ANNA), leave(BEN), scoring=PRACTICE)
    for match in (played, left):
        assert [match.outcome(seat) for seat in (0, 1)] == [Outcome.NONE] * 2
        assert [seat.score for seat in match.seats] == [0, 0]
    assert forfeited(BEN).outcome(0) is Outcome.WON, "where points count, leaving costs the match"
    assert (played.accuracy(0).right, played.accuracy(0).answered, played.accuracy(0).of) == (2, 2, 2)
    assert (left.accuracy(1).right, left.accuracy(1).answered, left.accuracy(1).of) == (0, 0, 2)
