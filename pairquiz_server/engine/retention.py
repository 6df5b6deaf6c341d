"""Forgets what is no longer needed: a little at a time, so that nobody's play is slower for it."""

import structlog
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.weeks import week_of
from pairquiz_server.store.retention import RetentionRows

log = structlog.get_logger("pairquiz.retention")

BUSY_S = 1.0
IDLE_S = 60.0
BANS_DAYS = 30
"""How long a ban that is over is still shown to the operator."""
WEEKS = 5
"""How many weeks of the league are kept, with the one that goes on."""
_DAY_MS = 24 * 3600 * 1000


class Keep(Struct, frozen=True, kw_only=True):
    """For how many days things are kept, 0 for ever."""

    finished_days: int = 0
    unfinished_days: int = 30
    usage_days: int = 400
    guests_days: int = 120
    audit_days: int = 400


class Retention:
    """Removes, beside other nodes, what is older than it is to be kept."""

    def __init__(self, rows: RetentionRows, clock: Clock, keep: Keep) -> None:
        self._rows = rows
        self._clock = clock
        self._keep = keep
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Forget until `stop`: at once where there is more, else once a minute."""
        await self._pace.repeat(IDLE_S, self._forget_all, "retention")

    async def _forget_all(self) -> None:
        while not self._pace.stopped and await self.forget():
            await self._pace.rest(BUSY_S)

    async def forget(self) -> int:
        """Forget some of everything, and return how many rows it was. Raises `StorageUnavailable`."""
        keep, rows = self._keep, self._rows
        matches = 0
        if keep.finished_days:
            matches += await rows.forget_matches(self._before(keep.finished_days), Status.COMPLETED)
        if keep.unfinished_days:
            for status in (Status.ABANDONED, Status.EXPIRED):
                matches += await rows.forget_matches(self._before(keep.unfinished_days), status)
        usage = await rows.forget_usage(self._before(keep.usage_days)) if keep.usage_days else 0
        guests = await rows.forget_guests(self._before(keep.guests_days)) if keep.guests_days else 0
        bans = await rows.forget_bans(BANS_DAYS)
        points = await rows.forget_weeks(week_of(self._clock.now()) - WEEKS + 1)
        challenges = await rows.forget_challenges(self._clock.now())
        deeds = await rows.forget_audit(keep.audit_days) if keep.audit_days else 0
        count = matches + usage + guests + bans + points + challenges + deeds
        if count:
            log.info(
                "forgotten",
                matches=matches,
                usage=usage,
                guests=guests,
                bans=bans,
                points=points,
                challenges=challenges,
                deeds=deeds,
            )
        return count

    def _before(self, days: int) -> int:
        return self._clock.now() - days * _DAY_MS
