"""What a node says of itself each second, so that whoever asks any node sees all of them."""

import os
import resource
import socket
from pathlib import Path
from uuid import UUID

from pairquiz_server import __version__
from pairquiz_server.counting import Level, Levels, Sizes
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.pace import Pace
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.vitals import Vitals, VitalsRows

TOLD_EVERY_S = 1.0
CHECKED_EVERY = 5
"""So often in these the checks of readyz are made: they ask the database three things."""
_ANSWERED = ("right", "wrong")


class VitalSigns:
    """Tells how one node fares, until `stop`."""

    def __init__(
        self, rows: VitalsRows, metrics: Metrics, health: Health, clock: Clock, node: UUID, region: str
    ) -> None:
        self._rows = rows
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._node = node
        self._region = region
        self._host = socket.gethostname()
        self._checks: dict[str, bool] = {}
        self._told = 0
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Tell each second, until `stop`."""
        await self._pace.repeat(TOLD_EVERY_S, self.tell, "vitals")

    async def tell(self) -> None:
        """Tell how this node fares now. Raises `StorageUnavailable`."""
        if self._told % CHECKED_EVERY == 0:
            self._checks = await self._health.checks()
        self._told += 1
        await self._rows.tell(self._node, self._vitals())

    def _vitals(self) -> Vitals:
        metrics, used = self._metrics, resource.getrusage(resource.RUSAGE_SELF)
        answers = metrics.answers.values
        return Vitals(
            at=self._clock.now(),
            version=__version__,
            region=self._region,
            host=self._host,
            pid=os.getpid(),
            cpu_s=used.ru_utime + used.ru_stime,
            memory_bytes=_resident_bytes(),
            checks=self._checks | {"draining": not self._health.draining},
            sockets=_whole_ones(metrics.sockets),
            connections=_whole(metrics.connections) or 0,
            connections_limit=_whole(metrics.connections_limit),
            players=_whole(metrics.players) or 0,
            seekers=_whole(metrics.seekers) or 0,
            matches=_whole(metrics.cached_matches) or 0,
            commands=sum(metrics.commands.values.values()),
            answers=sum(answers.get(outcome, 0) for outcome in _ANSWERED),
            refusals=dict(metrics.refusals.values),
            bounds=list(metrics.command_seconds.bounds),
            command_seconds=_counts(metrics.command_seconds),
            loop_lag_seconds=_counts(metrics.loop_lag_seconds),
            queued=_whole(metrics.queued_commands) or 0,
            queued_age_s=metrics.queued_commands_age_seconds.read() or 0.0,
            pool=_whole_ones(metrics.pool_connections),
            pool_limit=_whole(metrics.pool_connections_limit),
            pool_waiting=_whole(metrics.pool_waiting) or 0,
        )


def _whole(level: Level) -> int | None:
    read = level.read()
    return None if read is None else int(read)


def _whole_ones(levels: Levels) -> dict[str, int]:
    return {name: int(amount) for name, amount in levels.read().items()}


def _counts(sizes: Sizes) -> list[int]:
    return [int(count) for _, count in sizes.buckets()]


def _resident_bytes() -> int:
    """Return what this process holds of the machine's memory; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return 0
