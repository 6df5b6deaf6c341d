"""How callers wait for a connection, and the line in the log that says so."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from pairquiz_server.metrics import Metrics
from pairquiz_server.store.reasons import NoneFree

log = structlog.get_logger("pairquiz.database")

NOTICED_S = 0.25
"""Who waits no longer than this is not worth a line."""
SAID_EVERY_S = 60.0
REMEDY = "raise database.pool_max, or find what keeps them so long"


class Shortage:
    """Counts those who wait for one of `most` connections, and says once a minute at most what they had to wait."""

    def __init__(self, most: int, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._metrics = metrics
        metrics.pool_waiting.read = lambda: self.waiting
        self.clock = clock
        self._said_at = float("-inf")
        self._longest_s = 0.0
        self._unsaid = self._unsaid_refused = 0
        self.waiting = 0
        """How many wait now."""

    def turn(self) -> "Turn":
        """Begin to wait."""
        return Turn(self)

    def waited(self, seconds: float, *, refused: bool) -> None:
        """Note that a caller has got a connection after so long, or was refused."""
        self._metrics.pool_wait_seconds.observe(seconds)
        if refused:
            self._metrics.pool_timeouts.inc()
        elif seconds < NOTICED_S:
            return
        self._unsaid += 1
        self._unsaid_refused += refused
        self._longest_s = max(self._longest_s, seconds)
        now = self.clock()
        if now - self._said_at < SAID_EVERY_S:
            return
        log.warning(
            "pool_too_small",
            pool_max=self.most,
            callers=self._unsaid,
            refused=self._unsaid_refused,
            longest_ms=round(self._longest_s * 1000),
            hint=REMEDY,
        )
        self._said_at = now
        self._unsaid = self._unsaid_refused = 0
        self._longest_s = 0.0


class Turn:
    """One caller's wait, as a context: it is over when a place `came`, and in vain where the context ends before."""

    def __init__(self, shortage: Shortage) -> None:
        self._shortage = shortage
        self._began = shortage.clock()
        self._waits = False

    def __enter__(self) -> Self:
        self._waits = True
        self._shortage.waiting += 1
        return self

    def came(self) -> None:
        """A place is there."""
        self._end(refused=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raises `NoneFree` where the time was over before a place came."""
        if not self._waits:
            return
        refused = isinstance(error, TimeoutError)
        self._end(refused=refused)
        if refused:
            raise NoneFree(f"all {self._shortage.most} connections for reads were busy for too long", REMEDY) from None

    def _end(self, *, refused: bool) -> None:
        self._waits = False
        self._shortage.waiting -= 1
        self._shortage.waited(self._shortage.clock() - self._began, refused=refused)
