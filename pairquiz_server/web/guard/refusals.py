"""Refusals in the log: counted always, written now and then, so that a client's mistake cannot flood it."""

import time
from collections import Counter

import structlog

from pairquiz_server.metrics import Metrics

log = structlog.get_logger("pairquiz.refusals")

SAMPLE_EVERY_S = 10.0


class Refusals:
    """Counts refusals by code; one line a code tells, at most every ten seconds, how many there were since."""

    def __init__(self, metrics: Metrics) -> None:
        self._refusals = metrics.refusals
        self._untold: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}

    def note(self, code: str, **context: str | int | None) -> None:
        """Count a refusal; `context` is the sample that is written."""
        self._refusals.count(code)
        self._untold[code] += 1
        now = time.monotonic()
        if now - self._told_at.get(code, float("-inf")) >= SAMPLE_EVERY_S:
            log.info("refused", code=code, count=self._untold.pop(code), **context)
            self._told_at[code] = now
