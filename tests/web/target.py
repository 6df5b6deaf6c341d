"""What an attacker knows and has: the server, the link to a match that others play, and an address."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from tests.client import Client, connected
from tests.web.duel import Duel
from tests.web.polling import Poller

QUESTIONS = 4
ADDRESSES_CONNECTIONS = 12


@dataclass(frozen=True)
class Target:
    """What an attacker knows: the server, the link to the match that is being played, and an own address."""

    url: str
    match: dict[str, Any]
    players: Duel
    address: str

    @property
    def session_id(self) -> str:
        return str(self.match["session_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Forwarded-For": self.address}

    @asynccontextmanager
    async def stranger(self, **wishes: Any) -> AsyncIterator[Client]:
        async with connected(self.url, X_Forwarded_For=self.address, **wishes) as client:
            yield client

    @asynccontextmanager
    async def bare(self, path: str = "/socket.io/?EIO=4&transport=websocket") -> AsyncIterator[Any]:
        async with ClientSession() as session, session.ws_connect(self.url + path, headers=self.headers) as socket:
            assert (await socket.receive_str()).startswith("0{")
            yield socket

    @asynccontextmanager
    async def polls(self) -> AsyncIterator[Poller]:
        async with ClientSession(headers=self.headers) as session:
            poller = Poller(session, f"{self.url}/socket.io/")
            poller.sid = json.loads((await poller.next_packet("0"))[1:])["sid"]
            yield poller


def code(answer: dict[str, Any]) -> str:
    return "" if answer["ok"] else str(answer["error"]["code"])
