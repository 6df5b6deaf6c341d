"""All lines that carry HTTP: a server has no timer for each. They are looked at in turn, a few times a second."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from aiohttp.http import RawRequestMessage

from pairquiz_server.config.sections import Limits
from pairquiz_server.web.guard.arrivals import Arrivals
from pairquiz_server.web.guard.bodies import REST_BODY_MAX
from pairquiz_server.web.guard.refusals import Refusals

LOOK_EVERY_S = 0.25
CHUNKED_MAX = 8
"""How much longer a body may be by its chunks: one of a single byte takes six."""


class OpenLine(Protocol):
    """What is asked of a line (see `http_line.HttpLine`)."""

    @property
    def remote(self) -> str | None:
        """The address of the other end."""

    def look(self, now: float) -> None:
        """Drop the line where it has waited for too long."""

    def hand_over(self, successor: object) -> tuple[asyncio.Transport, bytes] | None:
        """Give the transport away."""


Door = Callable[[OpenLine, RawRequestMessage], bool]
"""Answers what asks for an upgrade at once, and has the line then; or leaves it to the site, and tells so."""


def _nobody(line: OpenLine, message: RawRequestMessage) -> bool:
    """Take nothing."""
    return False


class HttpLines:
    """All HTTP connections of a process."""

    def __init__(self, limits: Limits, arrivals: Arrivals, refusals: Refusals) -> None:
        self.limits = limits
        self._arrivals = arrivals
        self._refusals = refusals
        self.door: Door = _nobody
        self._open: set[OpenLine] = set()
        self.body_bytes = max(limits.message_bytes, REST_BODY_MAX) * CHUNKED_MAX
        """What a body may take on the wire, with the sizes of its chunks and what follows them."""

    def opened(self, line: OpenLine, transport: asyncio.Transport) -> None:
        """Note a new connection."""
        self._open.add(line)
        self._arrivals.line_made(line, transport)

    def ended(self, line: OpenLine) -> None:
        """Drop one that is gone."""
        self._open.discard(line)
        self._arrivals.line_lost(line)

    def handed_over(self, line: OpenLine, successor: object) -> None:
        """Leave a connection to what carries it from now on, and counts in its place."""
        self._open.discard(line)
        self._arrivals.line_handed_over(line, successor)

    def refused(self, code: str, **context: str) -> None:
        """Count what a line did."""
        self._refusals.note(code, **context)

    async def run(self) -> None:
        """Look at every line again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = loop.time()
            for line in self:
                line.look(now)

    def __iter__(self) -> Iterator[OpenLine]:
        """Go through all connections."""
        return iter(list(self._open))

    def __len__(self) -> int:
        """Return how many connections there are."""
        return len(self._open)
