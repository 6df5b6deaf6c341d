"""A player's line to a server that a test can cut, before or behind an answer: a TCP proxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 1 << 16


class Cable:
    """Carries connections to a server. `lose_next_answer` cuts a connection in place of what the server says next."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._server_port = address.hostname, address.port
        self.port = 0
        self.cuts = 0
        self._losing = False
        self._carrying: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End all connections without a word."""
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    def lose_next_answer(self) -> None:
        self._losing = True

    @asynccontextmanager
    async def laid(self) -> AsyncIterator["Cable"]:
        """Carry connections while inside."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            if self._carrying:
                await asyncio.wait(self._carrying)

    async def _carry(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        writers = {to_client}
        try:
            with suppress(OSError):
                from_server, to_server = await asyncio.open_connection(self._host, self._server_port)
                writers.add(to_server)
                self._writers |= writers
                ways = [self._copy(from_client, to_server), self._copy(from_server, to_client, answers=True)]
                tasks = [asyncio.ensure_future(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for way in tasks:
                    way.cancel()
        finally:
            self._writers -= writers
            for writer in writers:
                writer.transport.abort()
            self._carrying.discard(task)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if answers and self._losing:
                    self._losing = False
                    self.cut()
                    return
                writer.write(chunk)
                await writer.drain()
