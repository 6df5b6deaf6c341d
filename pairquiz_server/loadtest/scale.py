"""What answers are worth at a server, learned from what it gives: a client is not told the settings. Pure.

A right answer has base points, and a bonus of `speed_bonus * left // span`. Each answer leaves few whole numbers that
`speed_bonus` can be; once they leave none, the server has scored by two rules.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

_RIGHT = re.compile(r"right: (\d+), for speed: (\d+)")


class Given(Struct, frozen=True):
    """What an answer was given: its receipt's sum in words, and how much of the match's time was left for it."""

    correct: bool
    points: int
    reason: str
    left_ms: int
    span_ms: int


class Scale:
    """The base points and the bounds of the speed bonus, as far as they are known."""

    def __init__(self) -> None:
        self.base: int | None = None
        self.bonus_min, self.bonus_max = 0, 1_000_000

    def faults(self, given: Given) -> Iterator[str]:
        """Say what is wrong with the points of an answer, and learn from them."""
        if not given.correct:
            if given.points != 0:
                yield f"a wrong answer has {given.points} points"
            return
        found = _RIGHT.fullmatch(given.reason)
        if found is None:
            yield f"a right answer's points are explained by {given.reason!r}"
            return
        base, bonus = int(found[1]), int(found[2])
        if base + bonus != given.points:
            yield f"{given.points} points are explained by {given.reason!r}"
        elif base != (self.base if self.base is not None else base):
            yield f"a right answer has {base} points before its bonus, others have {self.base}"
        else:
            self.base = base
            yield from self._bonus(bonus, left_ms=min(max(given.left_ms, 0), given.span_ms), span_ms=given.span_ms)

    def _bonus(self, bonus: int, *, left_ms: int, span_ms: int) -> Iterator[str]:
        if left_ms == 0:
            if bonus != 0:
                yield f"at the deadline a bonus of {bonus} was given"
            return
        least, most = -(-bonus * span_ms // left_ms), ((bonus + 1) * span_ms - 1) // left_ms
        if max(least, self.bonus_min) > min(most, self.bonus_max):
            yield (
                f"a bonus of {bonus} with {left_ms} of {span_ms} ms left would be of {least} to {most} points "
                f"in all, others were of {self.bonus_min} to {self.bonus_max}"
            )
            return
        self.bonus_min, self.bonus_max = max(least, self.bonus_min), min(most, self.bonus_max)
