"""A player's line: one Socket.IO connection, by a websocket or by polling, and no more than a load test needs of it.

The text of packets is that of Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/): `0{…}` opens, `2` is a ping,
`3` its answer, `4…` a packet of Socket.IO, several in one body are parted by a record separator.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from errno import ECONNRESET
from typing import Protocol

import aiohttp
import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from msgspec import Struct

from pairquiz_server.client.errors import ClientError, NoServer, Refusal
from pairquiz_server.protocol.versions import PROTOCOL_VERSION

CONNECT_S = 10.0
"""How long a server may take to answer a handshake, and CONNECT."""
CLOSE_S = 1.0
_SEPARATOR = "\x1e"
_PATH = "/socket.io/?EIO=4&transport="
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "cGFpcnF1aXotc2VydmVyIQ==",
}
_UPGRADED = 101
_FOR_A_MOMENT = (429, 503)
"""What a server, or a proxy before it, answers where a retry may do."""

_FAILS = (aiohttp.ClientError, OSError, TimeoutError)
_CUT = (aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError)
"""What a line is cut by before it has an answer; or by ECONNRESET, in an error that aiohttp wraps."""

_NOT_PASSED_ON = (400, 404, 426, 501)
"""What is answered to a websocket's handshake of which the upgrade is not there any more, or at a path that leads
nowhere."""


class Transport(StrEnum):
    """How packets travel."""

    WEBSOCKET = "websocket"
    POLLING = "polling"


class _Way(Protocol):
    """Carries texts of Engine.IO."""

    async def open(self) -> None: ...
    async def read(self) -> list[str]: ...
    async def write(self, packets: list[str]) -> None: ...
    async def close(self) -> None: ...


class Wire:
    """A connection that does not come back.

    `hear` is called with each packet of Socket.IO in the turn in which it arrives, and `ended` once, when it is over.
    """

    def __init__(
        self, session: ClientSession, transport: Transport, hear: Callable[[str], None], ended: Callable[[], None]
    ) -> None:
        self._way: _Way = _WebSocket(session) if transport is Transport.WEBSOCKET else _Polling(session)
        self._session = session
        self._hear = hear
        self._ended = ended
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, token: str | None) -> None:
        """Connect; to be closed also where that fails. Raises `NoServer`, `Refusal`."""
        auth = {"protocol": PROTOCOL_VERSION} | ({"token": token} if token else {})
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._way.open()
                await self._way.write(["40" + msgspec.json.encode(auth).decode()])
                packets = await self._connected()
        except TimeoutError:
            raise NoServer("the server does not answer a handshake") from None
        except (aiohttp.ClientError, OSError, ConnectionError, msgspec.MsgspecError) as error:
            raise await self._why(error) from None
        self._tasks = [asyncio.create_task(self._read(packets)), asyncio.create_task(self._write())]

    def send(self, packet: str) -> None:
        """Send a packet of Socket.IO, behind those before it."""
        self._out.put_nowait("4" + packet)

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(*_FAILS):
            async with asyncio.timeout(CLOSE_S):
                await self._way.close()

    async def _connected(self) -> list[str]:
        """Wait until CONNECT is answered; return what came with the answer. Raises `Refusal`."""
        while True:
            packets = await self._way.read()
            for place, packet in enumerate(packets):
                if packet.startswith("40"):
                    return packets[place + 1 :]
                if packet.startswith("44"):
                    raise Refusal.found_in(msgspec.json.decode(packet[2:])) or Refusal({})
                await self._answered(packet)

    async def _answered(self, packet: str) -> None:
        if packet == "2":
            await self._way.write(["3"])

    async def _read(self, packets: list[str]) -> None:
        with suppress(*_FAILS):
            while True:
                for packet in packets:
                    if packet.startswith("4"):
                        self._hear(packet[1:])
                    elif packet == "2":
                        self._out.put_nowait("3")
                packets = await self._way.read()
        self._ended()

    async def _write(self) -> None:
        with suppress(*_FAILS):
            while True:
                packets = [await self._out.get()]
                while not self._out.empty():
                    packets.append(self._out.get_nowait())
                await self._way.write(packets)

    async def _why(self, error: Exception) -> ClientError:
        """Ask once more, in a way in which the body of a refusal can be read."""
        if isinstance(error, aiohttp.WSServerHandshakeError) and error.status in _NOT_PASSED_ON:
            return NoServer(
                f"a websocket is refused (HTTP {error.status}): most often a proxy passes no upgrade on, "
                "and pairquiz-server doctor --url  says more"
            )
        with suppress(*_FAILS, ValueError):  # the last where what is answered is no JSON
            path = _PATH + Transport.WEBSOCKET
            async with asyncio.timeout(CONNECT_S), self._session.get(path, headers=_UPGRADE) as answer:
                if answer.status != _UPGRADED and (refusal := Refusal.found_in(await answer.json())):
                    return refusal
                answer.close()
        if isinstance(error, aiohttp.ClientResponseError) and error.status in _FOR_A_MOMENT:
            return Refusal({"code": f"http_{error.status}", "message": f"HTTP {error.status}", "retry": True})
        if isinstance(error, _CUT) or getattr(error, "errno", None) == ECONNRESET:
            return NoServer(
                "the server cuts lines without a word, as it does where one address has too many: take fewer --pairs, "
                "or start it for the test with PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS=0"
            )
        return NoServer(f"no server answers ({error or type(error).__name__})")


class _WebSocket:
    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._socket: ClientWebSocketResponse | None = None

    async def open(self) -> None:
        self._socket = await self._session.ws_connect(_PATH + Transport.WEBSOCKET, compress=0, max_msg_size=0)

    async def read(self) -> list[str]:
        assert self._socket is not None
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionError("the websocket has ended")
        return [message.data]

    async def write(self, packets: list[str]) -> None:
        assert self._socket is not None
        for packet in packets:
            await self._socket.send_str(packet)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


class _Opened(Struct):
    """What the first packet of a session says, as far as it matters here."""

    sid: str


class _Polling:
    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._path = _PATH + Transport.POLLING

    async def open(self) -> None:
        (opened, *_) = await self.read()
        self._path += f"&sid={msgspec.json.decode(opened[1:], type=_Opened).sid}"

    async def read(self) -> list[str]:
        async with self._session.get(self._path) as answer:
            body = await answer.text()
            if answer.status != 200:
                raise aiohttp.ClientError(f"HTTP {answer.status}")
            return body.split(_SEPARATOR)

    async def write(self, packets: list[str]) -> None:
        async with self._session.post(self._path, data=_SEPARATOR.join(packets).encode()) as answer:
            answer.raise_for_status()

    async def close(self) -> None:
        await self.write(["1"])
