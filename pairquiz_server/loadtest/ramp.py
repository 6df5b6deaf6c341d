"""Which rate is tried next, until the largest one is known that holds. Pure."""

from collections.abc import Sequence

from msgspec import Struct

STEP_UP = 1.5
CLOSE_ENOUGH = 1.1
"""The search ends where what failed is less than this times what held."""


class Tried(Struct, frozen=True):
    """A rate in answers a second, and whether it held."""

    rate: float
    held: bool


def next_rate(first: float, tried: Sequence[Tried]) -> float | None:
    """Return the next rate: half as much again until one fails, then the middle; None once the knee is known."""
    if not tried:
        return first
    held, failed = knee(tried), min((one.rate for one in tried if not one.held), default=None)
    if failed is None:
        return tried[-1].rate * STEP_UP
    if held is None:
        return None
    return (held + failed) / 2 if failed > held * CLOSE_ENOUGH else None


def knee(tried: Sequence[Tried]) -> float | None:
    """Return the largest rate that held; what is above one that failed does not count. None where none did."""
    failed = min((one.rate for one in tried if not one.held), default=float("inf"))
    return max((one.rate for one in tried if one.held and one.rate < failed), default=None)
