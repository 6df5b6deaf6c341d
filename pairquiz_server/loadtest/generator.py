"""Gives answers at the times at which they are due, whatever became of those before."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from random import Random

from pairquiz_server.loadtest.finding import Finding
from pairquiz_server.loadtest.messages import Step
from pairquiz_server.loadtest.pair import Pair, now_ms
from pairquiz_server.loadtest.schedule import Arrivals, intended
from pairquiz_server.loadtest.table import Answered, Table
from pairquiz_server.loadtest.tally import Window

TICK_S = 0.001
"""A loop wakes by whole milliseconds; to wait for less would be to spin."""
FINDINGS_KEPT = 50


class Generator:
    """Has all matches in which answers can be given, and what was counted; the desk of all pairs."""

    def __init__(self, arrivals: Arrivals, chance: Random, passed: Callable[[Window], None]) -> None:
        self.window = Window()
        self.matches = self.answers = 0
        self.found: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.offered = asyncio.Event()
        self._arrivals = arrivals
        self._chance = chance
        self._passed = passed
        self._ready: deque[tuple[Pair, Table]] = deque()
        self._due: deque[float] = deque()
        self._pairs: set[Pair] = set()
        self._cpu_s = time.process_time()
        self._over = False

    @property
    def pairs(self) -> int:
        """How many pairs have had a match to answer in."""
        return len(self._pairs)

    async def load(self, step: Step) -> None:
        """Give the answers of a step; those before must be done with."""
        self._over = False
        clock = asyncio.create_task(self._tell_seconds())
        try:
            begun_at = time.monotonic()
            times = intended(self._arrivals, rate=step.rate, seconds=step.seconds, chance=self._chance)
            for at in times:
                while (early := begun_at + at - time.monotonic()) > 0:  # noqa: ASYNC110 - a time is waited for
                    await asyncio.sleep(max(early, TICK_S))
                self._is_due((begun_at + at) * 1000)
            if (left := begun_at + step.seconds - time.monotonic()) > 0:
                await asyncio.sleep(left)
        finally:
            self._over = True
            clock.cancel()

    async def drained(self, patience_s: float) -> int:
        """Wait until all that was due is acknowledged; return how much of it is not, when the patience ends.

        It counts with how long it has taken so far.
        """
        until = time.monotonic() + patience_s
        while (self._due or self._unacknowledged()) and time.monotonic() < until:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
        late = [answer.due_ms for answer in self._unacknowledged()] + list(self._due)
        self._due.clear()
        for due_ms in late:
            self.window.latency.record(round((now_ms() - due_ms) * 1000))
        self._tell()
        return len(late)

    def forget(self) -> None:
        """Begin to count anew."""
        self.window = Window()
        self._cpu_s = time.process_time()

    def offer(self, pair: Pair, table: Table) -> None:
        """Take a match in which answers can be given."""
        self._ready.append((pair, table))
        self._pairs.add(pair)
        self.offered.set()
        self._give()

    def acknowledged(self, answer: Answered) -> None:
        """Count an answer that was acknowledged."""
        self.answers += 1
        self.window.acknowledged += 1
        self.window.late += self._over
        self.window.latency.record(round((now_ms() - answer.due_ms) * 1000))

    def told(self, answer: Answered, at_ms: float) -> None:
        """Count an answer of which the opponent has heard."""
        self.window.opponent.record(round((at_ms - answer.due_ms) * 1000))

    def trouble(self, what: str) -> None:
        """Count something that went wrong, and may be mended by itself."""
        self.window.trouble(what)

    def judged(self, table: Table | None, findings: list[Finding]) -> None:
        """Take in what is wrong with a match that is done with, or with no match at all."""
        self.matches += table is not None
        self.window.faults += len(findings)
        self.found.update(str(finding.fault) for finding in findings)
        self.findings += findings[: FINDINGS_KEPT - len(self.findings)]

    def _is_due(self, due_ms: float) -> None:
        self.window.due += 1
        self.window.slip.record(round((now_ms() - due_ms) * 1000))
        self._due.append(due_ms)
        self._give()

    def _give(self) -> None:
        """Give what is due, in the match that has waited longest since its last answer."""
        while self._due and self._ready:
            pair, table = self._ready.popleft()
            due_ms = self._due.popleft()
            self.window.sent += 1
            self.window.wait.record(round((now_ms() - due_ms) * 1000))
            pair.answer(table, due_ms)
            if table.turns_left:
                self._ready.append((pair, table))

    def _unacknowledged(self) -> list[Answered]:
        return [answer for pair in self._pairs for answer in pair.unacknowledged()]

    async def _tell_seconds(self) -> None:
        begun_at = time.monotonic()
        for second in range(1, 1_000_000):
            await asyncio.sleep(max(begun_at + second - time.monotonic(), 0))
            self._tell()

    def _tell(self) -> None:
        """Tell of the window, and begin the next one."""
        window, self.window = self.window, Window(second=self.window.second + 1)
        cpu_s = time.process_time()
        window.cpu_s, self._cpu_s = cpu_s - self._cpu_s, cpu_s
        self._passed(window)
