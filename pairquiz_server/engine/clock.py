"""The time by which the game decides: one clock for all nodes, that no step of a wall clock moves."""

import time

ADOPTED_WITHIN_MS = 2000
"""A sign of life that is no older tells that nodes are running, or were a moment ago: their clock goes on."""


class Clock:
    """Milliseconds since the epoch, by this process's monotonic clock."""

    def __init__(self, start_ms: int) -> None:
        self._offset = start_ms - time.monotonic_ns() // 1_000_000

    def now(self) -> int:
        """Return the time in whole milliseconds."""
        return self._offset + time.monotonic_ns() // 1_000_000

    def advance_to(self, at: int) -> None:
        """Adopt the clock of a node that is ahead; one that is behind changes nothing."""
        self._offset += max(at - self.now(), 0)


def carried_on(beaten_at: int | None, database_at: int) -> bool:
    """Tell whether a sign of life is so fresh that nodes are running, as far as the database's clock can tell."""
    return beaten_at is not None and 0 <= database_at - beaten_at <= ADOPTED_WITHIN_MS


def starting_time(game_at: int | None, beaten_at: int | None, database_at: int) -> int:
    """Return at which time a node's clock starts (milliseconds).

    Given are the game's clock and the database's at the last sign of life (None where there was none), and the
    database's now. While nodes run, theirs goes on, whatever the database's says. Else the database's, but never
    less than what has passed since the last sign of life: where that clock was once set back, the game's is ahead,
    and a silence would not be seen. What was skipped is credited to all matches by the first beat.
    """
    if game_at is None or beaten_at is None:
        return database_at
    age_ms = database_at - beaten_at
    if carried_on(beaten_at, database_at):
        return game_at + age_ms
    return max(database_at, game_at + max(age_ms, 0))
