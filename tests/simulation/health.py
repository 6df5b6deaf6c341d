"""How well the nodes and the store are, and how much service there was: what a judge must know of the weather."""

from typing import TYPE_CHECKING

from tests.simulation.node import Node

if TYPE_CHECKING:
    from tests.simulation.world import World

UNCREDITED_S = 2.7
"""Two seconds, and the time since the last beat before, and that of a beat which a frozen store has done late."""


class Service:
    """How much service there was: an outage that is too short for anybody to be credited counts as service."""

    def __init__(self) -> None:
        self._there = False
        self._since = 0.0
        self._sum_s = 0.0

    def look(self, now: float, there: bool) -> None:
        if there is not self._there:
            span_s = now - self._since
            self._sum_s += span_s if self._there or span_s <= UNCREDITED_S else 0.0
            self._there, self._since = there, now

    def served_s(self, now: float) -> float:
        """Return how long there has been service since the beginning, the present outage left out."""
        return self._sum_s + (now - self._since if self._there else 0.0)


class Health:
    """When each node could do its work for the last time, as far as one who looks now and then can tell."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._ill_at: dict[Node, float] = {}

    def look(self) -> None:
        for node in self._world.nodes:
            if not self._world.serves(node):
                self._ill_at[node] = self._world.loop.time()

    def ill_at(self, node: Node) -> float:
        return self._ill_at.get(node, node.born_at)

    @property
    def one_well_since(self) -> float:
        return min(map(self.ill_at, self._world.nodes))

    @property
    def all_well_since(self) -> float:
        return max(map(self.ill_at, self._world.nodes))
