"""The service's sign of life: it keeps the nodes' clocks together, and gives the players back what an outage took.

Whatever the reason for a silence (no process, a frozen one, no database), the first beat after it moves the clocks of
all live matches by as much. So nothing may be decided by a clock that has not been beaten: `ready` sees to that.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog

from pairquiz_server.engine.clock import ADOPTED_WITHIN_MS, Clock, carried_on, starting_time
from pairquiz_server.engine.pace import Pace
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.nodes import Beat, ClockReading, Nodes
from pairquiz_server.store.pool import StorageUnavailable

log = structlog.get_logger("pairquiz.heartbeat")

BEAT_EVERY_S = 0.5
OVERLOOKED_MS = 2000
"""A longer silence is an outage. A shorter one is nobody's fault that anybody would notice."""

LISTEN_EVERY_S = 0.2


async def find_time(nodes: Nodes, matches: Matches) -> int:
    """Return at which time a node's clock starts, so that it goes on where that of running nodes is.

    A silence may be none: the database's clock may have been set since the last sign of life. Who runs gives the next
    one within the time that may be overlooked, or decides nothing any more. So it is listened for so long, but for
    where no match is live that could lose by a silence which there was not, and where a silence that is long enough
    has one reason alone: nobody else is there. What was listened in vain has passed, whatever the database's clock
    says. Raises `StorageUnavailable`.
    """
    loop = asyncio.get_running_loop()
    reading = await nodes.read_clock()
    began, listened_ms = loop.time(), 0
    while (
        reading.game_at is not None
        and not carried_on(reading.beaten_at, reading.database_at)
        and listened_ms <= ADOPTED_WITHIN_MS
        and await matches.next_due(0) is not None
        and not (_long_silent(reading) and await nodes.alone())
    ):
        await asyncio.sleep(LISTEN_EVERY_S)
        reading = await nodes.read_clock()
        listened_ms = int((loop.time() - began) * 1000)
    start = starting_time(reading.game_at, reading.beaten_at, reading.database_at)
    if reading.game_at is None or carried_on(reading.beaten_at, reading.database_at):
        return start
    return max(start, reading.game_at + listened_ms)


def _long_silent(reading: ClockReading) -> bool:
    """Whether, by the database's clock, nobody who ran can have decided anything for a while."""
    return reading.beaten_at is not None and reading.database_at - reading.beaten_at > ADOPTED_WITHIN_MS


class Heartbeat:
    """Beats for one node. `moved` hears of each beat that moved clocks; `forgotten`, that others took us for dead.

    `returned` hears of the end of a silence in which beats failed: one of them may have moved clocks all the same, and
    only its answer was lost.
    """

    def __init__(
        self,
        nodes: Nodes,
        clock: Clock,
        node: UUID,
        *,
        moved: Callable[[Beat], None],
        forgotten: Callable[[], None],
        returned: Callable[[], None],
    ) -> None:
        self._returned = returned
        self._nodes = nodes
        self._clock = clock
        self._node = node
        self._moved = moved
        self._forgotten = forgotten
        self._beaten_at = float("-inf")
        self._database_ahead_ms: float | None = None
        self._solitudes = 0
        self._alone = False
        self._beating = asyncio.Lock()
        self._failing = False
        self._buried = False
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its round. The others take this node for dead some seconds later."""
        self._pace.stop()

    async def run(self) -> None:
        """Beat until `stop`."""
        while not self._pace.stopped:
            try:
                await self.beat()
            except StorageUnavailable as error:
                if not self._failing:
                    log.warning("heartbeat_failed", reason=str(error))
                self._failing = True
            except Exception:
                log.exception("heartbeat_failed")  # a fault of ours must not end all beating
            await self._pace.rest(BEAT_EVERY_S)

    async def ready(self) -> None:
        """Return when the clocks can be relied on; beats first where the last beat is too old.

        Raises `StorageUnavailable`.
        """
        if self._age_ms() > OVERLOOKED_MS:
            async with self._beating:
                while self._age_ms() > OVERLOOKED_MS:  # once more after one that was held up
                    await self._beat()

    def solitude(self) -> int | None:
        """Return a number for the time for which this is the only node that serves; None where it may not be.

        The next such time has another number. A node that has just come is known at the next beat.
        """
        return self._solitudes if self._alone and self._age_ms() <= OVERLOOKED_MS else None

    @property
    def age_s(self) -> float | None:
        """How long ago the last beat was; None before the first."""
        return None if self._beaten_at == float("-inf") else self._age_ms() / 1000

    async def beat(self) -> None:
        """Give a sign of life. Raises `StorageUnavailable`."""
        async with self._beating:
            await self._beat()

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        silent = self._age_ms() > OVERLOOKED_MS
        expected_at = None if self._database_ahead_ms is None else int(began * 1000 + self._database_ahead_ms)
        beat = await self._nodes.beat(
            self._node, self._clock.now(), OVERLOOKED_MS, after_silence=silent, expected_at=expected_at
        )
        self._database_ahead_ms = beat.database_at - loop.time() * 1000
        if beat.late:
            return
        self._clock.advance_to(beat.now)
        if beat.alone and (silent or not self._alone):
            self._solitudes += 1
        self._alone = beat.alone
        self._beaten_at = began
        if self._failing:
            self._failing = False
            log.info("heartbeat_returned")
            if silent:
                self._returned()
        if beat.gap_ms:
            log.warning("outage_credited", gap_ms=beat.gap_ms, matches=len(beat.moved))
            self._moved(beat)
        self._buried = self._buried or not beat.alive
        if self._buried:
            # Until an answer comes: where only that was lost, the next beat finds the node entered, and nobody in it.
            await self._nodes.enter(self._node, self._clock.now())
            self._buried = False
            self._forgotten()

    def _age_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._beaten_at) * 1000
