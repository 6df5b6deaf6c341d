"""A line to PostgreSQL that loses what a test wants lost: a TCP proxy before the server's Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

CHUNK = 1 << 16


class Line:
    """Connections through a proxy. `lose_answer_to` and `lose` name, once, what is cut: bytes that a client sends."""

    def __init__(self, dsn: str) -> None:
        address = urlsplit(dsn)
        options = parse_qs(address.query)
        self._socket = f"{options['host'][0]}/.s.PGSQL.{options['port'][0]}"
        self._database = address.path
        self._user = address.username
        self._port = 0
        self.lose_answer_to: bytes | None = None
        self.lose: bytes | None = None
        self.cuts = 0
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def dsn(self) -> str:
        """The address for asyncpg, through the proxy."""
        return f"postgresql://{self._user}@127.0.0.1:{self._port}{self._database}?sslmode=disable"

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Line"]:
        """Carry connections while inside; those that are left are cut."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for carrying in self._carrying:
                carrying.cancel()
            if self._carrying:
                await asyncio.wait(self._carrying)

    async def _carry(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        writers = [client]
        ways: list[asyncio.Task[None]] = []
        try:
            with suppress(OSError, asyncio.CancelledError):  # no server: the client hears of it by the end of its line
                server_reader, server = await asyncio.open_unix_connection(self._socket)
                writers.append(server)
                mute = asyncio.Event()
                ways.append(asyncio.create_task(self._ask(client_reader, server, mute)))
                ways.append(asyncio.create_task(self._answer(server_reader, client, mute)))
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for writer in writers:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
            self._carrying.discard(task)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if self.lose is not None and self.lose in chunk:
                    self.lose = None
                    self.cuts += 1
                    return
                if self.lose_answer_to is not None and self.lose_answer_to in chunk:
                    self.lose_answer_to = None
                    mute.set()
                writer.write(chunk)
                await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if mute.is_set():  # the server has done what it was asked, and says so
                    self.cuts += 1
                    return
                writer.write(chunk)
                await writer.drain()
