"""What befalls the store itself, and with it the lines of all nodes."""

from collections.abc import Callable
from random import Random


class Weather:
    """What the lines of all nodes suffer now. What was asked of a frozen store is done at the thaw, in any order."""

    def __init__(self, random: Random) -> None:
        self.down = 0
        self.lost_commits = 0
        self.frozen = 0
        self._random = random
        self._frozen_work: list[Callable[[], None]] = []

    @property
    def reachable(self) -> bool:
        return not self.down and not self.frozen

    def keep(self, work: Callable[[], None]) -> None:
        """Do something at the thaw."""
        self._frozen_work.append(work)

    def thaw(self) -> None:
        work, self._frozen_work = self._frozen_work, []
        self._random.shuffle(work)
        for one in work:
            one()
