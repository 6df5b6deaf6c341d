"""Strangers who send hostile frames: over websockets, over polls, and in the middle of an upgrade."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from random import Random

from aiohttp import ClientConnectionError, ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from tests.fuzz.mutation import Mutator

PATIENCE_S = 30.0
POLITE_FRAMES = (100, 400)
WILD_FRAMES = 40
POST_FRAMES = 60
POST_BYTES = 60_000
POLITE_SHARE = 0.3
SEPARATOR = "\x1e"
CONNECTS = (
    "40",
    "40{}",
    '40{"token":"x"}',
    '40{"token":7}',
    '40{"token":"eyJhbGciOiJub25lIn0.e30."}',
    "40/admin,{}",
    "40[]",
)
GONE = (OSError, ClientConnectionError, WSServerHandshakeError, asyncio.TimeoutError)


class Tally:
    """What all attackers together have sent, and how their sessions went."""

    def __init__(self, frames: int) -> None:
        self.wanted = frames
        self.frames = 0
        self.sessions: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.stuck: list[str] = []

    @property
    def done(self) -> bool:
        """Whether enough was sent."""
        return self.frames >= self.wanted


class Attacker:
    """Opens one session after the other."""

    def __init__(self, session: ClientSession, url: str, mutator: Mutator, tally: Tally, seed: int) -> None:
        self._session = session
        self._url = f"{url}/socket.io/?EIO=4&transport="
        self._mutator = mutator
        self._tally = tally
        self._chance = Random(seed)

    async def attack(self) -> None:
        """Go on until enough was sent."""
        ways = {"websocket": self._by_websocket, "polling": self._by_polls, "upgrade": self._by_upgrade}
        while not self._tally.done:
            name = self._chance.choices(tuple(ways), (6, 3, 1))[0]
            self._tally.sessions[name] += 1
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await ways[name]()
            except TimeoutError:
                self._tally.stuck.append(name)
            except GONE:
                self._tally.closed["by a broken line"] += 1

    async def _by_websocket(self) -> None:
        async with self._session.ws_connect(self._url + "websocket", max_msg_size=0) as socket:
            await self._send_all(socket)

    async def _send_all(self, socket: ClientWebSocketResponse) -> None:
        """Send until the server closes or it is enough, then end in one of three ways."""
        polite = self._chance.random() < POLITE_SHARE
        reading = asyncio.create_task(_read_all(socket))
        try:
            if polite or self._chance.random() < 0.8:
                await socket.send_str("40" if polite else self._chance.choice(CONNECTS))
            for _ in range(self._chance.randint(*POLITE_FRAMES) if polite else WILD_FRAMES):
                if reading.done():
                    break
                frame = self._mutator.polite() if polite else self._mutator.wild()
                await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
                self._tally.frames += 1
                if not polite:
                    await asyncio.sleep(0)
            await self._end(socket, reading)
        finally:
            reading.cancel()
            with suppress(*GONE, asyncio.CancelledError):
                self._tally.closed[f"with {await reading}"] += 1

    async def _end(self, socket: ClientWebSocketResponse, reading: "asyncio.Task[int | None]") -> None:
        match self._chance.randrange(3):
            case 0:
                await socket.send_str("42[")  # and lets the server read all of it before the end
                await socket.send_str("1")
                await reading
            case 1:
                await socket.close()
            case _:
                transport = socket._writer.transport
                if transport is not None:
                    transport.abort()

    async def _by_polls(self) -> None:
        sid = await self._opened()
        here = f"{self._url}polling&sid={sid}"
        reading = asyncio.create_task(self._poll_all(here))
        try:
            polite = self._chance.random() < POLITE_SHARE
            await self._post(here, ["40" if polite else self._chance.choice(CONNECTS)])
            for _ in range(self._chance.randint(1, 8)):
                frames = [
                    self._mutator.polite() if polite else self._mutator.wild()
                    for _ in range(self._chance.randint(1, POST_FRAMES if polite else 6))
                ]
                if not await self._post(here, frames):
                    break
            if self._chance.random() < 0.7:
                await self._post(here, ["1"])
                await reading
        finally:
            reading.cancel()
            with suppress(*GONE, asyncio.CancelledError):
                await reading

    async def _opened(self) -> str:
        async with self._session.get(self._url + "polling") as response:
            text = await response.text()
            if response.status != 200:
                raise OSError(f"{response.status}: {text[:200]}")
            return str(json.loads(text[1:])["sid"])

    async def _post(self, here: str, frames: "list[str | bytes] | list[str]") -> bool:
        body = SEPARATOR.encode().join(
            frame if isinstance(frame, bytes) else frame.encode(errors="replace") for frame in frames
        )
        self._tally.frames += len(frames)
        async with self._session.post(here, data=body[:POST_BYTES]) as response:
            await response.read()
            return response.status == 200

    async def _poll_all(self, here: str) -> None:
        while True:
            async with self._session.get(here) as response:
                await response.read()
                if response.status != 200:
                    return

    async def _by_upgrade(self) -> None:
        sid = await self._opened()
        async with self._session.ws_connect(f"{self._url}websocket&sid={sid}", max_msg_size=0) as socket:
            for frame in self._chance.sample(["2probe", "5", "40", "2", "5", "3probe"], k=self._chance.randint(1, 6)):
                await socket.send_str(frame)
                self._tally.frames += 1
            await self._send_all(socket)


async def _read_all(socket: ClientWebSocketResponse) -> int | None:
    """Read until the end, answer pings, and return the close code."""
    while (message := await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        if message.data == "2":
            await socket.send_str("3")
    return socket.close_code
