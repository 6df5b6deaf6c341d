"""Who is connected to this process, and the way out to them."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.lag import RoundTrips, lag_of
from pairquiz_server.rules.player import Player
from pairquiz_server.web.guard.buckets import Bucket
from pairquiz_server.web.identity.auth import Identity


class Outgoing(Protocol):
    """What carries packets out: a websocket's link, or the queue of a session that is polled."""

    @property
    def trips(self) -> RoundTrips:
        """What was measured of it."""

    def send(self, packet: bytes) -> None:
        """Put a Socket.IO packet on its way. Never waits, never fails."""

    async def join(self) -> None:
        """Wait until every packet was taken."""


class EngineSession(Protocol):
    """What a connection needs of its Engine.IO session."""

    queue: Outgoing
    """Another one after an upgrade."""


class Watcher(Protocol):
    """Hears of players, by their ids."""

    def came(self, player_id: str) -> None:
        """Hear of a player's first connection."""

    def went(self, player_id: str, cause: Cause) -> None:
        """Hear of the end of a player's last connection."""


class Connection:
    """One socket of a player, and what it may send. What is sent to it before `welcome` waits behind it.

    `under_way` is how many commands are not answered yet. Of one that is `gone` nothing more is carried out.
    """

    __slots__ = ("_calm", "_held", "_session", "address", "commands", "eio_sid", "gone", "identity", "under_way")

    def __init__(
        self, eio_sid: str, identity: Identity, session: EngineSession, address: str, commands: Bucket
    ) -> None:
        self.eio_sid = eio_sid
        self.identity = identity
        self.address = address
        self.commands = commands
        self._session = session
        self._held: list[bytes] | None = []
        self.under_way = 0
        self.gone = False
        self._calm: asyncio.Event | None = None

    @property
    def player(self) -> Player:
        """Who is behind it."""
        return self.identity.player

    @property
    def trips(self) -> RoundTrips:
        """What was measured of what carries it."""
        return self._session.queue.trips

    def answered(self) -> None:
        """Note that a command which is under way has its answer."""
        self.under_way -= 1
        if self._calm is not None and not self.under_way:
            self._calm.set()
            self._calm = None

    async def settled(self) -> None:
        """Wait until no command is under way."""
        while self.under_way:
            if self._calm is None:
                self._calm = asyncio.Event()
            await self._calm.wait()

    def send(self, packet: bytes) -> None:
        """Put a Socket.IO packet on its way. Never waits, never fails."""
        if self._held is not None:
            self._held.append(packet)
        else:
            self._session.queue.send(packet)

    async def written(self) -> None:
        """Wait until what was sent was handed to the network, or to a poll."""
        await self._session.queue.join()

    def welcome(self, *packets: bytes) -> None:
        """Send the first packets, and then what has waited behind them."""
        held, self._held = self._held or [], None
        for packet in (*packets, *held):
            self.send(packet)


