"""How late the event loop is: whatever holds it up holds up everybody."""

import asyncio
import time

from pairquiz_server.counting import Peak
from pairquiz_server.metrics import Metrics

LOOK_EVERY_S = 0.25


class LoopLag:
    """Lets a timer fire again and again, and measures how late it does."""

    def __init__(self, metrics: Metrics) -> None:
        self._lags = metrics.loop_lag_seconds
        self._peak = Peak()
        metrics.loop_lag_max_seconds.read = self._peak.read

    async def run(self) -> None:
        """Measure until it is cancelled."""
        while True:
            due_at = time.monotonic() + LOOK_EVERY_S
            await asyncio.sleep(LOOK_EVERY_S)
            late_s = max(time.monotonic() - due_at, 0.0)
            self._lags.observe(late_s)
            self._peak.note(late_s)
