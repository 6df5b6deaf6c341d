"""A small Socket.IO client over a bare websocket, for what a stock client would never send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.fits import CONNECT_ERROR, acknowledgement_fits, event_fits

PATIENCE_S = 30.0
EVENT_PATIENCE_S = 40.0


class Closed(Exception):
    """The server closed the connection; `code` is the websocket's close code."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        super().__init__(f"closed with {code}")


class Client:
    """One connection. What arrives is kept until it is asked for; answers to pings are given by the way.

    Whatever it hears is held against the contract.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._acks: dict[int, Any] = {}
        self._asked: dict[int, str] = {}
        self._next_ack = 0

    @property
    def user_id(self) -> str:
        return str(self.welcome["user_id"])

    @property
    def token(self) -> str:
        return str(self.welcome["guest_token"])

    async def send_frame(self, frame: str) -> None:
        await self.socket.send_str(frame)

    async def emit(self, name: str, payload: Any = None) -> None:
        """Send an event without asking for an acknowledgement; no payload is sent for None."""
        arguments = [name] if payload is None else [name, payload]
        await self.send_frame("42" + json.dumps(arguments))

    async def ask(self, name: str, payload: Any = None) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        number, self._next_ack = self._next_ack, self._next_ack + 1
        arguments = [name] if payload is None else [name, payload]
        self._asked[number] = name
        await self.send_frame(f"42{number}" + json.dumps(arguments))
        return await self.acknowledged(number)

    async def acknowledged(self, number: int) -> dict[str, Any]:
        """Return the acknowledgement with a number."""
        while number not in self._acks:
            await self._read()
        answer: dict[str, Any] = self._acks.pop(number)
        return answer

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next event of this name; those before it stay. Pings alone are not waited for without end."""
        async with asyncio.timeout(EVENT_PATIENCE_S):
            while True:
                for place, (kept, payload) in enumerate(self._events):
                    if kept == name:
                        del self._events[place]
                        return payload
                await self._read()

    async def events_until(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        """Return all events up to and with the next of this name, in their order."""
        while not any(kept == name for kept, _ in self._events):
            await self._read()
        end = next(place for place, (kept, _) in enumerate(self._events) if kept == name) + 1
        heard, self._events = self._events[:end], self._events[end:]
        return heard

    async def settled(self) -> list[tuple[str, dict[str, Any]]]:
        """Return all events that the server had for us before it answered one more command."""
        await self.ask("sync_clock", {})
        heard, self._events = self._events, []
        return heard

    async def close(self) -> None:
        """Close the connection as a page does that goes away: with a close frame."""
        await self.socket.close(code=1001)

    def cut(self) -> None:
        """Lose the connection without a word."""
        transport = self.socket._writer.transport
        assert transport is not None
        transport.abort()

    async def silent(self) -> None:
        """Read what comes and answer nothing, pings neither, until the server ends it."""
        with suppress(ConnectionResetError):  # aiohttp answers a PING frame by itself, on a line that is gone by now
            while (await asyncio.wait_for(self.socket.receive(), PATIENCE_S)).type is WSMsgType.TEXT:
                pass

    async def closed(self) -> int | None:
        """Wait until the server closes, and return the close code."""
        try:
            while True:
                await self._read()
        except Closed as closed:
            return closed.code

    async def _read(self) -> None:
        try:
            message = await asyncio.wait_for(self.socket.receive(), PATIENCE_S)
        except ConnectionResetError:  # a PING of a server that has closed since: what came behind it is still there
            return
        if message.type is not WSMsgType.TEXT:
            raise Closed(self.socket.close_code)
        frame: str = message.data
        if frame == "2":
            with suppress(ConnectionResetError):  # likewise
                await self.send_frame("3")
        elif frame.startswith("42"):
            name, payload = json.loads(frame[2:])
            event_fits(name, payload)
            self._events.append((name, payload))
        elif frame.startswith("43"):
            number, _, answer = frame[2:].partition("[")
            self._acks[int(number)] = told = json.loads("[" + answer)[0]
            if command := self._asked.pop(int(number), None):
                acknowledgement_fits(command, told)
        elif frame.startswith("44"):
            refusal = json.loads(frame[2:])
            event_fits(CONNECT_ERROR, refusal)
            self._events.append((CONNECT_ERROR, refusal))
        elif frame.startswith("41") or frame == "1":
            self._events.append(("disconnect", {}))


@asynccontextmanager
async def connected(
    url: str,
    *,
    token: str | None = None,
    auth: dict[str, Any] | None = None,
    path: str = "/socket.io/",
    welcome: bool = True,
    **headers: str,
) -> AsyncIterator[Client]:
    """Connect over a websocket, with a `token` or all that `auth` has, and wait for `welcome`."""
    auth = auth or ({"token": token} if token else None)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        ClientSession() as session,
        session.ws_connect(f"{url}{path}?EIO=4&transport=websocket", headers=names) as socket,
    ):
        client = Client(socket)
        await client.send_frame("40" + (json.dumps(auth) if auth else ""))
        if welcome:
            client.welcome = await client.event("welcome")
        yield client


async def ready_match(first: Client, second: Client, **wishes: Any) -> str:
    """Create and join a match, and return its session id; both have heard of it."""
    created = await first.ask("create_pair_quiz", wishes)
    assert created["ok"], created
    session_id = str(UUID(created["session_id"]))
    await first.event("quiz_created")
    joined = await second.ask("join_pair_quiz", {"session_id": session_id})
    assert joined["ok"], joined
    for client in (first, second):
        await client.event("opponent_joined")
    return session_id


async def started_match(first: Client, second: Client, **wishes: Any) -> dict[str, Any]:
    """Create, join and start a match, and return its `quiz_started`; both have heard of it.

    In rounds the first question is put into it: what holds of a match that has begun holds in both paces.
    """
    session_id = await ready_match(first, second, **wishes)
    await first.ask("start_quiz", {"session_id": session_id})
    await second.event("quiz_started")
    started = await first.event("quiz_started")
    if started["pace"] == "rounds":
        opened = [await client.event("round_opened") for client in (first, second)]
        started["questions"] = [opened[0]["question"]]
    return started
