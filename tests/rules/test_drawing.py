"""Which questions are drawn, over everything that players may have seen."""

from collections import Counter
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct

from pairquiz_server.rules.drawing import Numbers, pick, rising
from pairquiz_server.rules.question import Difficulty

topics = st.lists(st.integers(1, 2_000), max_size=60, unique=True) | st.just(list(range(1, 1_500)))
histories = st.dictionaries(st.integers(1, 2_000), st.integers(0, 10**6), max_size=400)
counts = st.integers(0, 50)


def by_chance(seed: int) -> Numbers:
    """Numbers of 64 bits."""
    chance = Random(seed)
    return lambda count: [chance.getrandbits(64) for _ in range(count)]


class Drawn(Struct, frozen=True):
    """A drawn question."""

    number: int
    difficulty: Difficulty


@given(ids=topics, count=counts, seen=histories, seed=st.integers(0, 9))
@example(ids=[1, 2, 3], count=3, seen={1: 5, 2: 4}, seed=0)
@example(ids=[1], count=5, seen={1: 5}, seed=0)
def test_nothing_comes_twice_and_what_was_seen_only_where_nothing_else_is_left(
    ids: list[int], count: int, seen: dict[int, int], seed: int
) -> None:
    picked = pick(ids, count, seen, by_chance(seed))
    assert len(picked) == len(set(picked)) == min(count, len(ids))
    assert set(picked) <= set(ids)
    fresh = [number for number in ids if number not in seen]
    repeated = [number for number in picked if number in seen]
    assert len(repeated) == max(len(picked) - len(fresh), 0)
    left = [number for number in ids if number in seen and number not in repeated]
    if repeated and left:
        assert max(seen[number] for number in repeated) <= min(seen[number] for number in left), "longest ago first"


def test_what_is_new_comes_by_chance() -> None:
    for ids in (range(1, 21), range(1, 61)):
        seen = dict.fromkeys(range(1, 11), 7)
        chance = by_chance(3)
        drawn = Counter(number for _ in range(2_000) for number in pick(ids, 2, seen, chance) if number <= 20)
        assert set(drawn) == set(range(11, 21))
    few = Counter(number for _ in range(2_000) for number in pick(range(1, 21), 2, seen, chance))
    assert all(300 < times < 500 for times in few.values())


def test_a_duel_gets_harder_and_chance_orders_each_level() -> None:
    levels = [Difficulty.HARD, Difficulty.EASY, Difficulty.MEDIUM, Difficulty.EASY, Difficulty.HARD]
    drawn = [Drawn(number, level) for number, level in enumerate(levels)]
    assert [question.number for question in rising(drawn)] == [1, 3, 2, 0, 4]