class Connections:
    """All connections of this process, by player, and the live matches that these players have heard of here."""

    def __init__(self) -> None:
        self._by_player: dict[str, list[Connection]] = {}
        self._followed: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._watchers: list[Watcher] = []
        self._farewell: Callable[[], bytes] | None = None
        self._standing: bytes | None = None

    def watch(self, watcher: Watcher) -> None:
        """Let `watcher` hear, from now on, of the players who come and go."""
        self._watchers.append(watcher)

    def add(self, connection: Connection) -> None:
        """Note a connection; from now on it hears what its player hears."""
        player_id = connection.player.id
        of_player = self._by_player.setdefault(player_id, [])
        of_player.append(connection)
        if len(of_player) == 1:
            for watcher in self._watchers:
                watcher.came(player_id)
        if self._standing is not None:
            connection.send(self._standing)
        if self._farewell is not None:
            connection.send(self._farewell())

    def remove(self, connection: Connection, cause: Cause) -> None:
        """Forget a connection that is gone. One that has a successor ends nobody's presence."""
        connection.gone = True
        player_id = connection.player.id
        before = self._by_player.pop(player_id, [])
        rest = [one for one in before if one is not connection]
        if rest:
            self._by_player[player_id] = rest
        elif before:
            self._followed.pop(player_id, None)
            for watcher in self._watchers:
                watcher.went(player_id, cause)

    def rename(self, player_id: str, display_name: str) -> None:
        """Note what a player is called from now on."""
        for connection in self.of(player_id):
            player = replace(connection.player, display_name=display_name)
            connection.identity = replace(connection.identity, player=player)

    def of(self, player_id: str) -> Sequence[Connection]:
        """Return the connections of a player."""
        return self._by_player.get(player_id, ())

    def lag_ms(self, connection: Connection) -> int:
        """Return the lag of a connection's line: of those of the same player, the quickest decides."""
        tabs = self._by_player.get(connection.identity.player.id, ())
        if len(tabs) == 1:
            return connection.trips.typical_ms or 0
        return lag_of(connection.trips, [tab.trips for tab in tabs])

    def trip_ms(self, player_id: str) -> int | None:
        """Return the typical round trip of a player's quickest line here, None where none is measured."""
        trips = [one.trips.typical_ms for one in self.of(player_id) if one.trips.typical_ms is not None]
        return min(trips, default=None)

    def tell_all(self, farewell: Callable[[], bytes]) -> None:
        """Send every connection a packet that is made for it alone, and so each that is added from now on."""
        self._farewell = farewell
        for connection in self:
            connection.send(farewell())

    def proclaim(self, packet: bytes, *, stands: bool) -> None:
        """Send every connection a packet; where it `stands`, so also each that is added until the next one."""
        self._standing = packet if stands else None
        for connection in self:
            connection.send(packet)

    async def written(self) -> None:
        """Wait until what was sent to each connection was handed to the network, or to a poll."""
        await asyncio.gather(*(connection.written() for connection in self))

    def __iter__(self) -> Iterator[Connection]:
        """Go through the connections of all players."""
        return iter([connection for group in self._by_player.values() for connection in group])

    def __len__(self) -> int:
        """Return how many connections there are."""
        return sum(map(len, self._by_player.values()))

    def present(self, player_id: str) -> bool:
        """Tell whether a player has a connection here."""
        return player_id in self._by_player

    def players(self) -> Iterable[str]:
        """Return the ids of all players who are connected here."""
        return self._by_player.keys()

    def tell(
        self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool, but: object = None
    ) -> None:
        """Send a packet of a match to a player's connections, but for one; `live` tells whether the match goes on."""
        for connection in self.hearers(player_id, session_id, version, live, but):
            connection.send(packet)

    def hearers(
        self, player_id: str, session_id: str, version: int, live: bool, but: object = None
    ) -> Sequence[Connection]:
        """Note that a player hears of a match in this version, and return the player's connections, but for one."""
        connections = self._by_player.get(player_id)
        if connections is None:
            return ()  # gone, while the match was read or written
        followed = self._followed[player_id]
        if not live:
            followed.pop(session_id, None)
        elif version > followed.get(session_id, 0):
            followed[session_id] = version
        if but is None:
            return connections
        if len(connections) == 1:
            return () if connections[0] is but else connections
        return [connection for connection in connections if connection is not but]

    def follow(self, player_id: str, session_id: str, *, version: int, live: bool) -> None:
        """Note that a player who is connected here knows a live match in this version, or that it is over."""
        self.hearers(player_id, session_id, version, live)

    def live_here(self, player_id: str) -> int | None:
        """Return of how many live matches a player has heard who is connected here, None of one who is not."""
        return len(self.followed(player_id)) if player_id in self._by_player else None

    def followed(self, player_id: str) -> Mapping[str, int]:
        """Return the matches of whose end a player has not heard here: session id → the last version heard."""
        return self._followed.get(player_id, {})
