"""Erases people, step by step. What each step has done stays done: a process that dies half-way hurts nothing.

Departures sees to it that the player is refused, cut, and out of live matches; here goes what is over. It is work
of its own, so that a player with a hundred thousand matches delays nobody's ban.
"""

import structlog

from pairquiz_server.engine.pace import Pace
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures

log = structlog.get_logger("pairquiz.erasure")

WORK_EVERY_S = 1.0
SETTLE_S = 6.0
"""By then each node has looked (one that is silent for longer is taken for dead), and what it had of the player's is
committed or refused."""


class Eraser:
    """Carries out the erasures of one database, beside other nodes' erasers."""

    def __init__(self, erasures: Erasures, bans: Bans, *, settle_s: float = SETTLE_S) -> None:
        self._erasures = erasures
        self._bans = bans
        self._settle_s = settle_s
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its step."""
        self._pace.stop()

    async def run(self) -> None:
        """Erase until `stop`."""
        await self._pace.repeat(WORK_EVERY_S, self.work, "erasure")

    async def work(self) -> list[str]:
        """Go once through all who are to be erased; return who is not yet. Raises `StorageUnavailable`.

        Whose wish is old is done with before the next one's turn, but for a match that still goes on.
        """
        pending = await self._erasures.pending()
        return [player_id for player_id in pending if not self._pace.stopped and not await self._erase(player_id)]

    async def _erase(self, player_id: str) -> bool:
        await self._erasures.stand_in()
        erasures = self._erasures
        while await erasures.vacate(player_id) or await erasures.unlink(player_id) or await erasures.unrate(player_id):
            if self._pace.stopped:
                return False
        done = await self._erasures.finish(player_id, self._bans.digest(player_id), self._settle_s)
        if done:
            log.info("player_erased")
        return done
