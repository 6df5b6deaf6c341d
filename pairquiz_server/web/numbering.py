"""Numbers for commands on their way, by which their lines in the log are found together."""

import itertools
import secrets
from collections.abc import Iterator

_FIRST_BELOW = 1 << 52
"""What follows stays below 2^53, so that every reader of JSON takes it for what it is."""


def request_numbers() -> Iterator[int]:
    """Yield numbers from a place by chance on, so that no other edge and no other process gives the same."""
    return itertools.count(secrets.randbelow(_FIRST_BELOW))
