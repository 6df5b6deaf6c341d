"""How many lines and connections there are, in all and by address: each takes a place, and gives it back once.

A line is a TCP connection, whatever is said on it, or nothing at all. A connection is a Socket.IO session: it may have
no line (between two polls) or two (while it upgrades).
"""

from collections import Counter

from msgspec import Struct

from pairquiz_server.rules.errors import Code, Refused

RETRY_IN_MS = 5000
LINES_A_CONNECTION = 2
"""A page polls by one line, sends by another, and drops both for a websocket."""


class Room(Struct, frozen=True):
    """How many places there are; 0 is no limit."""

    total: int
    per_address: int


class Place(Struct, eq=False, gc=False):
    """What one line or connection takes up, until it leaves."""

    places: "Places | None"
    address: str
    kept: bool = False
    """Whether a session came of its handshake."""
    connected: bool = False
    """Whether that session has said who it is."""

    def leave(self) -> None:
        """Give the place back. A second call does nothing."""
        places, self.places = self.places, None
        if places is not None:
            places.left(self.address)


class Places:
    """The places of one kind."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken: Counter[str] = Counter()
        self._total = 0

    def take(self, address: str) -> Place:
        """Return a place for somebody from this address. Raises `Refused` (`server_full`, `too_many_connections`)."""
        if (full := self.full_for(address)) is not None:
            raise Refused(full, retry_in_ms=RETRY_IN_MS)
        self._taken[address] += 1
        self._total += 1
        return Place(self, address)

    def full_for(self, address: str) -> Code | None:
        """Tell why there is no place for somebody from this address, if there is none."""
        if self._room.per_address and self._taken[address] >= self._room.per_address:
            return Code.TOO_MANY_CONNECTIONS
        if self._room.total and self._total >= self._room.total:
            return Code.SERVER_FULL
        return None

    def left(self, address: str) -> None:
        """Hear of a place that is free again."""
        self._total -= 1
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]

    def addresses(self) -> int:
        """Return from how many addresses somebody is here."""
        return len(self._taken)

    def __len__(self) -> int:
        """Return how many places are taken."""
        return self._total
