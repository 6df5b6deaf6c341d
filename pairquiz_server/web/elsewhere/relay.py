"""What one process tells its players, carried to those of them who are connected to other processes (nodes).

All nodes of one database publish and subscribe on one Redis channel. What a batch of commands makes leaves in one
PUBLISH, and what arrives goes to this node's own connections and is never published again. Redis keeps nothing and
promises nothing: PostgreSQL is the truth, and whoever has missed something gets the `quiz_state` of their matches.

- A publication is numbered. A number that is left out, and every new subscription, mean that this node's players may
  have missed something, and they are caught up.
- Nodes tell each other who is connected to them, so that what concerns only this node's players is not published. Such
  a hint may be old for the milliseconds in which it travels: an event may then be missed by a connection that has just
  been opened, whose player sees it by the gap in `version` and resumes.
- A node hears its own publications too. If it does not, its subscription is deaf, and it is opened anew.
"""

import asyncio
import contextlib
import math
import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError, ResponseError

from pairquiz_server.config import ConfigError
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.player import GHOST_ID
from pairquiz_server.web.elsewhere import others, publication
from pairquiz_server.web.elsewhere.others import Others
from pairquiz_server.web.elsewhere.outbox import Outbox
from pairquiz_server.web.sockets.connections import Connections

log = structlog.get_logger("pairquiz.relay")

BEAT_S = 2.0
"""The longest that a node is silent."""
ANSWER_TIMEOUT_S = 2.0
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 1.0
FINISH_S = 0.5
"""How long a node that stops waits until its last publication is on its way."""

CatchUp = Callable[[], Awaitable[None]]
"""Sends all players of this node what they may have missed, however long that takes."""


