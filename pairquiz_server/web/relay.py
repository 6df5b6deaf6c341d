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
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from msgspec import Struct
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError, ResponseError

from pairquiz_server.config import ConfigError
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.player import GHOST_ID
from pairquiz_server.web.sockets.connections import Connections

log = structlog.get_logger("pairquiz.relay")

BEAT_S = 2.0
"""The longest that a node is silent."""
SILENCE_S = 5.0
"""A node that is silent for so long is forgotten; one that does not hear itself for so long is deaf."""
ANSWER_TIMEOUT_S = 2.0
BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 1.0
WAITING_MAX = 4_000_000
"""Bytes that may wait for Redis; with more, all are dropped, and the other nodes catch their players up."""

FINISH_S = 0.5
"""How long a node that stops waits until its last publication is on its way."""

CatchUp = Callable[[], Awaitable[None]]
"""Sends all players of this node what they may have missed, however long that takes."""


class Told(Struct, array_like=True, frozen=True):
    """A packet for all connections of a player, the match's version, and whether the match goes on."""

    player_id: str
    session_id: str
    version: int
    live: bool
    packet: str


class Publication(Struct, array_like=True, frozen=True):
    """What a node has to say. New fields go to the end and have defaults: nodes of two versions meet in a release.

    `players` are all who are connected to it, None where only changes are told; whoever hears `asks` tells all.
    """

    node: str
    number: int
    asks: bool
    players: list[str] | None
    came: list[str]
    went: list[str]
    told: list[Told]


class _Other:
    """Another node: its last number, when it was heard (the loop's time), and its players, None where unknown."""

    __slots__ = ("heard_at", "number", "players")

    def __init__(self) -> None:
        self.number = 0
        self.heard_at = 0.0
        self.players: set[str] | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Publication)


class Relay:
    """The way to the other nodes. `tell` never waits and never fails; `run` keeps the way open for ever.

    `healthy` tells whether this node has lately heard itself through Redis.
    """

    def __init__(self, url: str, channel: str, connections: Connections) -> None:
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
        self._number = 0
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._catch_up_due = asyncio.Event()
        self._loss_is_logged = self._noise_is_logged = False
        self._open = False
        self.healthy = False
        self._told: list[Told] = []
        self._waiting = 0
        self._dropped = False
        self._moves: dict[str, bool] = {}
        self._asks = False
        self._owes_players = False
        self._hearers = math.inf
        self._others: dict[str, _Other] = {}
        connections.watch(self)

    def concerns(self, player_id: str) -> bool:
        """Tell whether a player may be connected to another node: all who hear us must have said that they are not."""
        if player_id == GHOST_ID:
            return False
        if not self._connections.present(player_id):
            return True
        known = 1  # this node, which hears itself
        for other in self._others.values():
            if other.players is not None:
                known += 1
                if player_id in other.players:
                    return True
        return self._hearers > known

    def tell(self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool) -> None:
        """Bring a packet of a match to the other nodes that a player concerns, with all else of this loop's turn."""
        if not self._open:
            self._dropped = True
            return
        self._idle.clear()
        self._told.append(Told(player_id, session_id, version, live, packet.decode()))
        self._waiting += len(packet)
        if self._waiting > WAITING_MAX:
            self._drop()
        self._wake.set()

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
                await asyncio.wait_for(self._idle.wait(), FINISH_S)

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
        """Say hello: all who are here, and the question who is elsewhere."""
        self._open = True
        self._asks = self._owes_players = True
        self._wake.set()

    def _end(self) -> None:
        """From now on nothing is known of the others, and what they are not told counts as dropped."""
        self._open = False
        for other in self._others.values():
            other.players = None
        self._hearers = math.inf
        self._moves.clear()
        if self._told:
            self._drop()

    def _drop(self) -> None:
        self._told.clear()
        self._waiting = 0
        self._dropped = True

    async def _listen(self, subscriber: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(SILENCE_S) as deafness:
            while True:
                _, _, data = await subscriber.read_response(disable_decoding=True, timeout=math.inf)
                if self._hear(data, loop.time()):
                    deafness.reschedule(loop.time() + SILENCE_S)

    async def _publish(self, publisher: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            self._forget_silent(loop.time())
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await publisher.send_command("PUBLISH", self._channel, self._take(), check_health=False)
                self._hearers = int(await publisher.read_response(timeout=math.inf))
            if not self._told:
                self._idle.set()

    def _take(self) -> bytes:
        """Make a publication of all that has to be said."""
        self._number += 2 if self._dropped else 1
        whole = self._owes_players
        publication = Publication(
            node=self._node,
            number=self._number,
            asks=self._asks,
            players=list(self._connections.players()) if whole else None,
            came=[] if whole else [player_id for player_id, here in self._moves.items() if here],
            went=[] if whole else [player_id for player_id, here in self._moves.items() if not here],
            told=self._told,
        )
        self._dropped = self._asks = self._owes_players = False
        self._moves.clear()
        self._told, self._waiting = [], 0
        return _encoder.encode(publication)

    def _hear(self, data: bytes, now: float) -> bool:
        """Take in a publication; tell whether it was this node's own."""
        try:
            publication = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if not self._noise_is_logged:
                self._noise_is_logged = True
                log.warning("publication_unreadable", bytes=len(data), hint="who else writes to our channel?")
            return False
        if publication.node == self._node:
            if not self.healthy:
                self._note_return()
            return True
        self._note_other(publication, now)
        for told in publication.told:
            packet = told.packet.encode()
            self._connections.tell(told.player_id, told.session_id, packet, version=told.version, live=told.live)
        return False

    def _note_other(self, publication: Publication, now: float) -> None:
        """Keep who is connected to another node. What it said before and we have not heard makes all of it doubtful."""
        other = self._others.setdefault(publication.node, _Other())
        if publication.number != other.number + 1:
            other.players = None
            self._catch_up_due.set()
        other.number = publication.number
        other.heard_at = now
        if publication.players is not None:
            other.players = set(publication.players)
        elif other.players is None:
            self._asks = True
            self._wake.set()
        else:
            other.players.update(publication.came)
            other.players.difference_update(publication.went)
        if publication.asks:
            self._owes_players = True
            self._wake.set()

    def _forget_silent(self, now: float) -> None:
        for node, other in list(self._others.items()):
            if now - other.heard_at > SILENCE_S:
                del self._others[node]
                # What it had committed and not yet published when it died, nobody will ever tell.
                self._catch_up_due.set()

    def came(self, player_id: str) -> None:
        """Tell the other nodes that a player came."""
        self._move(player_id, here=True)

    def went(self, player_id: str, cause: Cause) -> None:
        """Tell the other nodes that a player went."""
        self._move(player_id, here=False)

    def _move(self, player_id: str, *, here: bool) -> None:
        """Tell the other nodes, if there are any; a new one asks for all."""
        if self._open and self._hearers > 1:
            self._moves[player_id] = here
            self._wake.set()

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
