"""Who is connected to this process, and the way out to them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Protocol

from engineio.packet import MESSAGE, Packet

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.player import Player
from pairquiz_server.web.auth import Identity


class OutgoingQueue(Protocol):
    """What a connection needs of its Engine.IO socket's queue."""

    def put_nowait(self, item: Packet) -> None:
        """Append a packet."""


class Connection:
    """One socket of a player. What is sent before `welcome` waits behind it."""

    __slots__ = ("_held", "_queue", "_under_way", "eio_sid", "identity")

    def __init__(self, eio_sid: str, identity: Identity, queue: OutgoingQueue) -> None:
        self.eio_sid = eio_sid
        self.identity = identity
        self._queue = queue
        self._held: list[str] | None = []
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def player(self) -> Player:
        """Who is behind it."""
        return self.identity.player

    def carry_on(self, work: Coroutine[None, None, None]) -> None:
        """Let a command go its way while the next frame is read; those before it have begun."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settled(self) -> None:
        """Wait until all commands that were let go are answered."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    def send(self, text: str) -> None:
        """Put a Socket.IO packet on its way. Never waits, never fails."""
        if self._held is not None:
            self._held.append(text)
        else:
            self._queue.put_nowait(Packet(MESSAGE, text))

    def welcome(self, text: str) -> None:
        """Send the first packet, and then what has waited behind it."""
        held, self._held = self._held or [], None
        for packet in (text, *held):
            self.send(packet)


class Connections:
    """All connections of this process, by player: `came` hears of a player's first, `went` of the end of the last."""

    def __init__(self, came: Callable[[str], None], went: Callable[[str, Cause], None]) -> None:
        self._came = came
        self._went = went
        self._by_player: dict[str, list[Connection]] = {}

    def add(self, connection: Connection) -> None:
        """Note a connection; from now on it hears what its player hears."""
        of_player = self._by_player.setdefault(connection.player.id, [])
        of_player.append(connection)
        if len(of_player) == 1:
            self._came(connection.player.id)

    def remove(self, connection: Connection, cause: Cause) -> None:
        """Forget a connection that is gone. The one that is left behind by a newer one ends nobody's presence."""
        rest = [one for one in self._by_player.pop(connection.player.id, []) if one is not connection]
        if rest:
            self._by_player[connection.player.id] = rest
        else:
            self._went(connection.player.id, cause)

    def of(self, player_id: str) -> Iterable[Connection]:
        """Return the connections of a player."""
        return self._by_player.get(player_id, ())
