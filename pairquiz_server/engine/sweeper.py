"""Ends what is over: deadlines, and matches that nobody joined or started. Works beside other nodes' sweepers."""

import asyncio
from collections import Counter

import structlog

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer, Ready, always
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.commands import EndOverdue, MarkPresent
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import PresenceRows

log = structlog.get_logger("pairquiz.sweeper")

LONGEST_SLEEP_MS = 1000
BATCH = 500
REQUEST_IDS_HOLD_MS = 24 * 3600 * 1000
FORGET_EVERY_MS = 60 * 1000


class Sweeper:
    """Looks for overdue matches and submits `EndOverdue` for each, like any other command.

    `margin_ms` is the largest lag credit: no match is ended sooner after its deadline, because an answer that
    arrives until then may still be in time.
    """

    def __init__(
        self,
        matches: Matches,
        presence: PresenceRows,
        committer: Committer,
        clock: Clock,
        *,
        margin_ms: int,
        ready: Ready = always,
    ) -> None:
        self._ready = ready
        self._presence = presence
        self._matches = matches
        self._committer = committer
        self._clock = clock
        self._margin_ms = margin_ms
        self._forgot_at = 0
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Sweep until `stop`."""
        while not self._pace.stopped:
            try:
                sleep_ms = await self.sweep()
            except StorageUnavailable as error:
                log.warning("sweep_failed", reason=str(error))
                sleep_ms = LONGEST_SLEEP_MS
            except Exception:
                log.exception("sweep_failed")  # a fault of ours must not end all sweeping
                sleep_ms = LONGEST_SLEEP_MS
            await self._pace.rest(sleep_ms / 1000)

    async def sweep(self) -> int:
        """End what is over now, and return after how many milliseconds to look again (at most a second)."""
        await self._ready()
        now = self._clock.now()
        ripe = now - self._margin_ms
        due = await self._matches.find_due(ripe, BATCH)
        # Who came in time has not lost, though whoever saw it could not write it into the match in time.
        returned = await self._presence.find_returned([match.id for match in due]) if due else []
        ending = [
            self._committer.ask(MarkPresent(match_id=one.match_id, player_id=one.player_id), one.came_at)
            for one in returned
        ]
        ending += [self._committer.ask(EndOverdue(match_id=match.id, margin_ms=self._margin_ms), now) for match in due]
        refused: Counter[Code] = Counter()
        for outcome in await asyncio.gather(*ending, return_exceptions=True):
            if isinstance(outcome, Refused):
                refused[outcome.code] += 1
            elif isinstance(outcome, BaseException):
                raise outcome
        for code, count in refused.items():
            log.warning("overdue_matches_not_ended", count=count, reason=code)
        if now - self._forgot_at > FORGET_EVERY_MS:
            await self._matches.forget_requests(now - REQUEST_IDS_HOLD_MS)
            self._forgot_at = now
        if refused:
            return LONGEST_SLEEP_MS
        if len(due) == BATCH:
            return 0
        next_due = await self._matches.next_due(ripe)
        if next_due is None:
            return LONGEST_SLEEP_MS
        return min(max(next_due + self._margin_ms - self._clock.now(), 1), LONGEST_SLEEP_MS)
