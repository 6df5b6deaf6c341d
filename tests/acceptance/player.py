"""The official client in a process of its own, and what it hears."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pairquiz_server.protocol.events import EVENTS
from tests.fits import acknowledgement_fits, event_fits

PATIENCE_S = 30.0
LINE_MAX = 1024 * 1024


class Player:
    """One player's client. What it has heard is kept until it is asked for, and held against the contract."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._heard: list[tuple[str, Any]] = []

    @property
    def names(self) -> list[str]:
        """The events that nobody has asked for yet."""
        return [name for name, _ in self._heard]

    async def emit(self, name: str, payload: Any) -> None:
        """Send an event, and ask for no acknowledgement."""
        await self._command(emit=[name, payload])

    async def ask(self, name: str, payload: Any) -> dict[str, Any]:
        """Send an event, and return its acknowledgement."""
        await self._command(ask=[name, payload])
        answer: dict[str, Any] = await self.event("ack")
        acknowledgement_fits(name, answer)
        return answer

    async def event(self, name: str) -> Any:
        """Return the payload of the next event of this name; those before it stay."""
        async with asyncio.timeout(PATIENCE_S):
            while name not in self.names:
                await self._read()
        return self._heard.pop(self.names.index(name))[1]

    async def _command(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"the client is gone; it had heard {self._heard}"
        message = json.loads(line)
        if message["event"] in EVENTS:
            event_fits(message["event"], message["payload"])
        self._heard.append((message["event"], message.get("payload")))


@asynccontextmanager
async def playing(
    folder: Path,
    node: str,
    url: str,
    *,
    version: str = "socket.io-client",
    keeps_token: bool = False,
    connects: bool = True,
    **options: Any,
) -> AsyncIterator[Player]:
    """Start a client of the server at `url` with the client's own `options`; where it `connects`, wait until it is.

    `version` is the package of client/package.json that it is.
    """
    habit = ["keeps-token"] if keeps_token else []
    command = [node, "player.mjs", url, json.dumps(options), version, *habit]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=PIPE, stdout=PIPE, limit=LINE_MAX, start_new_session=True
    )
    player = Player(process)
    try:
        if connects:
            await player.event("connect")
        yield player
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
