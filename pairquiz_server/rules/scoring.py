"""What an answer is worth. Whole points only: nothing is rounded twice, and every node gets the same sum."""

from enum import StrEnum

from msgspec import Struct


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


NO_POINTS = Points(0, 0)


def score_answer(scoring: Scoring, *, correct: bool, left_ms: int, span_ms: int) -> Points:
    """Return the points of an answer that is given with `left_ms` of the match's `span_ms` left.

    A wrong answer has none. The bonus falls in a line over the match's own clock, from all of it at the start to
    nothing at the deadline, and is rounded down: `speed_bonus * left_ms // span_ms`.
    It runs over the whole match and not over one question, so that nobody gains by reading ahead.
    """
    if not correct:
        return NO_POINTS
    # Not by `min` and `max`, which take three times as long.
    left_ms = 0 if left_ms < 0 else span_ms if left_ms > span_ms else left_ms
    return Points(scoring.points, scoring.speed_bonus * left_ms // span_ms)
