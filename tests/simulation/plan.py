"""What is to happen in a run: which pairs play, and what goes wrong when. All of it follows from the seed.

A plan can lose pairs and faults and still be a plan: what remains draws its chance from itself alone.
"""

from enum import StrEnum
from random import Random

from msgspec import Struct

MATCHES_AN_HOUR = 10_000


class Kind(StrEnum):
    """What can go wrong."""

    LOST_BEFORE = "lost_before"
    """The next write of a node, if there is one within a second, never reaches the store."""
    LOST_AFTER = "lost_after"
    """The next write of a node is committed, and its answer is lost."""
    LATE = "late"
    """The next write of a node is given up by it, and reaches the store afterwards."""
    SLOW = "slow"
    """All that a node asks of the store takes long, some of it too long."""
    DOWN = "down"
    """The store refuses everybody."""
    FROZEN = "frozen"
    """The store takes what it is asked and answers nothing; when it thaws, it does what it was asked."""
    CRASH = "crash"
    """A node dies, and another one takes its place later."""
    CRASH_OF_ALL = "crash_of_all"
    """All nodes die at once, and others take their places later."""
    CUT = "cut"
    """One node does not reach the store, and others do."""
    STEP = "step"
    """The store's own clock is set, by so many seconds as the fault lasts, forwards or (node 1) backwards."""
    PARTITION = "partition"
    """No announcement passes from a node to another one."""


class Fault(Struct, frozen=True):
    """One thing that goes wrong, from `at` to `until` (seconds of virtual time)."""

    kind: Kind
    node: int
    at: float
    until: float

    def __str__(self) -> str:
        return f"{self.kind} node={self.node} {self.at:.3f}..{self.until:.3f}"


class Plan(Struct, frozen=True):
    """A run: the seed, how long pairs go on to arrive (seconds), which of them do, and all faults by their time."""

    seed: int
    span_s: float
    pairs: tuple[int, ...]
    faults: tuple[Fault, ...]

    def arrival(self, pair: int) -> float:
        """Return when a pair comes (seconds of virtual time)."""
        return self.random("arrival", pair).uniform(0, self.span_s)

    def random(self, *whose: object) -> Random:
        """Return a source of chance that belongs to somebody, whatever else there is in the plan."""
        return Random("/".join(map(str, (self.seed, *whose))))


_SPELLS: dict[Kind, tuple[int, float, float]] = {
    Kind.LOST_BEFORE: (250, 1, 1),
    Kind.LOST_AFTER: (350, 1, 1),
    Kind.LATE: (150, 1, 1),
    Kind.SLOW: (60, 2, 15),
    Kind.DOWN: (30, 0.3, 20),
    Kind.FROZEN: (30, 0.3, 20),
    Kind.CRASH: (60, 0.5, 30),
    Kind.CRASH_OF_ALL: (25, 0.5, 30),
    Kind.CUT: (40, 0.5, 7),
    Kind.STEP: (10, 1, 60),
    Kind.PARTITION: (60, 0.5, 30),
}
"""How often in ten thousand matches, and from how many seconds to how many."""


def drawn_plan(seed: int, *, matches: int, hours: float | None = None) -> Plan:
    """Return a seed's plan for so many matches; they arrive within `hours`, by default 10 000 an hour."""
    random = Random(f"{seed}/plan")
    span_s = (matches / MATCHES_AN_HOUR if hours is None else hours) * 3600
    faults = []
    for kind, (often, shortest, longest) in _SPELLS.items():
        wanted = often * matches / MATCHES_AN_HOUR
        for _ in range(int(wanted) + (random.random() < wanted % 1)):
            at = random.uniform(0, span_s + 30)
            faults.append(Fault(kind, random.randrange(2), at, at + random.uniform(shortest, longest)))
    return Plan(seed, span_s, tuple(range(matches)), tuple(sorted(faults, key=lambda fault: fault.at)))
