"""What waits to be sent to one session, counted in bytes: who takes it too slowly is cut, never buffered without end.

python-engineio's own queue has no limit. Its writer takes all that waits at once and then writes packet by packet, so
that what it has taken counts until it is written; and what is written counts until the network has it.
"""

import asyncio
from collections.abc import Callable

from engineio.packet import Packet

PACKET_BYTES = 256
"""What a packet in memory costs beside its text."""


class SendQueue(asyncio.Queue[Packet | None]):
    """One session's packets. `cut` is called once, when more than `limit` bytes wait (0: never); all are dropped."""

    def __init__(self, limit: int, cut: Callable[["SendQueue"], None]) -> None:
        super().__init__()
        self._limit = limit
        self._cut = cut
        self._waiting = 0
        self._taken = 0
        self._is_cut = False
        self.unsent: Callable[[], int] = lambda: 0
        """How much of what was written the network does not have yet."""

    @property
    def size(self) -> int:
        """How much waits: here, in the writer's hands, and before the network."""
        return self._waiting + self._taken + self.unsent()

    def put_nowait(self, item: Packet | None) -> None:
        """Append a packet; None is the end. Of a session that was cut, only the end is taken."""
        if self._is_cut and item is not None:
            return
        super().put_nowait(item)
        if self._limit and self._waiting + self._taken > self._limit // 2 and self.size > self._limit:
            self._drop()

    async def get(self) -> Packet | None:
        """Take the first packet of a round; python-engineio has written the round before, or given it to a poll."""
        self._taken = 0
        return await super().get()

    def written(self, text: str) -> None:
        """Note that a frame was written."""
        self._taken = max(0, self._taken - weight(text))

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