class Relay:
    """The way to the other nodes. `tell` never waits and never fails; `run` keeps the way open for ever.

    `healthy` tells whether this node has lately heard itself through Redis.
    """

    def __init__(self, url: str, channel: str, connections: Connections, metrics: Metrics | None = None) -> None:
        """Prepare the way; nothing is connected yet. Raises `ConfigError` for an address that Redis' client refuses."""
        try:
            # RESP 2: with 3, a server that does not know it repeats the password in its refusal.
            self._pool = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, socket_connect_timeout=None)
            self._connection()
        except (ValueError, TypeError, AttributeError):
            raise ConfigError(
                "REDIS_URL has options that Redis' client does not know: leave out what stands behind ?"
            ) from None
        self._channel = channel
        self._connections = connections
        self._node = secrets.token_hex(8)
        self._metrics = metrics or Metrics()
        self._outbox = Outbox(self._node, self._metrics.redis_dropped_packets.inc)
        self._others = Others()
        self._catch_up_due = asyncio.Event()
        self._loss_is_logged = self._noise_is_logged = False
        self._open = False
        self.healthy = False
        self._echoed_at = time.monotonic()
        self._show(self._metrics)
        connections.watch(self)

    def concerns(self, player_id: str) -> bool:
        """Tell whether a player may be connected to another node."""
        if player_id == GHOST_ID:
            return False
        if not self._connections.present(player_id):
            return True
        return self._others.may_have(player_id)

    def tell(self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool) -> None:
        """Bring a packet of a match to the other nodes that a player concerns, with all else of this loop's turn."""
        if self._open:
            self._outbox.tell(player_id, session_id, packet, version=version, live=live)
        else:
            self._outbox.miss()

    async def run(self, catch_up: CatchUp) -> None:
        """Keep the way open until cancelled: whatever fails is opened anew."""
        catching_up = asyncio.create_task(self._keep_caught_up(catch_up))
        backoff = BACKOFF_FIRST_S
        try:
            while True:
                try:
                    await self._session()
                except* (RedisError, OSError, TimeoutError, RuntimeError) as lost:  # the last by uvloop's closed lines
                    self._note_loss(lost.exceptions[0])
                except* Exception:
                    log.exception("relay_failed")
                self._metrics.redis_losses.inc()
                backoff = BACKOFF_FIRST_S if self.healthy else min(backoff * 2, BACKOFF_MAX_S)
                self.healthy = False
                await asyncio.sleep(backoff)
        finally:
            self.healthy = False
            catching_up.cancel()
            await asyncio.wait({catching_up})

    async def finish(self) -> None:
        """Wait until all that was told is at Redis, if it is there at all: at most `FINISH_S`."""
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._outbox.empty.wait(), FINISH_S)

    async def _session(self) -> None:
        """Subscribe and publish until one of the two fails; neither is of use without the other."""
        subscriber, publisher = self._connection(), self._connection()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await subscriber.connect()
                await publisher.connect()
                await subscriber.send_command("SUBSCRIBE", self._channel)
                await subscriber.read_response(timeout=math.inf)
            self._begin()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(subscriber))
                tasks.create_task(self._publish(publisher))
        finally:
            self._end()
            await subscriber.disconnect(nowait=True)
            await publisher.disconnect(nowait=True)

    def _connection(self) -> AbstractConnection:
        connection: AbstractConnection = self._pool.make_connection()
        return connection

    def _begin(self) -> None:
        self._open = True
        self._outbox.hello()

    def _end(self) -> None:
        """From now on nothing is known of the others, and what they are not told counts as dropped."""
        self._open = False
        self._others.lose()
        self._outbox.lose()

    async def _listen(self, subscriber: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(others.SILENCE_S) as deafness:
            while True:
                _, _, data = await subscriber.read_response(disable_decoding=True, timeout=math.inf)
                if self._hear(data, loop.time()):
                    deafness.reschedule(loop.time() + others.SILENCE_S)

    async def _publish(self, publisher: AbstractConnection) -> None:
        loop, outbox = asyncio.get_running_loop(), self._outbox
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    await outbox.waits.wait()
            except TimeoutError:
                pass
            outbox.waits.clear()
            if self._others.forget_silent(loop.time()):
                # What one had committed and not yet published when it died, nobody will ever tell.
                self._catch_up_due.set()
            data = outbox.take(self._connections.players())
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await publisher.send_command("PUBLISH", self._channel, data, check_health=False)
                self._others.hearers = int(await publisher.read_response(timeout=math.inf))
            outbox.published()
            self._metrics.redis_publications.inc()
            self._metrics.redis_published_bytes.inc(len(data))

    def _hear(self, data: bytes, now: float) -> bool:
        """Take in a publication; tell whether it was this node's own."""
        self._metrics.redis_received.inc()
        self._metrics.redis_received_bytes.inc(len(data))
        try:
            heard = publication.read(data)
        except publication.Unreadable:
            if not self._noise_is_logged:
                self._noise_is_logged = True
                log.warning("publication_unreadable", bytes=len(data), hint="who else writes to our channel?")
            return False
        if heard.node == self._node:
            self._echoed_at = time.monotonic()
            if not self.healthy:
                self._note_return()
            return True
        if not self._others.note(heard, now):
            self._metrics.redis_gaps.inc()
            self._catch_up_due.set()
        if not self._others.know(heard.node):
            self._outbox.ask()
        if heard.asks:
            self._outbox.say_who_is_here()
        for told in heard.told:
            packet = told.packet.encode()
            self._connections.tell(told.player_id, told.session_id, packet, version=told.version, live=told.live)
        return False

    def came(self, player_id: str) -> None:
        """Tell the other nodes that a player came."""
        self._move(player_id, here=True)

    def went(self, player_id: str, cause: Cause) -> None:
        """Tell the other nodes that a player went."""
        self._move(player_id, here=False)

    def _move(self, player_id: str, *, here: bool) -> None:
        """Tell the other nodes, if there are any; a new one asks for all."""
        if self._open and self._others.hearers > 1:
            self._outbox.move(player_id, here=here)

    def _show(self, metrics: Metrics) -> None:
        metrics.redis_up.read = lambda: self.healthy
        metrics.redis_echo_age_seconds.read = lambda: time.monotonic() - self._echoed_at
        metrics.redis_hearers.read = lambda: None if math.isinf(self._others.hearers) else self._others.hearers
        metrics.redis_waiting_bytes.read = lambda: self._outbox.waiting_bytes

    async def _keep_caught_up(self, catch_up: CatchUp) -> None:
        while True:
            await self._catch_up_due.wait()
            self._catch_up_due.clear()
            try:
                await catch_up()
            except Exception:
                log.exception("catch_up_failed")

    def _note_loss(self, error: BaseException) -> None:
        if not self._loss_is_logged:
            self._loss_is_logged = True
            # What the server says may repeat what it was sent, a password too.
            reason = "" if isinstance(error, ResponseError) else str(error)
            log.warning("redis_lost", reason=reason or type(error).__name__, hint="players of other nodes hear later")

    def _note_return(self) -> None:
        """Note that this node hears itself. Whatever was said before now, its players may have missed."""
        self.healthy = True
        self._loss_is_logged = False
        self._catch_up_due.set()
        log.info("redis_connected")
