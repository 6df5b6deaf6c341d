"""The way out of a websocket: what is sent to it within one turn of the loop leaves by one write.

python-engineio has a queue for it, and a task that empties the queue; a link stands in that queue's place. What the
network does not take waits in the transport. Nobody looks at how much that is while the transport has not told that it
is more than a little (`pause_writing`).
"""

import asyncio

import structlog
from engineio.packet import CLOSE, Packet

from pairquiz_server.web.sockets import framing
from pairquiz_server.web.sockets.framing import MESSAGE_HEADERS, READY_HEADERS

log = structlog.get_logger("pairquiz.socket")

CLEAR_EVERY_S = 0.01
"""How often somebody who waits for all to be written looks."""


class Turn:
    """The links to which something was sent in this turn of the loop; at its end each is written to."""

    __slots__ = ("_links", "_loop")

    def __init__(self) -> None:
        self._links: list[Link] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, link: "Link") -> None:
        """Let a link be written to, at the end."""
        if not self._links:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._end)
        self._links.append(link)

    def _end(self) -> None:
        links, self._links = self._links, []
        for link in links:
            try:
                link.flush()
            except Exception:  # of one; the others have nothing to do with it
                log.exception("write_failed")


class Link:
    """The sending half of a websocket. Its transport is None before it is open, and when it is gone."""

    __slots__ = ("_pieces", "_turn", "choked", "closing", "transport")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._pieces: list[bytes] = []
        self.transport: asyncio.Transport | None = None
        self.choked = False
        """Whether more than a little waits for the network."""
        self.closing = False
        """Whether CLOSE was written, behind which comes nothing more."""

    def send(self, packet: bytes) -> None:
        """Put a Socket.IO packet on its way. Never waits, never fails."""
        pieces = self._pieces
        if not pieces:
            self._turn.add(self)
        size = len(packet)
        pieces += (MESSAGE_HEADERS[size] if size < READY_HEADERS else framing.message_header(size), packet)

    def begin(self, head: bytes) -> None:
        """Put the end of the handshake on its way, with the first frames behind it."""
        self._turn.add(self)
        self._pieces.append(head)

    def send_frame(self, kind: int, data: bytes) -> None:
        """Put a frame of the websocket on its way."""
        if not self._pieces:
            self._turn.add(self)
        self._pieces.append(framing.header(kind, len(data)) + data)

    def flush(self) -> None:
        """Write what was sent."""
        pieces = self._pieces
        if pieces and self.transport is not None and not self.closing:
            self.transport.write(b"".join(pieces))
            if self.choked:
                self.waits(self.transport.get_write_buffer_size())
        pieces.clear()

    def waits(self, unsent: int) -> None:
        """Hear that so many bytes wait for the network."""
        raise NotImplementedError

    def leave(self) -> None:
        """Say goodbye, and close."""
        raise NotImplementedError

    @property
    def clear(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._pieces and self.transport is not None and not self.transport.get_write_buffer_size()

    # What python-engineio asks of a session's queue.

    async def put(self, item: Packet | None) -> None:
        """Send a packet of the library's own; None is the end."""
        self.put_nowait(item)

    def put_nowait(self, item: Packet | None) -> None:
        """Send a packet of the library's own; None is the end."""
        if item is not None:
            self.send_frame(framing.TEXT, item.encode().encode(errors="replace"))
        if item is None or item.packet_type == CLOSE:
            self.leave()

    def get_nowait(self) -> Packet | None:
        """Nothing waits here for a poll: one that began before the upgrade ends with what it has."""
        raise asyncio.QueueEmpty

    def task_done(self) -> None:
        """Hear that a poll has taken something: of the queue before."""

    async def join(self) -> None:
        """Wait until all that was sent is in the network's hands, or the websocket is gone."""
        while self.transport is not None and not self.clear:  # noqa: ASYNC110 - a transport tells nobody
            await asyncio.sleep(CLEAR_EVERY_S)
