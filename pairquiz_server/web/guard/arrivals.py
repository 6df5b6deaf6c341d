"""How many come in: lines and connections, by address and in all, and how fast.

A TCP line is refused by dropping it; it counts from the moment that it is there, whatever is said on it. A Socket.IO
connection is refused at its handshake, by a status after which a stock client tries again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from pairquiz_server.config import Settings
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.web.guard.address import Asker, client_address, network
from pairquiz_server.web.guard.buckets import Buckets, Rate
from pairquiz_server.web.guard.limits import Limits
from pairquiz_server.web.guard.places import LINES_A_CONNECTION, Place, Places, Room
from pairquiz_server.web.guard.refusals import Refusals

_PLACE = web.RequestKey("place", Place)
_LIMITS = {Code.TOO_MANY_CONNECTIONS: "connections_per_address", Code.SERVER_FULL: "connections"}


class Arrivals:
    """The TCP lines and the Socket.IO connections of one process."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        refusals: Refusals,
        metrics: Metrics,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        total, per_address = settings.limits.connections, settings.limits.connections_per_address
        rate = Rate.per_minute(settings.limits.arrivals_per_minute_per_address)
        self._trusted_proxies = settings.server.trusted_proxies
        self._limits = limits
        self._refusals = refusals
        self._limited = metrics.limited
        self._now = now
        self._new_connections, self._new_lines = Buckets(rate), Buckets(rate)
        self.connections = Places(Room(total, per_address))
        # Behind proxies all lines are theirs: no address is one of a client.
        lines_an_address = 0 if self._trusted_proxies else per_address * LINES_A_CONNECTION
        self.lines = Places(Room(total * LINES_A_CONNECTION, lines_an_address))
        self._by_sid: dict[str, Place] = {}
        self._by_line: dict[object, Place] = {}
        metrics.connections.read = lambda: len(self.connections)
        metrics.connections_limit.read = lambda: total or None
        metrics.lines.read = lambda: len(self.lines)

    def address(self, request: Asker) -> str:
        """Return the address that a request counts for."""
        return network(client_address(request, self._trusted_proxies))

    @contextmanager
    def handshake(self, request: web.Request) -> Iterator[None]:
        """Take a place while a handshake is answered; it stays taken if a session comes of it (`keep`).

        Raises `Refused` (`too_many_connections`, `server_full`, `rate_limited`).
        """
        place = request[_PLACE] = self.arrive(self.address(request))
        try:
            yield
        finally:
            if not place.kept:
                place.leave()

    def arrive(self, address: str) -> Place:
        """Take a place for a session. Raises `Refused` as `handshake` does."""
        self._limits.before_token(address)
        return self._arrive(self.connections, self._new_connections, address)

    def would_take(self, address: str) -> bool:
        """Tell whether `arrive` would have a place for this address now, and take nothing."""
        return (
            not self._limits.held_back(address)
            and not self._new_connections.wait(address, self._now())
            and self.connections.full_for(address) is None
        )

    @staticmethod
    def place_of(request: web.Request) -> Place:
        """Return the place that a request has while its `handshake` is answered."""
        return request[_PLACE]

    def keep(self, eio_sid: str, place: Place) -> None:
        """Let a session have the place of its handshake, until `left`."""
        place.kept = True
        self._by_sid[eio_sid] = place

    def address_of(self, eio_sid: str) -> str:
        """Return the address from which a session was begun."""
        place = self._by_sid.get(eio_sid)
        return place.address if place else ""

    def connect(self, eio_sid: str) -> None:
        """Take what a CONNECT costs: a session's first nothing, one after a DISCONNECT as much as a new connection.

        Raises `Refused` (`too_many_connections`).
        """
        if place := self._by_sid.get(eio_sid):
            if place.connected:
                self._pay(self._new_connections, place.address)
            place.connected = True

    def left(self, eio_sid: str) -> None:
        """Give back the place of a session that is over."""
        if place := self._by_sid.pop(eio_sid, None):
            place.leave()

    def line_made(self, line: object, transport: asyncio.Transport) -> None:
        """Count a TCP line, and drop it where there are too many."""
        try:
            self._by_line[line] = self._line(transport)
        except Refused as refusal:
            self._refusals.note(f"line_{refusal.code}")
            # A little later: aiohttp has yet to begin with it, before it can end.
            asyncio.get_running_loop().call_soon(transport.abort)

    def line_handed_over(self, line: object, successor: object) -> None:
        """Let what carries a TCP line from now on have its place."""
        if place := self._by_line.pop(line, None):
            self._by_line[successor] = place

    def line_lost(self, line: object) -> None:
        """Give back the place of a TCP line."""
        if place := self._by_line.pop(line, None):
            place.leave()

    def _line(self, transport: asyncio.Transport) -> Place:
        peer = transport.get_extra_info("peername")
        address = network(peer[0]) if isinstance(peer, tuple) else ""
        if self._trusted_proxies:
            return self._take(self.lines, address)
        return self._arrive(self.lines, self._new_lines, address)

    def _arrive(self, places: Places, new: Buckets, address: str) -> Place:
        self._pay(new, address)
        return self._take(places, address)

    def _pay(self, new: Buckets, address: str) -> None:
        if wait_s := new.take(address, self._now()):
            self._limited.count("arrivals_per_minute_per_address")
            raise Refused(Code.TOO_MANY_CONNECTIONS, retry_in_ms=int(wait_s * 1000) + 1)

    def _take(self, places: Places, address: str) -> Place:
        try:
            return places.take(address)
        except Refused as refusal:
            self._limited.count(_LIMITS[refusal.code])
            raise
