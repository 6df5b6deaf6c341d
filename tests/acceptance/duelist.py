"""A player whose client is our own package, in a process of its own, and what it knows."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE_S = 40.0
LINE_MAX = 4 * 1024 * 1024

Snapshot = dict[str, Any]


class Duelist:
    """One player's client. `snapshot` is what it has said last of what it knows."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._outcomes: list[Any] = []
        self.snapshot: Snapshot = {}

    async def say(self, method: str, *arguments: Any) -> None:
        """Call a method of the client, and wait for nothing."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": [method, *arguments]}).encode() + b"\n")
        await self._process.stdin.drain()

    async def outcome(self) -> Any:
        """Return the outcome of the next method that is settled."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._outcomes:
                await self._read()
        return self._outcomes.pop(0)

    async def do(self, method: str, *arguments: Any) -> Any:
        """Call a method of the client, and return its outcome."""
        await self.say(method, *arguments)
        return await self.outcome()

    async def until(self, holds: Callable[[Snapshot], object]) -> Snapshot:
        """Wait until something holds of what the client knows, and return what it knows then."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not (self.snapshot and holds(self.snapshot)):
                    await self._read()
        except TimeoutError:
            raise AssertionError(f"it knows {json.dumps(self.snapshot)[:2000]}") from None
        return self.snapshot

    async def match(self, status: str, holds: Callable[[Any], object] = bool) -> Any:
        """Wait until the match on screen has a status, and something holds of it; return it."""
        known = await self.until(lambda now: now["match"] and now["match"]["status"] == status and holds(now["match"]))
        return known["match"]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"the client is gone; it knew {self.snapshot}"
        said = json.loads(line)
        if said["event"] == "did":
            self._outcomes.append(said["payload"])
        else:
            self.snapshot = said["payload"]


@asynccontextmanager
async def duelling(
    folder: Path, node: str, url: str, storage: Path, *, token: str | None = None, **options: Any
) -> AsyncIterator[Duelist]:
    """Start a client of the server at `url`, which keeps in the file `storage` what a tab keeps; wait for its welcome.

    `options` are further ones of the official client.
    """
    command = [node, "duelist.mjs", url, str(storage), json.dumps(options), *([token] if token else [])]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=PIPE, stdout=PIPE, limit=LINE_MAX, start_new_session=True
    )
    duelist = Duelist(process)
    try:
        await duelist.until(lambda now: now["player"])
        yield duelist
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
