"""Players whose lines are as slow as a test wants: websockets that answer PING frames when they like, if at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMessage, WSMsgType

from tests.client import Client
from tests.conftest import Server

Habit = Callable[["DelayingSocket", bytes], None]
"""What is done about a PING, with its payload."""


class DelayingSocket:
    """A client's websocket, as far as `Client` uses it. It reads at once, so that a PING is met when it comes."""

    def __init__(self, socket: ClientWebSocketResponse, habit: Habit) -> None:
        self.socket = socket
        self.habit = habit
        self.frames: list[str] = []
        self.pings: list[bytes] = []
        self.pongs = 0
        self._pinged = asyncio.Event()
        self._ponged = asyncio.Event()
        self._messages: asyncio.Queue[WSMessage] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self.run(self._read())

    def run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def send_str(self, frame: str) -> None:
        await self.socket.send_str(frame)

    async def receive(self) -> WSMessage:
        return await self._messages.get()

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    def pong(self, payload: bytes, after_s: float = 0.0) -> None:
        """Answer, after a while."""

        async def answer() -> None:
            await asyncio.sleep(after_s)
            with suppress(ConnectionResetError):  # the server may have closed since
                await self.socket.pong(payload)
            self.pongs += 1
            self._ponged.set()

        self.run(answer())

    async def until_pinged(self, count: int) -> None:
        """Wait until so many PINGs have come."""
        while len(self.pings) < count:
            self._pinged.clear()
            await self._pinged.wait()

    async def until_ponged(self, count: int) -> None:
        """Wait until so many PONGs were sent."""
        while self.pongs < count:
            self._ponged.clear()
            await self._ponged.wait()

    async def _read(self) -> None:
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.PING:
                self.pings.append(message.data)
                self.habit(self, message.data)
                self._pinged.set()
            else:
                await self._messages.put(message)
            if message.type is WSMsgType.TEXT:
                self.frames.append(message.data)
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return


class Delaying(Client):
    """A player on such a line."""

    socket: DelayingSocket  # type: ignore[assignment]


@asynccontextmanager
async def delaying(server: Server, habit: Habit, *, token: str | None = None) -> AsyncIterator[Delaying]:
    """Connect, and wait for `welcome`."""
    async with (
        ClientSession() as session,
        session.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket", autoping=False) as raw,
    ):
        socket = DelayingSocket(raw, habit)
        client = Delaying(socket)  # type: ignore[arg-type]
        await client.send_frame("40" + (json.dumps({"token": token}) if token else ""))
        client.welcome = await client.event("welcome")
        try:
            yield client
        finally:
            socket.stop()


def late(*delays_s: float) -> Habit:
    """Answer each PING after the next of these delays, and then from the first on again."""

    def habit(socket: DelayingSocket, payload: bytes) -> None:
        socket.pong(payload, delays_s[(len(socket.pings) - 1) % len(delays_s)])

    return habit


def never(socket: DelayingSocket, payload: bytes) -> None:
    """Do not answer at all."""


Asking = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
