"""Which of a topic's questions a match gets: none that its players have seen lately, while there are others."""

from collections.abc import Callable, Mapping, Sequence
from itertools import filterfalse, repeat
from operator import mod
from typing import Protocol, TypeVar

from pairquiz_server.rules.question import Difficulty

SEEN_ANSWERS = 200
"""So many answers of a player count as lately, over all matches."""
Numbers = Callable[[int], Sequence[int]]
"""Returns so many numbers by chance, each from a range so wide that what is left of a division is as likely as any."""
Levelled = TypeVar("Levelled", bound="HasDifficulty")
RISING = {Difficulty.EASY: 0, Difficulty.MEDIUM: 1, Difficulty.HARD: 2}
"""The places of the levels in a duel that gets harder."""
_TRIES_A_QUESTION = 4
"""Where most of a topic is new to both, trying is far cheaper than looking at all of it."""


class HasDifficulty(Protocol):
    """A question, as drawing sees it."""

    @property
    def difficulty(self) -> Difficulty:
        """How hard it is."""


def pick(ids: Sequence[int], count: int, seen: Mapping[int, int], numbers: Numbers) -> list[int]:
    """Return `count` different questions of `ids`, fewer where there are fewer.

    `seen` are those that a player has answered lately, with the time of it. The others are drawn by chance; where they
    are not enough, those that were seen longest ago come too.
    """
    count = min(count, len(ids))
    if not seen:
        return _some(ids, count, numbers)
    if len(ids) > 2 * (len(seen) + count):
        picked = _tried(ids, count, seen, numbers)
        if len(picked) == count:
            return picked
    fresh = list(filterfalse(seen.__contains__, ids))
    if len(fresh) >= count:
        return _some(fresh, count, numbers)
    old = sorted(filter(seen.__contains__, ids), key=seen.__getitem__)
    return _some(fresh, len(fresh), numbers) + old[: count - len(fresh)]


def _some(ids: Sequence[int], count: int, numbers: Numbers) -> list[int]:
    """Choose different ones: a Fisher-Yates shuffle that stops when it has enough."""
    moved: dict[int, int] = {}
    picked: list[int] = []
    for last, number in zip(range(len(ids) - 1, -1, -1), numbers(count), strict=False):
        place = number % (last + 1)
        picked.append(ids[moved.get(place, place)])
        moved[place] = moved.get(last, last)
    return picked


def _tried(ids: Sequence[int], count: int, seen: Mapping[int, int], numbers: Numbers) -> list[int]:
    """Take what chance gives, but for what was seen or is taken; fewer than `count` where luck is bad."""
    picked: dict[int, None] = {}
    places = map(mod, numbers(_TRIES_A_QUESTION * count), repeat(len(ids)))
    for question_id in filterfalse(seen.__contains__, map(ids.__getitem__, places)):
        picked[question_id] = None
        if len(picked) == count:
            break
    return list(picked)


def rising(questions: Sequence[Levelled]) -> list[Levelled]:
    """Return drawn questions in a rising difficulty; those of one level stay in the order of the draw."""
    return sorted(questions, key=_level)


def _level(question: HasDifficulty) -> int:
    return RISING[question.difficulty]
