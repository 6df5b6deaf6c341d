"""How long a query may take: on the database's side, not on ours."""

import asyncio
from types import TracebackType

LAST_LOOK_S = 0.01
"""So long the loop has to read what has come; it does so before it looks at a timer again."""
ASYNCPG_S = 600.0
"""What asyncpg is told where our own patience counts: its timers take an answer that lies unread for none."""


class Patience:
    """Like `asyncio.timeout`, but a loop that was held up is not taken for a database that does not answer.

    Timers go before sockets: where something held up the loop for longer than `seconds`, an answer that came long ago
    is still unread when its time is over. So whatever has come is read first, and only then it is over.
    """

    __slots__ = ("_seconds", "_timeout", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._read_first)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Raises `TimeoutError` where the time was over."""
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def _read_first(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LAST_LOOK_S, self._end)

    def _end(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time())
