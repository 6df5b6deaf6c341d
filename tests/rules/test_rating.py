"""Glicko-2: the worked example of the paper, and what must hold of every match."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairquiz_server.rules.rating import (
    DEVIATION_MIN,
    PERIOD_MS,
    PROVISIONAL_ABOVE,
    RATING_MAX,
    START_DEVIATION,
    Rating,
    Result,
    rate,
)

DAY_MS = 24 * 3600 * 1000
YEAR_MS = 365 * DAY_MS
RATINGS = st.builds(
    Rating,
    st.floats(0, RATING_MAX),
    st.floats(DEVIATION_MIN, START_DEVIATION),
    st.floats(0.02, 0.2),
)
SCORES = st.sampled_from([0.0, 0.5, 1.0])
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0])
PERIODS = st.floats(0, 400)


def test_the_example_of_the_paper() -> None:
    """http://www.glicko.net/glicko/glicko2.pdf: a win against 1400, and losses against 1550 and 1700."""
    results = [
        Result(Rating(1400, 30), 1.0),
        Result(Rating(1550, 100), 0.0),
        Result(Rating(1700, 300), 0.0),
    ]
    after = rate(Rating(1500, 200, 0.06), results)
    assert after.rating == pytest.approx(1464.06, abs=0.01)
    assert after.deviation == pytest.approx(151.52, abs=0.01)
    assert after.volatility == pytest.approx(0.05999, abs=0.00001)


def test_a_period_without_a_match_makes_a_rating_less_sure() -> None:
    """Step 6 alone, as the paper has it for who does not compete."""
    after = rate(Rating(1500, 200, 0.06), [])
    assert (after.rating, after.volatility) == (1500, 0.06)
    assert after.deviation == pytest.approx(math.sqrt(200**2 + (0.06 * 173.7178) ** 2))
    assert Rating(1500, 200, 0.06).aged(PERIOD_MS) == after


def test_who_stays_away_for_a_year_or_so_is_provisional_again() -> None:
    sure = Rating(1800, 60, 0.06)
    assert not sure.aged(YEAR_MS).provisional
    assert sure.aged(YEAR_MS + 60 * DAY_MS).provisional
    assert sure.aged(100 * YEAR_MS) == Rating(1800, START_DEVIATION, 0.06)


def test_who_begins_is_provisional_and_is_known_after_a_dozen_matches_or_two() -> None:
    player = Rating()
    matches = 0
    while player.provisional:
        player = rate(player, [Result(Rating(1500, 90), matches % 2 * 1.0)], 0)
        matches += 1
    assert 8 <= matches <= 24


def test_the_first_win_is_worth_more_than_the_hundredth() -> None:
    fresh = rate(Rating(), [Result(Rating(), 1.0)], 0)
    sure = rate(Rating(1500, 60), [Result(Rating(1500, 60), 1.0)], 0)
    assert fresh.rating - 1500 > 5 * (sure.rating - 1500) > 0


def test_beating_somebody_weaker_again_and_again_ends_in_nothing() -> None:
    strong, weak = Rating(1500, 80), Rating(1500, 80)
    gains = []
    for _ in range(300):
        after = rate(strong, [Result(weak, 1.0)], 0)
        weak = rate(weak, [Result(strong, 0.0)], 0)
        gains.append(after.rating - strong.rating)
        strong = after
    assert gains[-1] < 1 < gains[0]


def test_half_a_match_twice_is_as_much_as_one() -> None:
    opponent = Rating(1600, 80)
    whole = rate(Rating(), [Result(opponent, 1.0)])
    halves = rate(Rating(), [Result(opponent, 1.0, 0.5)] * 2)
    assert halves.rating == pytest.approx(whole.rating)
    assert halves.deviation == pytest.approx(whole.deviation)
    half = rate(Rating(), [Result(opponent, 1.0, 0.5)])
    assert 1500 < half.rating < whole.rating
    assert half.deviation > whole.deviation


@given(RATINGS, RATINGS, SCORES, WEIGHTS, PERIODS)
def test_every_match_leaves_a_rating_that_can_be(
    player: Rating, opponent: Rating, score: float, weight: float, periods: float
) -> None:
    after = rate(player, [Result(opponent, score, weight)], periods)
    assert 0 <= after.rating <= RATING_MAX
    assert DEVIATION_MIN <= after.deviation <= START_DEVIATION
    assert 0 < after.volatility < 1
    assert after.provisional is (after.deviation > PROVISIONAL_ABOVE)


@given(RATINGS, RATINGS, WEIGHTS, PERIODS)
def test_a_win_never_costs_and_a_loss_never_gives(
    player: Rating, opponent: Rating, weight: float, periods: float
) -> None:
    won, drawn, lost = (rate(player, [Result(opponent, score, weight)], periods).rating for score in (1.0, 0.5, 0.0))
    assert lost <= player.rating <= won
    assert lost <= drawn <= won


@given(RATINGS, RATINGS, SCORES)
def test_a_match_makes_surer_where_no_time_has_passed(player: Rating, opponent: Rating, score: float) -> None:
    calm = Rating(player.rating, player.deviation, 0.06)
    assert rate(calm, [Result(opponent, score)], 0).deviation <= calm.deviation


@given(RATINGS, st.integers(-YEAR_MS, 10 * YEAR_MS))
def test_time_changes_no_rating(player: Rating, ms: int) -> None:
    aged = player.aged(ms)
    assert (aged.rating, aged.volatility) == (player.rating, player.volatility)
    assert player.deviation <= aged.deviation <= START_DEVIATION
