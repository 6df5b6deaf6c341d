"""An event loop whose time is virtual: nothing ever waits, and the next timer is always now."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from heapq import heappop, heappush
from itertools import count
from typing import Any


class NothingLeftError(Exception):
    """Nobody is ready and no timer is set: everything waits for everything."""


class Call:
    """What is to be called. asyncio's own handles weigh several times as much, and a simulation is made of them."""

    __slots__ = ("arguments", "context", "function")

    def __init__(self, function: Callable[..., object], arguments: tuple[Any, ...], context: Context | None) -> None:
        self.function: Callable[..., object] | None = function
        self.arguments = arguments
        self.context = context or copy_context()

    def cancel(self) -> None:
        self.function, self.arguments = None, ()

    def cancelled(self) -> bool:
        return self.function is None


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without a selector: where others would sleep, it sets its clock to the next timer.

    There is no I/O and there are no threads, so that the same program with the same chance runs the same way. What is
    called must not raise: the one who runs the loop gets it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._calls: deque[Call] = deque()
        self._timers: list[tuple[float, int, Call]] = []
        self._number = count().__next__

    def time(self) -> float:
        """Return the virtual time in seconds; it begins at nought."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        call = Call(callback, args, context)
        self._calls.append(call)
        return call

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        call = Call(callback, args, context)
        heappush(self._timers, (when, self._number(), call))
        return call

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        call = Call(callback, args, context)
        heappush(self._timers, (self._now + delay, self._number(), call))
        return call

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

    def _run_once(self) -> None:
        """Call what is ready, round by round, until somebody stops the loop; where nothing is ready, time passes.

        What the calls of a round make ready is for the next one. Raises `NothingLeftError`.
        """
        calls, timers = self._calls, self._timers
        while not self._stopping:
            while not calls:
                self._pass_time(calls, timers)
            for _ in range(len(calls)):
                call = calls.popleft()
                if call.function is not None:
                    call.context.run(call.function, *call.arguments)

    def _pass_time(self, calls: deque[Call], timers: list[tuple[float, int, Call]]) -> None:
        """Set the clock to the next timer, and make ready all whose time has come."""
        if not timers:
            raise NothingLeftError
        self._now = now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= now:
            call = heappop(timers)[2]
            if call.function is not None:
                calls.append(call)

    def _write_to_self(self) -> None:
        """Nobody else is there who could have to wake us."""
