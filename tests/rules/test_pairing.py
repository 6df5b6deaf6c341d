"""Who is brought together with whom, of any queue."""

from collections.abc import Sequence
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pairquiz_server.rules.pairing import (
    Pair,
    Seeker,
    Wishes,
    acceptable,
    accepted_difference,
    pair_up,
    third_time,
)
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace

NOW = 1_700_000_000_000
WISHES = Wishes(1, 5, 30, Pace.FREE, ScoringProfile.SPEED_BONUS)
NAMES = [f"p{number}" for number in range(12)]


def seeker(
    name: str,
    rating: float = 1500,
    *,
    waited_s: float = 0,
    deviation: float = 50,
    met: tuple[str, ...] = (),
    blocked: Sequence[str] = (),
    wishes: Wishes = WISHES,
) -> Seeker:
    return Seeker(
        player_id=name,
        ticket=UUID(int=1),
        wishes=wishes,
        rating=rating,
        deviation=deviation,
        since=NOW - int(waited_s * 1000),
        met=met,
        blocked=frozenset(blocked),
    )


def names(pairs: Sequence[Pair]) -> set[frozenset[str]]:
    return {frozenset(one.player_id for one in pair) for pair in pairs}


def paired(*seekers: Seeker) -> set[frozenset[str]]:
    return names(pair_up(seekers, NOW))


def of(*pairs: str) -> set[frozenset[str]]:
    return {frozenset(pair.split()) for pair in pairs}


@st.composite
def queues(draw: st.DrawFn) -> list[Seeker]:
    """Queues of some who differ in everything that counts."""
    here = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)))
    others = st.sampled_from(NAMES)
    return [
        seeker(
            name,
            draw(st.sampled_from([1200, 1400, 1490, 1500, 1510, 1600, 2000])),
            waited_s=draw(st.sampled_from([0, 1, 5, 20, 60])),
            deviation=draw(st.sampled_from([50, 350])),
            met=tuple(draw(st.lists(others, max_size=2))),
            blocked=draw(st.lists(others, max_size=3)),
            wishes=replace(WISHES, topic_id=draw(st.sampled_from([1, 1, 2]))),
        )
        for name in here
    ]


@given(queues(), st.randoms(use_true_random=False))
def test_whoever_looks_nobody_is_paired_who_may_not_be_and_nobody_is_left_who_could_be(
    queue: list[Seeker], random: object
) -> None:
    pairs = pair_up(queue, NOW)
    taken = [one.player_id for pair in pairs for one in pair]
    assert len(taken) == len(set(taken)), "nobody is in two pairs"
    for one, other in pairs:
        assert acceptable(one, other, NOW, again=True)
        assert one.since <= other.since
    left = [one for one in queue if one.player_id not in taken]
    assert not [pair for pair in combinations(left, 2) if acceptable(*pair, NOW, again=True)]
    for one, other in pairs:
        if third_time(one, other):
            choice = [stays for stays in left for again in (one, other) if acceptable(stays, again, NOW)]
            assert not choice, "there was somebody else"


@given(queues(), st.randoms(use_true_random=False))
def test_the_order_in_which_seekers_are_read_changes_nothing(queue: list[Seeker], random: object) -> None:
    shuffled = list(queue)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert names(pair_up(shuffled, NOW)) == names(pair_up(queue, NOW))


@given(st.lists(st.integers(0, 300), min_size=2, max_size=9))
def test_who_may_all_meet_are_paired_as_close_as_can_be(ratings: list[int]) -> None:
    queue = [seeker(f"{place:02}", 1500 + rating, deviation=350) for place, rating in enumerate(ratings)]
    pairs = pair_up(queue, NOW)
    assert len(pairs) == len(ratings) // 2
    assert sum(abs(one.rating - other.rating) for one, other in pairs) == closest(sorted(ratings))


def closest(ratings: list[int]) -> int:
    """The least sum of differences of pairs: of as many as can be, one is left over of an odd number."""
    if len(ratings) < 2:
        return 0
    if len(ratings) % 2:
        return min(closest(ratings[:place] + ratings[place + 1 :]) for place in range(len(ratings)))
    return sum(ratings[place + 1] - ratings[place] for place in range(0, len(ratings), 2))


@pytest.mark.parametrize(
    "other",
    [
        replace(WISHES, topic_id=2),
        replace(WISHES, question_count=6),
        replace(WISHES, time_limit_s=31),
        replace(WISHES, pace=Pace.ROUNDS),
        replace(WISHES, scoring=ScoringProfile.PRACTICE),
    ],
)
def test_only_equal_wishes_meet(other: Wishes) -> None:
    assert paired(seeker("anna"), seeker("ben", wishes=other)) == set()


def test_nobody_meets_themselves() -> None:
    assert paired(seeker("anna"), seeker("anna")) == set()


@pytest.mark.parametrize("who", [0, 1])
def test_neither_finds_the_other_whoever_has_blocked(who: int) -> None:
    blocked: list[tuple[str, ...]] = [(), ()]
    blocked[who] = ("ben", "anna")[who : who + 1]
    queue = [seeker("anna", blocked=blocked[0]), seeker("ben", blocked=blocked[1])]
    assert paired(*queue) == set()
    assert paired(*queue, seeker("cleo", 1540)) != set()


def test_what_is_acceptable_widens_with_the_wait_and_only_where_it_is_for_both() -> None:
    assert accepted_difference(50, 0) < accepted_difference(50, 1000) < accepted_difference(350, 1000)
    far = 300
    assert paired(seeker("anna"), seeker("ben", 1500 + far)) == set()
    assert paired(seeker("anna", waited_s=20), seeker("ben", 1500 + far)) == set()
    assert paired(seeker("anna", waited_s=20), seeker("ben", 1500 + far, waited_s=20)) == of("anna ben")


def test_of_three_it_is_not_the_one_who_has_waited_for_longest_who_is_left_over() -> None:
    queue = [seeker("anna", 1500, waited_s=9), seeker("ben", 1560), seeker("cleo", 1562)]
    assert paired(*queue) == of("anna ben")


def test_between_two_who_may_meet_may_stand_others_who_may_not() -> None:
    queue = [
        seeker("anna", 1500),
        *(
            seeker(f"troll {number}", 1500 + number, blocked=[f"troll {n}" for n in range(1, 6)])
            for number in range(1, 6)
        ),
        seeker("ben", 1510),
    ]
    blocking = [replace(one, blocked=frozenset(f"troll {n}" for n in range(1, 6))) for one in queue]
    assert paired(*blocking) == of("anna ben")


class TestAgain:
    MET_TWICE = ("ben", "ben")

    def test_who_met_twice_meets_somebody_else_though_further_away(self) -> None:
        queue = [seeker("anna", met=self.MET_TWICE), seeker("ben"), seeker("cleo", 1580)]
        assert paired(*queue) in (of("anna cleo"), of("ben cleo"))
        four = [*queue, seeker("dora", 1580)]
        assert paired(*four) in (of("anna cleo", "ben dora"), of("anna dora", "ben cleo"))

    def test_who_met_twice_meets_a_third_time_where_nobody_else_is_there(self) -> None:
        assert paired(seeker("anna", met=self.MET_TWICE), seeker("ben")) == of("anna ben")

    @pytest.mark.parametrize("met", [("ben",), ("ben", "cleo"), ("cleo", "ben")])
    def test_a_second_time_is_like_any(self, met: tuple[str, ...]) -> None:
        queue = [seeker("anna", met=met), seeker("ben"), seeker("cleo", 1580)]
        assert paired(*queue) == of("anna ben")
