"""What this node has to say to the others, gathered until it is published."""

import asyncio
from collections.abc import Callable, Iterable

from pairquiz_server.web.elsewhere import publication
from pairquiz_server.web.elsewhere.publication import Publication, Told

WAITING_MAX = 4_000_000
"""Bytes that may wait for Redis; with more, all are dropped, and the other nodes catch their players up."""


class Outbox:
    """What one node has to say. `waits` is set when that is not only a sign of life, `empty` when all was published.

    `dropping` hears how many packets will never be published.
    """

    def __init__(self, node: str, dropping: Callable[[int], None] = lambda count: None) -> None:
        self._node = node
        self._dropping = dropping
        self._number = 0
        self._told: list[Told] = []
        self._bytes = 0
        self._dropped = False
        self._moves: dict[str, bool] = {}
        self._asks = False
        self._owes_players = False
        self.waits = asyncio.Event()
        self.empty = asyncio.Event()

    @property
    def waiting_bytes(self) -> int:
        """How much of what players are to be told is not taken yet."""
        return self._bytes

    def hello(self) -> None:
        """Say who is here, and ask who is elsewhere."""
        self._asks = self._owes_players = True
        self.waits.set()

    def ask(self) -> None:
        """Ask who is elsewhere."""
        self._asks = True
        self.waits.set()

    def say_who_is_here(self) -> None:
        """Say who is here: another node has asked."""
        self._owes_players = True
        self.waits.set()

    def move(self, player_id: str, *, here: bool) -> None:
        """Say that a player came, or went."""
        self._moves[player_id] = here
        self.waits.set()

    def tell(self, player_id: str, session_id: str, packet: bytes, *, version: int, live: bool) -> None:
        """Say what the connections of a player are to be told."""
        self.empty.clear()
        self._told.append(Told(player_id, session_id, version, live, packet.decode()))
        self._bytes += len(packet)
        if self._bytes > WAITING_MAX:
            self._drop()
        self.waits.set()

    def miss(self) -> None:
        """Leave out a number, by which the others know that they have missed something."""
        self._dropping(1)
        self._dropped = True

    def lose(self) -> None:
        """Drop all that was not published."""
        self._moves.clear()
        if self._told:
            self._drop()

    def take(self, players: Iterable[str]) -> bytes:
        """Return all that has to be said, as one publication; `players` are here."""
        self._number += 2 if self._dropped else 1
        whole = self._owes_players
        taken = Publication(
            node=self._node,
            number=self._number,
            asks=self._asks,
            players=list(players) if whole else None,
            came=[] if whole else [player_id for player_id, here in self._moves.items() if here],
            went=[] if whole else [player_id for player_id, here in self._moves.items() if not here],
            told=self._told,
        )
        self._dropped = self._asks = self._owes_players = False
        self._moves.clear()
        self._told, self._bytes = [], 0
        return publication.write(taken)

    def published(self) -> None:
        """Note that what was taken is on its way."""
        if not self._told:
            self.empty.set()

    def _drop(self) -> None:
        self._dropping(len(self._told))
        self._told.clear()
        self._bytes = 0
        self._dropped = True
