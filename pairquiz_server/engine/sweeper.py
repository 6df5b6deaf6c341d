"""Ends what is over, and lets happen what happens by itself. Works beside other nodes' sweepers.

What is over are deadlines, rounds, and matches that nobody joined or started; by itself starts a match whose players
were brought together, and the next round.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer, Ready, always
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.commands import Command, EndOverdue, MarkPresent, StartMatch, Tick
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.matches import DueMatch, Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import PresenceRows

log = structlog.get_logger("pairquiz.sweeper")

LONGEST_SLEEP_MS = 1000
BATCH = 500
REQUEST_IDS_HOLD_MS = 24 * 3600 * 1000
FORGET_EVERY_MS = 60 * 1000


Timed = tuple[Command, int]
"""A command, and when it counts as arrived (milliseconds)."""
ByItself = Callable[[str], Awaitable[StartMatch | Tick]]
"""Makes the command by which something happens in a match by itself. Raises `Refused` and `StorageUnavailable`."""


class Sweeper:
    """Looks for matches that are due and submits a command for each like anybody: `EndOverdue`, or `by_itself`'s.

    `margin_ms` is the largest lag credit: no match is ended sooner after its deadline, because an answer that
    arrives until then may still be in time.
    """

    def __init__(
        self,
        matches: Matches,
        presence: PresenceRows,
        committer: Committer,
        clock: Clock,
        by_itself: ByItself,
        *,
        margin_ms: int,
        ready: Ready = always,
    ) -> None:
        self._ready = ready
        self._presence = presence
        self._matches = matches
        self._committer = committer
        self._clock = clock
        self._by_itself = by_itself
        self._margin_ms = margin_ms
        self._forgot_at = 0
        self._looks_at = 0
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
            self._looks_at = min(self._looks_at, self._clock.now() + sleep_ms)
            await self._pace.rest(max(self._looks_at - self._clock.now(), 0) / 1000)

    def watch(self, decision: Decision) -> None:
        """Look sooner than planned, where something happens by itself in a match sooner than that."""
        at = decision.match.tick_at
        if at is not None and at < self._looks_at:
            self._looks_at = at
            self._pace.hurry()

    async def sweep(self) -> int:
        """Do what is to be done now, and return after how many milliseconds to look again (at most a second)."""
        await self._ready()
        now = self._clock.now()
        self._looks_at = now + LONGEST_SLEEP_MS
        ripe = now - self._margin_ms
        due = await self._matches.find_due(ripe, BATCH)
        ticking = await self._matches.find_ticks(now, BATCH)
        if await self._carry_out([*await self._ends(due, now), *await self._ticks(ticking, now)]):
            return LONGEST_SLEEP_MS
        if now - self._forgot_at > FORGET_EVERY_MS:
            await self._matches.forget_requests(now - REQUEST_IDS_HOLD_MS)
            self._forgot_at = now
        if BATCH in (len(due), len(ticking)):
            return 0
        next_due, next_tick = await self._matches.next_due(ripe), await self._matches.next_tick(now)
        nexts = [] if next_due is None else [next_due + self._margin_ms]
        nexts += [] if next_tick is None else [next_tick]
        return min([max(at - self._clock.now(), 1) for at in nexts] + [LONGEST_SLEEP_MS])

    async def _ends(self, due: Sequence[DueMatch], now: int) -> list[Timed]:
        """Say what ends matches that are over. Who came in time has not lost, though nobody could write it in time."""
        returned = await self._presence.find_returned([match.id for match in due]) if due else []
        back: list[Timed] = [
            (MarkPresent(match_id=one.match_id, player_id=one.player_id), one.came_at) for one in returned
        ]
        return [*back, *[(EndOverdue(match_id=match.id, margin_ms=self._margin_ms), now) for match in due]]

    async def _ticks(self, ticking: Sequence[DueMatch], now: int) -> list[Timed]:
        """Say what happens by itself in matches where it is time."""
        commands: list[Timed] = []
        for match in ticking:
            with suppress(Refused):  # not even found any more
                commands.append((await self._by_itself(match.id), now))
        return commands

    async def _carry_out(self, commands: Sequence[Timed]) -> bool:
        """Submit commands, each as if it had arrived at its time; tell whether any was refused."""
        refused: Counter[Code] = Counter()
        asked = [self._committer.ask(command, at) for command, at in commands]
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, Refused):
                refused[outcome.code] += 1
            elif isinstance(outcome, BaseException):
                raise outcome
        for code, count in refused.items():
            log.warning("matches_not_swept", count=count, reason=code)
        return bool(refused)
