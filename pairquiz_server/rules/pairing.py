"""Who of those who look for an opponent is brought together with whom.

Equal wishes alone meet. Within them everybody is as close in rating to the opponent as the queue allows, as many as
can be are paired, and where somebody is left over, it is not who has waited for longest.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from uuid import UUID

from msgspec import Struct

from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace

START = 50.0
"""The difference in rating that somebody accepts at once, beside the deviation: how unsure the own rating is."""
WIDENS_PER_S = 20.0
"""How much more each second of waiting makes acceptable: after a minute a beginner may meet a master."""
IMPATIENCE_PER_S = 20.0
"""How much difference in rating a second of waiting outweighs, where one of two has to be left over."""
LEFT_OVER = 1e6
"""What it costs to leave somebody over: more than all differences of those who could be moved for it."""
REACH = 40
"""So many on each side, of those whom the first look has left over, are looked at once more."""
_Move = tuple[int, tuple[tuple[int, int], ...]]
"""How many seekers are seen to by it, and which of them it pairs."""
_LEFT_OVER: _Move = (1, ())
NOBODY: frozenset[str] = frozenset()


class Wishes(Struct, frozen=True, gc=False, order=True):
    """What must be equal in two seekers: what they will play."""

    topic_id: int
    question_count: int
    time_limit_s: int
    pace: Pace
    scoring: ScoringProfile


class Seeker(Struct, frozen=True, kw_only=True):
    """Somebody who looks for an opponent, since a time in milliseconds. `ticket` is another one for other wishes.

    `met` has the last two opponents whom a search has brought, the last one first; `blocked` are those whom the player
    does not want to meet.
    """

    player_id: str
    ticket: UUID
    wishes: Wishes
    rating: float
    deviation: float
    since: int
    met: tuple[str, ...] = ()
    blocked: frozenset[str] = NOBODY

    def waited_ms(self, now: int) -> int:
        """Return for how long the player has waited."""
        return max(now - self.since, 0)

    def accepts(self, now: int) -> float:
        """Return the largest difference in rating that is acceptable to the player by now."""
        return accepted_difference(self.deviation, self.waited_ms(now))


def accepted_difference(deviation: float, waited_ms: int) -> float:
    """Return the largest difference in rating that is acceptable after a wait to somebody who is known so exactly."""
    return START + deviation + waited_ms / 1000 * WIDENS_PER_S


Pair = tuple[Seeker, Seeker]
"""Two who are brought together; who has waited for longer is the first."""


def pair_up(seekers: Iterable[Seeker], now: int) -> list[Pair]:
    """Return who is brought together with whom. Nobody is in two pairs, and order does not matter.

    Two who met the last two times meet a third time only where neither has anybody else.
    """
    queue = sorted(seekers, key=attrgetter("wishes", "rating", "player_id"))
    pairs: list[Pair] = []
    for _, group in groupby(queue, key=attrgetter("wishes")):
        of_group, rest = _Stretch(list(group), now).pairs()
        pairs += of_group
        pairs += _Stretch(rest, now, again=True).pairs()[0]
    return pairs


def acceptable(one: Seeker, other: Seeker, now: int, *, again: bool = False) -> bool:
    """Tell whether two may meet by now; `again` lets them for a third time in a row."""
    apart = abs(one.rating - other.rating)
    within = apart <= one.accepts(now) and apart <= other.accepts(now)
    return within and one.wishes == other.wishes and _agreed(one, other, again=again)


def third_time(one: Seeker, other: Seeker) -> bool:
    """Tell whether the last two opponents of one were the other."""
    return one.met[:2] == (other.player_id,) * 2 or other.met[:2] == (one.player_id,) * 2


def _agreed(one: Seeker, other: Seeker, *, again: bool) -> bool:
    """Tell whether nothing but their ratings may keep two apart."""
    if one.player_id == other.player_id or other.player_id in one.blocked or one.player_id in other.blocked:
        return False
    return again or not third_time(one, other)


class _Stretch:
    """Seekers of equal wishes, in the order of their ratings.

    On a line, neighbours are the closest pairs that there are. So the best is sought among moves that reach no further
    than four: the next one is left over, or paired with one of the next three, where those between are left over or
    paired with each other.
    """

    def __init__(self, seekers: Sequence[Seeker], now: int, *, again: bool = False) -> None:
        self._seekers = seekers
        self._now = now
        self._again = again
        self._accepts = [one.accepts(now) for one in seekers]

    def pairs(self) -> tuple[list[Pair], list[Seeker]]:
        """Return the pairs, and who is left over."""
        taken: set[int] = set()
        pairs: list[Pair] = []
        for one, other in self._closest():
            taken |= {one, other}
            pairs.append(self._pair(one, other))
        rest = [place for place in range(len(self._seekers)) if place not in taken]
        for one, other in self._further(rest):
            taken |= {one, other}
            pairs.append(self._pair(one, other))
        return pairs, [seeker for place, seeker in enumerate(self._seekers) if place not in taken]

    def _pair(self, one: int, other: int) -> Pair:
        first, second = self._seekers[one], self._seekers[other]
        return (second, first) if (second.since, second.player_id) < (first.since, first.player_id) else (first, second)

    def _difference(self, one: int, other: int) -> float | None:
        """Return how far apart two are, the second being no weaker, None where they may not meet."""
        if other >= len(self._seekers):
            return None
        first, second = self._seekers[one], self._seekers[other]
        apart = second.rating - first.rating
        if apart > self._accepts[one] or apart > self._accepts[other]:
            return None
        return apart if _agreed(first, second, again=self._again) else None

    def _closest(self) -> list[tuple[int, int]]:
        """Return the pairs that cost least, by their differences and by who is left over."""
        count = len(self._seekers)
        costs = [0.0] * (count + 4)
        moves: list[_Move] = [_LEFT_OVER] * count
        next_one: list[float | None] = [None] * (count + 4)
        next_but_one: list[float | None] = [None] * (count + 4)
        patience = [LEFT_OVER + one.waited_ms(self._now) / 1000 * IMPATIENCE_PER_S for one in self._seekers]
        for at in range(count - 1, -1, -1):
            near = next_one[at] = self._difference(at, at + 1)
            far = next_but_one[at] = self._difference(at, at + 2)
            farther = self._difference(at, at + 3)
            choices = [(patience[at] + costs[at + 1], _LEFT_OVER)]
            if near is not None:
                choices.append((near + costs[at + 2], (2, ((at, at + 1),))))
            if far is not None:
                choices.append((far + patience[at + 1] + costs[at + 3], (3, ((at, at + 2),))))
                if (crossing := next_but_one[at + 1]) is not None:
                    choices.append((far + crossing + costs[at + 4], (4, ((at, at + 2), (at + 1, at + 3)))))
            if farther is not None and (within := next_one[at + 1]) is not None:
                choices.append((farther + within + costs[at + 4], (4, ((at, at + 3), (at + 1, at + 2)))))
            costs[at], moves[at] = min(choices, key=itemgetter(0))
        pairs: list[tuple[int, int]] = []
        at = 0
        while at < count:
            step, made = moves[at]
            pairs += made
            at += step
        return pairs

    def _further(self, rest: Sequence[int]) -> list[tuple[int, int]]:
        """Return pairs of those whom the closest have left over: each with the next who may be met, however far."""
        pairs: list[tuple[int, int]] = []
        taken: set[int] = set()
        for place, one in enumerate(rest):
            if one in taken:
                continue
            for other in rest[place + 1 : place + 1 + REACH]:
                if self._seekers[other].rating - self._seekers[one].rating > self._accepts[one]:
                    break
                if other not in taken and self._difference(one, other) is not None:
                    taken |= {one, other}
                    pairs.append((one, other))
                    break
        return pairs
