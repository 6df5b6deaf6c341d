"""What an answer is worth. Whole points only: nothing is rounded twice, and every node gets the same sum."""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from pairquiz_server.rules.question import OPTION_COUNT, Difficulty


class ScoringProfile(StrEnum):
    """What answers are worth, as it is agreed on for a match."""

    SPEED_BONUS = "speed_bonus"
    """Points for being right, and more for being fast."""
    ACCURACY = "accuracy"
    """Points for being right."""
    NEGATIVE = "negative"
    """Points for being right, and fewer for being wrong."""
    DIFFICULTY = "difficulty"
    """Points for being right, by the question's difficulty."""
    PRACTICE = "practice"
    """No points."""


class Scoring(Struct, frozen=True, gc=False):
    """A match's scoring, fixed when it is created: points for a right answer, and the most that speed adds."""

    points: int = 100
    speed_bonus: int = 50
    profile: ScoringProfile = ScoringProfile.SPEED_BONUS


class Points(Struct, frozen=True, gc=False):
    """The points of one answer, as the sum of its two parts."""

    base: int
    bonus: int

    @property
    def total(self) -> int:
        """The points that count."""
        return self.base + self.bonus


class Accuracy(Struct, frozen=True, gc=False):
    """How many answers of a player are right, how many there are, and of how many questions: apart from all points."""

    right: int
    answered: int
    of: int


NO_POINTS = Points(0, 0)
HALVES = {Difficulty.EASY: 2, Difficulty.MEDIUM: 3, Difficulty.HARD: 4}
"""How many halves of a match's points a right answer has, where they go by difficulty: once, one and a half, twice."""
_SPEED_BONUS = ScoringProfile.SPEED_BONUS


def score_answer(
    scoring: Scoring, *, correct: bool, left_ms: int, span_ms: int, difficulty: Difficulty = Difficulty.MEDIUM
) -> Points:
    """Return the points of an answer that is given with `left_ms` of the match's `span_ms` left.

    With a bonus for speed a wrong answer has none. The bonus falls in a line over the match's own clock, from all of it
    at the start to nothing at the deadline, and is rounded down: `speed_bonus * left_ms // span_ms`.
    It runs over the whole match and not over one question, so that nobody gains by reading ahead.
    In all other profiles time is worth nothing.
    """
    if scoring.profile is not _SPEED_BONUS:
        return Points(_BASE[scoring.profile](scoring.points, correct, difficulty), 0)
    if not correct:
        return NO_POINTS
    # Not by `min` and `max`, which take three times as long.
    left_ms = 0 if left_ms < 0 else span_ms if left_ms > span_ms else left_ms
    return Points(scoring.points, scoring.speed_bonus * left_ms // span_ms)


def penalty(points: int) -> int:
    """Return what a wrong answer costs where it does: a third of what a right one brings, rounded up.

    Of four options one is right and three are wrong, so whoever guesses gains nothing by it, in the long run, over
    whoever leaves the question out (as written tests correct for
    guessing: rights less wrongs / (options - 1)).
    """
    return -(-points // (OPTION_COUNT - 1))


@lru_cache(1024)
def sum_in_words(scoring: Scoring, difficulty: Difficulty, correct: bool, base: int, bonus: int) -> str:
    """Say what an answer's points are made of."""
    profile = scoring.profile
    if profile is _SPEED_BONUS:
        return f"right: {base}, for speed: {bonus}" if correct else "wrong: 0"
    verdict = "right" if correct else "wrong"
    if profile is ScoringProfile.PRACTICE:
        return f"{verdict}: practice has no points"
    if profile is ScoringProfile.DIFFICULTY and correct:
        return f"{verdict}: {base}, for {_QUESTION[difficulty]}"
    return f"{verdict}: {base}"


def _accuracy(points: int, correct: bool, difficulty: Difficulty) -> int:
    return points if correct else 0


def _negative(points: int, correct: bool, difficulty: Difficulty) -> int:
    return points if correct else -penalty(points)


def _difficulty(points: int, correct: bool, difficulty: Difficulty) -> int:
    return points * HALVES[difficulty] // 2 if correct else 0


def _practice(points: int, correct: bool, difficulty: Difficulty) -> int:
    return 0


_BASE: dict[ScoringProfile, Callable[[int, bool, Difficulty], int]] = {
    ScoringProfile.ACCURACY: _accuracy,
    ScoringProfile.NEGATIVE: _negative,
    ScoringProfile.DIFFICULTY: _difficulty,
    ScoringProfile.PRACTICE: _practice,
}
_QUESTION = {
    Difficulty.EASY: "an easy question",
    Difficulty.MEDIUM: "a medium question",
    Difficulty.HARD: "a hard question",
}
