"""A TCP proxy that can be slow, silent, and cruel. One stands before each server, and one before its database."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]

CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)


class Link:
    """One connection through the proxy.

    `frozen` holds everything back in both directions, `deaf` throws away what the far side sends.
    `marked` tells that a text the proxy looks for has passed.
    """

    def __init__(self, near: Streams, far: Streams, proxy: "Proxy") -> None:
        self.deaf = False
        self.marked = False
        self.thawed = asyncio.Event()
        self.thawed.set()
        self.on_request: Callable[[], None] | None = None
        self.on_answer: Callable[[], None] | None = None
        self._near = near
        self._far = far
        self._proxy = proxy

    async def run(self) -> None:
        """Carry bytes until either side is gone."""
        ways = [
            asyncio.create_task(self._carry(self._near[0], self._far[1], outward=True)),
            asyncio.create_task(self._carry(self._far[0], self._near[1], outward=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for _, writer in (self._near, self._far):
                writer.close()

    def cut(self) -> None:
        """End it on both sides at once, with a reset."""
        for _, writer in (self._near, self._far):
            wire = writer.get_extra_info("socket")
            if wire is not None and wire.family != socket.AF_UNIX:
                with suppress(OSError):
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool) -> None:
        with suppress(ConnectionError, OSError):
            while data := await reader.read(CHUNK):
                if self._proxy.delay_s:
                    await asyncio.sleep(self._proxy.delay_s)
                await self.thawed.wait()
                if outward:
                    self.marked = self.marked or (self._proxy.mark is not None and self._proxy.mark in data)
                elif self.on_answer is not None:
                    self.on_answer()  # the answer is there, and nobody will get it
                    return
                elif self.deaf:
                    continue
                writer.write(data)
                await writer.drain()
                if outward and self.on_request is not None:
                    self.on_request()


class Proxy:
    """Listens on a port of its own, and carries each connection to where `connect` leads.

    `delay_s` holds back each chunk, in each direction. `mark` is a text by which links are told apart.
    """

    def __init__(self, connect: Connect, *, mark: bytes | None = None) -> None:
        self.links: set[Link] = set()
        self.delay_s = 0.0
        self.refusing = False
        self.mark = mark
        self.port = 0
        self._connect = connect
        self._server: asyncio.Server | None = None
        self._frozen = False
        self._carrying: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on any port that is free."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and cut everything."""
        if self._server is not None:
            self._server.close()
        for link in list(self.links):
            link.cut()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def freeze(self) -> None:
        """Hold back everything, also on connections to come."""
        self._frozen = True
        for link in self.links:
            link.thawed.clear()

    def thaw(self) -> None:
        """Let it all go on."""
        self._frozen = False
        for link in self.links:
            link.thawed.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: one that asyncio makes complains where it is cancelled.
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = Link((reader, writer), far, self)
        if self._frozen:
            link.thawed.clear()
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)
