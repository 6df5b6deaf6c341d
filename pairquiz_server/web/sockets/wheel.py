"""Who is to be looked at when, for as many as there are: putting somebody in costs a list's append.

A heap would cost each entry two or three objects, and a comparison for each doubling of their number.
"""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Wheel(Generic[Item]):
    """Items by the turn in which they are due; a turn lasts `turn_s`. All times are in seconds of one clock."""

    def __init__(self, turn_s: float, now: float) -> None:
        self._turn_s = turn_s
        self._turn = int(now / turn_s)
        self._due: dict[int, list[Item]] = {}

    def put(self, item: Item, at: float) -> None:
        """Let an item be due in the first turn that begins when `at` has come, and no sooner than in the next one."""
        turn = max(int(at / self._turn_s), self._turn) + 1
        due = self._due.get(turn)
        if due is None:
            self._due[turn] = [item]
        else:
            due.append(item)

    def take(self, now: float) -> list[Item]:
        """Take the items that are due by now, each as often as it was put in."""
        turn = int(now / self._turn_s)
        due: list[Item] = []
        while self._turn < turn:
            self._turn += 1
            due += self._due.pop(self._turn, ())
        return due
