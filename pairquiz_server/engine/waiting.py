"""How long a command may wait: whoever asked is refused in time, whatever the database does meanwhile."""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from pairquiz_server.engine.submission import Submission

log = structlog.get_logger("pairquiz.waiting")

PATIENCE_S = 3.0
"""A player who sees nothing for longer takes the game for broken, and the client's own repeat is due."""


class Waiting:
    """All that wait, the longest first. `refuse` is called for each that is not settled after `PATIENCE_S`."""

    def __init__(self, refuse: Callable[[Submission], None]) -> None:
        self._refuse = refuse
        self._waiting: deque[Submission] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        """The one that the timer is of; to ask which one is running costs a call of the kernel."""

    def begin(self, submission: Submission) -> None:
        """Let a command wait from now on."""
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._timer = self._loop.call_later(PATIENCE_S, self._look)
        submission.taken_at = self._loop.time()
        self._waiting.append(submission)

    def clear(self) -> None:
        """Let go of those that are settled, up to the first that is not."""
        waiting = self._waiting
        while waiting and waiting[0].settled:
            waiting.popleft()

    @property
    def longest_s(self) -> float:
        """For how long the first one that is not settled has waited; 0 where nobody waits."""
        self.clear()
        return self._loop.time() - self._waiting[0].taken_at if self._waiting else 0.0

    def refuse_all(self) -> None:
        """Refuse all that still wait."""
        self._refuse_due_at(float("inf"))

    def end(self) -> None:
        """Look at nobody any more."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        self._refuse_due_at(self._loop.time())
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0].taken_at + PATIENCE_S, self._look)

    def _refuse_due_at(self, at: float) -> None:
        refused = 0
        while self._waiting and (self._waiting[0].settled or self._waiting[0].taken_at + PATIENCE_S <= at):
            submission = self._waiting.popleft()
            if not submission.settled:
                self._refuse(submission)
                refused += 1
        if refused:
            log.warning("commands_given_up", count=refused)
