"""Which of a topic's questions a match gets: none that its players have seen lately, while there are others."""

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, Protocol, TypeVar

from pairquiz_server.rules.question import Difficulty

SEEN_ANSWERS = 200
"""So many answers of a player count as lately, over all matches."""
Levelled = TypeVar("Levelled", bound="HasDifficulty")
RISING = {Difficulty.EASY: 0, Difficulty.MEDIUM: 1, Difficulty.HARD: 2}
"""The places of the levels in a duel that gets harder."""
_TRIES_A_QUESTION = 4
"""Where most of a topic is new to both, trying is far cheaper than looking at all of it."""


class Chance(Protocol):
    """Whoever throws the dice: `random.Random`, and its kind."""

    def randrange(self, stop: int, /) -> int:
        """Return a number below `stop`."""

    def sample(self, population: Sequence[int], k: int) -> list[int]:
        """Return `k` different ones, in an order by chance."""

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Bring them into an order by chance."""


class HasDifficulty(Protocol):
    """A question, as drawing sees it."""

    @property
    def difficulty(self) -> Difficulty:
        """How hard it is."""


def pick(ids: Sequence[int], count: int, seen: Mapping[int, int], chance: Chance) -> list[int]:
    """Return `count` different questions of `ids`, fewer where there are fewer.

    `seen` are those that a player has answered lately, with the time of it. The others are drawn by chance; where they
    are not enough, those that were seen longest ago come too.
    """
    count = min(count, len(ids))
    if not seen:
        return [ids[place] for place in chance.sample(range(len(ids)), count)]
    if len(ids) > 2 * (len(seen) + count):
        picked = _tried(ids, count, seen, chance)
        if len(picked) == count:
            return picked
    fresh = [number for number in ids if number not in seen]
    if len(fresh) >= count:
        return chance.sample(fresh, count)
    chance.shuffle(fresh)
    old = [number for number in ids if number in seen]
    old.sort(key=seen.__getitem__)
    return fresh + old[: count - len(fresh)]


def _tried(ids: Sequence[int], count: int, seen: Mapping[int, int], chance: Chance) -> list[int]:
    """Take what chance gives, but for what was seen or is taken; fewer than `count` where luck is bad."""
    picked: dict[int, None] = {}
    for _ in range(_TRIES_A_QUESTION * count):
        number = ids[chance.randrange(len(ids))]
        if number not in seen:
            picked[number] = None
            if len(picked) == count:
                break
    return list(picked)


def rising(questions: Sequence[Levelled]) -> list[Levelled]:
    """Return drawn questions in a rising difficulty; those of one level stay in the order of the draw."""
    return sorted(questions, key=_level)


def _level(question: HasDifficulty) -> int:
    return RISING[question.difficulty]
