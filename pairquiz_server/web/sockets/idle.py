"""Sessions that nobody needs: which poll no more, or have never said who they are.

python-engineio looks at each session only so often; by then an opponent would have waited for twice as long. It keeps
a session without CONNECT for as long as it answers pings, and a polling session that only posts for ever.
Websockets that are silent end in `beats`.
"""

import asyncio
import time

from aiohttp import WSCloseCode

from pairquiz_server.web.guard.refusals import Refusals
from pairquiz_server.web.sockets.transport import Transports

LOOK_EVERY_S = 0.25
BURIED_AFTER_S = 20.0
"""For so long a session that has ended is still there for a poll, which then hears of it."""


class Idle:
    """Ends such sessions."""

    def __init__(
        self, transports: Transports, refusals: Refusals, *, silence_s: float, unauthenticated_s: float
    ) -> None:
        self._transports = transports
        self._refusals = refusals
        self._silence_s = silence_s
        self._unauthenticated_s = unauthenticated_s
        self._strangers: dict[str, float] = {}

    def opened(self, eio_sid: str) -> None:
        """Expect a session's CONNECT from now on; it has none, or has taken it back."""
        self._strangers[eio_sid] = time.monotonic()

    def admitted(self, eio_sid: str) -> None:
        """Note that a session's CONNECT was accepted."""
        self._strangers.pop(eio_sid, None)

    def ended(self, eio_sid: str) -> None:
        """Forget a session that is over."""
        self._strangers.pop(eio_sid, None)

    async def run(self) -> None:
        """End what nobody needs, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            silent = [sid for sid, heard_at in self._transports.heard_at.items() if now - heard_at > self._silence_s]
            for eio_sid in silent:
                await self._transports.drop(eio_sid)
            self._transports.bury(now - BURIED_AFTER_S)
            strangers = [sid for sid, since in self._strangers.items() if now - since > self._unauthenticated_s]
            for eio_sid in strangers:
                del self._strangers[eio_sid]
                if self._transports.is_open(eio_sid):
                    self._refusals.note("no_connect")
                    self._transports.beside(
                        self._transports.cut(eio_sid, WSCloseCode.POLICY_VIOLATION, "CONNECT did not come in time")
                    )
