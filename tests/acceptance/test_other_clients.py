"""Clients that others have: the oldest and the newest official one of 4.x, and python-socketio's own two."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
import socketio

from tests.acceptance.conftest import Play
from tests.acceptance.server import Server
from tests.acceptance.test_duel import answer_all

PATIENCE_S = 30
TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "polling"])


@TRANSPORTS
@pytest.mark.parametrize("version", ["socket.io-client-oldest", "socket.io-client"], ids=["4.0.0", "newest"])
async def test_an_official_client_plays(play: Play, version: str, transport: str) -> None:
    options: dict[str, Any] = {"version": version, "transports": [transport]}
    async with play(**options) as first, play(**options) as second:
        created = await first.ask("create_pair_quiz", {"question_count": 3})
        session = {"session_id": created["session_id"]}
        assert (await second.ask("join_pair_quiz", session))["ok"]
        await second.emit("start_quiz", session)
        started = [await player.event("quiz_started") for player in (first, second)]
        assert started[0] == started[1]
        scores = [await answer_all(player, started[0], option) for option, player in enumerate((first, second))]
        results = [await player.event("quiz_results") for player in (first, second)]
        assert [one["your_score"] for one in results] == scores
        for player in (first, second):
            assert not {"error", "disconnect", "connect_error"} & set(player.names)


class Heard:
    """What a client of python-socketio hears, until somebody asks for it."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)

    def __call__(self, name: str, payload: Any) -> None:
        self._events[name].put_nowait(payload)

    async def event(self, name: str) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            return await self._events[name].get()


class Asynchronous:
    """python-socketio's `AsyncClient`."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)

        async def hear(name: str, payload: Any) -> None:
            self.heard(name, payload)

        self._socket.on("*", hear)

    async def connect(self, url: str, transport: str) -> None:
        await self._socket.connect(url, transports=[transport], wait_timeout=PATIENCE_S)

    async def ask(self, name: str, payload: Any) -> Any:
        return await self._socket.call(name, payload, timeout=PATIENCE_S)

    async def close(self) -> None:
        await self._socket.disconnect()


class Threaded:
    """python-socketio's `Client`, whose own threads hear, and which blocks who asks."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._socket = socketio.Client(reconnection=False, handle_sigint=False)
        loop = asyncio.get_running_loop()
        self._socket.on("*", lambda name, payload: loop.call_soon_threadsafe(self.heard, name, payload))

    async def connect(self, url: str, transport: str) -> None:
        await asyncio.to_thread(self._socket.connect, url, transports=[transport], wait_timeout=PATIENCE_S)

    async def ask(self, name: str, payload: Any) -> Any:
        return await asyncio.to_thread(self._socket.call, name, payload, timeout=PATIENCE_S)

    async def close(self) -> None:
        await asyncio.to_thread(self._socket.disconnect)


@TRANSPORTS
@pytest.mark.parametrize("kind", [Asynchronous, Threaded])
async def test_python_socketio_plays(live_server: Server, kind: type[Asynchronous | Threaded], transport: str) -> None:
    first, second = kind(), kind()
    players = (first, second)
    try:
        for player in players:
            await player.connect(live_server.url, transport)
        welcomes = [await player.heard.event("welcome") for player in players]
        assert welcomes[0]["user_id"] != welcomes[1]["user_id"]
        created = await first.ask("create_pair_quiz", {"question_count": 3})
        session = {"session_id": created["session_id"]}
        assert (await second.ask("join_pair_quiz", session))["ok"]
        assert (await second.ask("start_quiz", session))["ok"]
        started = [await player.heard.event("quiz_started") for player in players]
        assert started[0] == started[1]
        scores = [await answer_all(player, started[0], option) for option, player in enumerate(players)]
        results = [await player.heard.event("quiz_results") for player in players]
        assert [one["your_score"] for one in results] == scores
    finally:
        for player in players:
            await player.close()
