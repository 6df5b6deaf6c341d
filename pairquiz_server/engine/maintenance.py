"""Maintenance: no match begins, at any node, within a second or two; those that there are go on.

Each node reads by itself, from the database alone, whether there is one; so it survives every node, and needs no
other one.
"""

from collections.abc import Callable

import structlog
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.maintenance import MaintenanceRow

log = structlog.get_logger("pairquiz.maintenance")

LOOK_EVERY_S = 1.0
SAME_END_MS = 2000
"""Two ends that are no further apart are the same: the database says how long it takes, and we when that is over."""


class Notice(Struct, frozen=True):
    """What players are told of a maintenance: the operator's words, and when it ends (the game's clock), if known."""

    message: str | None
    until: int | None


Hear = Callable[[Notice | None], None]
"""Hears, at this node, that a maintenance begins, changes, or is over (None). Never waits."""


class Maintenance:
    """Keeps, for one node, whether matches may begin. `hear` hears of each change once."""

    def __init__(self, row: MaintenanceRow, clock: Clock, hear: Hear) -> None:
        self._row = row
        self._clock = clock
        self._hear = hear
        self._pace = Pace()
        self.notice: Notice | None = None

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Look each second, until `stop`."""
        await self._pace.repeat(LOOK_EVERY_S, self.look, "maintenance")

    async def look(self) -> None:
        """Read whether there is a maintenance, and tell where that has changed. Raises `StorageUnavailable`."""
        found = await self._row.look()
        notice = None
        if found is not None:
            notice = Notice(found.message, None if found.left_ms is None else self._clock.now() + found.left_ms)
        if _same(notice, self.notice):
            return
        self.notice = notice
        if notice is None:
            log.info("maintenance_ended")
        else:
            log.info("maintenance_stands", message=notice.message, until=notice.until)
        self._hear(notice)

    def refusal(self) -> Refused:
        """Return why no match begins."""
        return refusal(self.notice, self._clock.now())


def refusal(notice: Notice | None, now: int) -> Refused:
    """Return why no match begins, with how long that will take, where it is known."""
    message = None if notice is None else notice.message
    if notice is None or notice.until is None:
        return Refused(Code.MAINTENANCE, message)
    return Refused(Code.MAINTENANCE, message, retry_in_ms=max(notice.until - now, 1))


def _same(one: Notice | None, other: Notice | None) -> bool:
    if one is None or other is None or one.until is None or other.until is None:
        return one == other
    return one.message == other.message and abs(one.until - other.until) < SAME_END_MS
