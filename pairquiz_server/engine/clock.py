"""The one clock that decides. It starts at the database's time, and then nothing but time itself moves it."""

import time


class Clock:
    """Milliseconds since the epoch, by this process's monotonic clock: no step of a wall clock is felt."""

    def __init__(self, start_ms: int) -> None:
        self._offset = start_ms - time.monotonic_ns() // 1_000_000

    def now(self) -> int:
        """Return the time in whole milliseconds."""
        return self._offset + time.monotonic_ns() // 1_000_000
