"""An event loop whose time is virtual: nothing ever waits, and the next timer is always now."""

import asyncio
from asyncio import events
from typing import Any


class NothingLeftError(Exception):
    """Nobody is ready and no timer is set: everything waits for everything."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without a selector: where others would sleep, it sets its clock to the next timer.

    There is no I/O and there are no threads, so that the same program with the same chance runs the same way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Jump(self)

    def time(self) -> float:
        """Return the virtual time in seconds; it begins at nought."""
        return self._now

    def run_out(self, until: float) -> None:
        """Run until somebody stops the loop, or the virtual time `until`."""
        self.call_at(until, self.stop)
        self.run_forever()

    def end(self) -> None:
        """Cancel all that still runs, and close."""
        pending = asyncio.all_tasks(self)
        for task in pending:
            task.cancel()
        if pending:
            self.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self.close()

    def jump(self) -> None:
        """Set the clock to the next timer. Raises `NothingLeftError`."""
        timers: list[events.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        if not timers:
            raise NothingLeftError
        self._now = max(self._now, timers[0].when())

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else is there who could have to wake us."""


class _Jump:
    """What the loop asks to wait for I/O."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None or timeout > 0:
            self._loop.jump()
        return []
