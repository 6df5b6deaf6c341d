"""One Socket.IO connection over a websocket, which writes down everything that passes."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType

from tests.chaos.history import Command, History, Payload

CONNECT_S = 4.0

Hear = Callable[[str, Payload], None]


class Down(Exception):
    """There is no connection, or it is gone."""


class Line:
    """A connection that has had its `welcome`. `hear` gets each event, and each acknowledgement as `ack:<kind>`."""

    def __init__(self, socket: ClientWebSocketResponse, history: History, node: int, hear: Hear) -> None:
        self.number = history.connect(node)
        self.welcome: Payload = {}
        self.player = ""
        self.gone = asyncio.Event()
        self._socket = socket
        self._history = history
        self._hear = hear
        self._silence_s = CONNECT_S
        self._asked: dict[int, tuple[Command, asyncio.Future[None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        token: str | None,
        *,
        session: ClientSession,
        history: History,
        node: int,
        hear: Hear,
        patience_s: float = CONNECT_S,
    ) -> "Line":
        """Connect, and wait for `welcome`. Raises `Down`, and `PermissionError` where the server refuses for good."""
        try:
            async with asyncio.timeout(patience_s):
                socket = await session.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0)
        except (ClientError, OSError, TimeoutError) as error:
            raise Down(type(error).__name__) from error
        line = cls(socket, history, node, hear)
        line._silence_s = patience_s
        try:
            async with asyncio.timeout(patience_s):
                await socket.send_str("40" + (json.dumps({"token": token}) if token else ""))
                while not line.welcome:
                    await line._read()
        except (ClientError, OSError, TimeoutError, Down) as error:
            await line._hang_up()
            raise Down(type(error).__name__) from error
        line._reading = asyncio.create_task(line._read_on())
        return line

    async def ask(self, kind: str, payload: Payload, patience_s: float) -> Command:
        """Send a command and wait for its answer; it stays `unknown` where none comes in time."""
        return await self.waited(await self.send(kind, payload), patience_s)

    async def send(self, kind: str, payload: Payload) -> Command:
        """Send a command that asks for an acknowledgement, and do not wait for it."""
        command = self._history.invoke(self.player, self.number, kind, payload)
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked[command.number] = (command, settled)
        with suppress(ClientError, OSError, RuntimeError):
            await self._socket.send_str(f"42{command.number}" + json.dumps([kind, payload]))
        return command

    async def waited(self, command: Command, patience_s: float) -> Command:
        """Wait until a command is answered, the connection is gone, or the patience is over."""
        _, settled = self._asked.get(command.number, (None, None))
        if settled is not None and not self.gone.is_set():
            going = asyncio.ensure_future(self.gone.wait())
            await asyncio.wait((settled, going), timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            going.cancel()
        return command

    async def close(self, *, politely: bool) -> None:
        """Hang up: with a close frame, as a page that is left, or without one, as a line that is lost."""
        self.gone.set()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._hang_up(politely=politely)

    async def _hang_up(self, *, politely: bool = False) -> None:
        self.gone.set()
        self._history.hang_up(self.number)
        wire = self._socket.get_extra_info("socket")
        if not politely and wire is not None:
            with suppress(OSError):
                wire.shutdown(SHUT_RDWR)
        with suppress(ClientError, OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(0.5):
                await self._socket.close()

    async def _read_on(self) -> None:
        try:
            while True:
                await self._read()
        except (ClientError, OSError, TimeoutError, Down):
            await self._hang_up()

    async def _read(self) -> None:
        async with asyncio.timeout(self._silence_s):
            message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise Down(str(self._socket.close_code))
        frame: str = message.data
        if frame == "2":
            await self._socket.send_str("3")
        elif frame.startswith("42"):
            name, payload = json.loads(frame[2:])
            self._event(name, payload)
        elif frame.startswith("43"):
            number, _, answer = frame[2:].partition("[")
            self._answer(int(number), json.loads("[" + answer)[0])
        elif frame.startswith("0"):
            handshake = json.loads(frame[1:])
            self._silence_s = (handshake["pingInterval"] + handshake["pingTimeout"]) / 1000
        elif frame.startswith("44"):
            raise PermissionError(frame)
        elif frame.startswith("41") or frame == "1":
            raise Down("the server hung up")

    def _event(self, name: str, payload: Payload) -> None:
        if name == "welcome":
            self.welcome, self.player = payload, str(payload["user_id"])
        self._history.hear(self.player, self.number, name, payload)
        self._hear(name, payload)

    def _answer(self, number: int, answer: Payload) -> None:
        command, settled = self._asked.pop(number)
        self._history.settle(command, answer)
        self._hear(f"ack:{command.kind}", answer)
        if not settled.done():
            settled.set_result(None)
