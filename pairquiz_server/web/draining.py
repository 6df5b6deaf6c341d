"""How a server stops: nothing new, a word to everybody, what was taken is finished, then every socket is closed.

Each step has a deadline and the next one begins at it, whatever hangs: a database that does not answer, a client
that reads nothing. A stopping server that waits is killed, and then nobody is told anything.
"""

import asyncio
from collections.abc import Awaitable
from secrets import randbelow

import structlog

from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.health import Health
from pairquiz_server.engine.matchmaker import Matchmaker
from pairquiz_server.engine.presence import Presence
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol import frames
from pairquiz_server.protocol.events import ServerDraining
from pairquiz_server.web.sockets.connections import Connections
from pairquiz_server.web.sockets.transport import Transports

log = structlog.get_logger("pairquiz.draining")

GRACE_S = 1.0
"""What players send in this time is carried out like any other: it is longer than a message travels."""
FINISH_S = 2.0
"""Longer than `database.command_timeout_s`: the sender of a batch that the database never answers hears of it."""
WRITE_S = 0.5
CLOSE_S = 1.5
"""Longer than a websocket waits for its client's CLOSE (`CLOSE_TIMEOUT_S`)."""

RECONNECT_FIRST_MS = 1000
"""What a new process needs until it listens; also the delay of a stock client (1 s ± 50 %), which asks for no hint."""
RECONNECT_SPREAD_MS = 500
RECONNECT_SPREAD_PER_CONNECTION_MS = 2
"""500 handshakes a second: what one process takes beside its play."""
RECONNECT_SPREAD_MAX_MS = 30_000


class Drain:
    """Stops one process's server, once. `committing` is the task that is `Committer.run`."""

    def __init__(
        self,
        health: Health,
        game: Game,
        matchmaker: Matchmaker,
        committer: Committer,
        committing: asyncio.Task[None],
        presence: Presence,
        connections: Connections,
        transports: Transports,
        metrics: Metrics,
    ) -> None:
        self._health = health
        self._game = game
        self._matchmaker = matchmaker
        self._committer = committer
        self._committing = committing
        self._presence = presence
        self._connections = connections
        self._transports = transports
        self._steps = metrics.drain_steps
        metrics.draining.read = lambda: health.draining
        self._closed = False

    @property
    def begun(self) -> bool:
        """Whether this server stops: it takes no new sessions and no new matches."""
        return self._health.draining

    def begin(self) -> None:
        """Turn readyz red, refuse new sessions and matches, tell every connection. A second call does nothing."""
        if self.begun:
            return
        self._health.draining = True
        self._game.stop_creating()
        self._matchmaker.stop()
        self._presence.stop()  # whoever goes from now on goes by the server's doing
        connections = len(self._connections)
        log.info("server_stopping", connections=connections)
        spread_ms = reconnect_spread_ms(connections)

        def farewell() -> bytes:
            event = ServerDraining(reconnect_in_ms=RECONNECT_FIRST_MS + randbelow(spread_ms))
            return frames.event("server_draining", event)

        self._connections.tell_all(farewell)

    async def run(self) -> None:
        """Stop in order, at most 5.5 seconds: `begin`, a moment for what is under way, `close`."""
        self.begin()
        if len(self._connections):
            await asyncio.sleep(GRACE_S)
        await self.close()

    async def close(self) -> None:
        """Finish what was taken, and close every socket. A second call does nothing."""
        self.begin()
        if self._closed:
            return
        self._closed = True
        self._committer.stop()
        if not await self._ends("commands", asyncio.wait({self._committing}), FINISH_S):
            self._committing.cancel()
            self._committer.refuse_queued()
        await self._ends("replies", self._connections.written(), WRITE_S)
        await self._ends("sockets", self._transports.close_all(), CLOSE_S)

    async def _ends(self, what: str, work: Awaitable[object], deadline_s: float) -> bool:
        """Wait for a step, and give it up at its deadline; tell whether it came to its end. Its faults stop no stop."""
        task = asyncio.ensure_future(work)
        # Not `wait_for`, which waits for the end of what it cancels.
        _, late = await asyncio.wait({task}, timeout=deadline_s)
        if late:
            task.cancel()
            log.warning("stopping_went_on", unfinished=what, after_s=deadline_s)
            self._steps.count("late")
            return False
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("stopping_step_failed", step=what, exc_info=error)
            self._steps.count("failed")
        else:
            self._steps.count("done")
        return True


def reconnect_spread_ms(connections: int) -> int:
    """Return over how many milliseconds so many clients are asked to spread their return."""
    return min(RECONNECT_SPREAD_MS + connections * RECONNECT_SPREAD_PER_CONNECTION_MS, RECONNECT_SPREAD_MAX_MS)
