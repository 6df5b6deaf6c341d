"""What waits to be sent to a session that is polled, counted in bytes: who polls too rarely is cut.

python-engineio's own queue has no limit. A poll takes all that waits at once; that counts until the next one comes.
"""

import asyncio
from collections.abc import Callable

from engineio.packet import MESSAGE, Packet

from pairquiz_server.rules.lag import UNMEASURED
from pairquiz_server.web.guard.pace import Pace

PACKET_BYTES = 256
"""What a packet in memory costs beside its text."""


class SendQueue(asyncio.Queue[Packet | None]):
    """One session's packets. `cut` is called once, when more than `limit` bytes wait (0: never); all are dropped.

    Beside it lies the pace at which the session is read.
    """

    trips = UNMEASURED
    """Nobody measures how long a poll is under way."""

    def __init__(self, limit: int, cut: Callable[["SendQueue"], None], pace: Pace) -> None:
        super().__init__()
        self.pace = pace
        self._limit = limit
        self._cut = cut
        self._waiting = 0
        self._taken = 0
        self._is_cut = False

    @property
    def size(self) -> int:
        """How much waits: here, and in the poll that is answered."""
        return self._waiting + self._taken

    def send(self, packet: bytes) -> None:
        """Append a Socket.IO packet."""
        self.put_nowait(Packet(MESSAGE, packet.decode()))

    def put_nowait(self, item: Packet | None) -> None:
        """Append a packet; None is the end. Of a session that was cut, only the end is taken."""
        if self._is_cut and item is not None:
            return
        super().put_nowait(item)
        if self._limit and self.size > self._limit:
            self._drop()

    async def get(self) -> Packet | None:
        """Take the first packet of a poll; the poll before has had its own."""
        self._taken = 0
        return await super().get()

    def _put(self, item: Packet | None) -> None:
        if item is not None:
            self._waiting += weight(item.data)
        super()._put(item)

    def _get(self) -> Packet | None:
        item: Packet | None = super()._get()
        if item is not None:
            size = weight(item.data)
            self._waiting -= size
            self._taken += size
        return item

    def _drop(self) -> None:
        self._is_cut = True
        while not self.empty():
            self.get_nowait()
            self.task_done()
        self._taken = 0
        super().put_nowait(None)
        self._cut(self)


def weight(data: object) -> int:
    """Return what a packet with this data counts."""
    if not isinstance(data, str):
        return PACKET_BYTES  # a handshake's few values, or nothing
    return PACKET_BYTES + (len(data) if data.isascii() else len(data.encode(errors="replace")))
