"""When the next batch begins."""

import asyncio


class Rhythm:
    """An idle server begins at once; after that no batch begins sooner than `pace_s` after the one before it.

    What comes meanwhile shares one write, and one wake-up.
    """

    def __init__(self, pace_s: float) -> None:
        self._pace_s = pace_s
        self._last_began = float("-inf")
        self._wanted = False
        self._begun: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        """The one that `next` waits on; to ask which one is running costs a call of the kernel."""

    def want(self) -> None:
        """Let another batch begin, as soon as may be."""
        if not self._wanted:
            self._wanted = True
            self._plan()

    def hurry(self) -> None:
        """Let all batches begin at once from now on."""
        self._pace_s = 0.0
        self._wanted = True
        self._plan()

    @property
    def due(self) -> bool:
        """Whether the next batch, if one is wanted, begins at once."""
        return self._last_began + self._pace_s <= self._loop.time()

    async def next(self) -> None:
        """Wait until a batch is wanted, and may begin."""
        loop = self._loop = asyncio.get_running_loop()
        self._begun = loop.create_future()
        try:
            if self._wanted:
                self._plan()
            await self._begun
        finally:
            self._begun = None
            self._forget_timer()
        self._wanted = False
        self._last_began = loop.time()

    def _plan(self) -> None:
        if self._begun is None:
            return
        self._forget_timer()
        if self.due:
            self._begin()
        else:
            self._timer = self._loop.call_at(self._last_began + self._pace_s, self._begin)

    def _begin(self) -> None:
        if self._begun is not None and not self._begun.done():
            self._begun.set_result(None)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
