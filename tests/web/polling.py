"""A small Engine.IO client over plain HTTP requests, for what a stock client would never send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientResponse, ClientSession

from tests.fits import acknowledgement_fits, event_fits

PATIENCE_S = 30.0
SEPARATOR = "\x1e"


class Poller:
    """One polling session. Packets that a poll brings are kept until they are asked for."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url
        self.sid = ""
        self.packets: list[str] = []

    @property
    def here(self) -> str:
        return f"{self.url}?EIO=4&transport=polling" + (f"&sid={self.sid}" if self.sid else "")

    async def poll(self) -> None:
        async with asyncio.timeout(PATIENCE_S), self._session.get(self.here) as response:
            assert response.status == 200, await response.text()
            self.packets += (await response.text()).split(SEPARATOR)

    async def next_packet(self, beginning: str) -> str:
        """Return the next packet that begins like this; those before it stay."""
        while True:
            for place, packet in enumerate(self.packets):
                if packet.startswith(beginning):
                    return self.packets.pop(place)
            await self.poll()

    async def ended(self) -> bool:
        """Tell whether the session is over: its poll was answered with CLOSE, or the next one is refused."""
        async with asyncio.timeout(PATIENCE_S), self._session.get(self.here) as response:
            self.packets += (await response.text()).split(SEPARATOR)
            return response.status == 400 or "1" in self.packets

    async def post(self, *packets: str | bytes) -> ClientResponse:
        body = SEPARATOR.encode().join(one if isinstance(one, bytes) else one.encode() for one in packets)
        async with asyncio.timeout(PATIENCE_S), self._session.post(self.here, data=body) as response:
            await response.read()
            return response

    async def event(self, name: str) -> dict[str, Any]:
        packet = await self.next_packet(f'42["{name}"')
        payload: dict[str, Any] = json.loads(packet[2:])[1]
        event_fits(name, payload)
        return payload

    async def ask(self, name: str, payload: Any = None) -> dict[str, Any]:
        await self.post("4277" + json.dumps([name, payload]))
        answer: dict[str, Any] = json.loads((await self.next_packet("4377["))[4:])[0]
        acknowledgement_fits(name, answer)
        return answer


@asynccontextmanager
async def polling(url: str, *, token: str | None = None, path: str = "/socket.io/") -> AsyncIterator[Poller]:
    """Open a session, and send CONNECT."""
    async with ClientSession() as session:
        poller = Poller(session, url + path)
        opened = json.loads((await poller.next_packet("0"))[1:])
        poller.sid = opened["sid"]
        assert opened["upgrades"] == ["websocket"]
        assert (await poller.post("40" + (json.dumps({"token": token}) if token else ""))).status == 200
        yield poller
