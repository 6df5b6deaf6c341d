"""Players with the official client in Node: it connects again and repeats by itself, as its documentation promises."""

import asyncio
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.history import ACKNOWLEDGED, Command, Payload
from tests.chaos.player import BACKOFF_S, Player, World

CLIENT = Path(__file__).parents[1] / "acceptance" / "client"
PROGRAM = Path(__file__).with_name("official.mjs")
LINE_MAX = 4 * 1024 * 1024
LOOK_S = 3.0
TRANSPORTS = (["websocket"], ["polling", "websocket"], ["polling"])


async def install(folder: Path) -> str | None:
    """Install the official client into a folder; return why it cannot be, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node and npm are not on the PATH"
    shutil.copytree(CLIENT, folder, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True)
    shutil.copy(PROGRAM, folder)
    installing = await asyncio.create_subprocess_exec(
        npm, "ci", "--prefer-offline", "--silent", cwd=folder, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    _, said = await installing.communicate()
    return None if installing.returncode == 0 else f"npm ci failed: {said.decode(errors='replace')[:200]}"


class OfficialPlayer(Player):
    """A guest whose connection is the official client's business. It stays with one server, as a page does."""

    def __init__(self, world: World, random: Random, folder: Path) -> None:
        super().__init__(world, random)
        self._folder = folder
        self._node = random.randrange(len(world.urls))
        self._transports = random.choice(TRANSPORTS)
        self._process: Process | None = None
        self._connection = world.history.connect(self._node, forgetful=True)
        self._started = asyncio.Event()
        self._asked: dict[int, tuple[Command, asyncio.Future[None]]] = {}

    async def keep_connected(self) -> None:
        """Run the client, and hear what it says."""
        self._process = await asyncio.create_subprocess_exec(
            "node", "official.mjs", self.world.urls[self._node], json.dumps(self._transports),
            cwd=self._folder, stdin=PIPE, stdout=PIPE, limit=LINE_MAX, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                self._take(json.loads(line))
            self.complaints.append("the official client has ended")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def hang_up(self, *, politely: bool) -> None:
        """Go offline, until `come_back`; the official client knows only the polite way."""
        await self._say(act="disconnect")

    def come_back(self) -> None:
        """Go online again."""
        self._post(act="connect")

    async def refresh(self) -> None:
        """Disconnect and connect."""
        await self.hang_up(politely=True)
        self.come_back()

    async def ask(self, kind: str, payload: Payload) -> Command:
        """Ask, and ask again where the server says that another try may help; return the last attempt."""
        while True:
            command = await self._send(kind, payload)
            await self._asked[command.number][1]
            if command.outcome == ACKNOWLEDGED or command.final:
                return command
            await asyncio.sleep(BACKOFF_S * self._random.uniform(1, 10))

    async def ask_all(self, kind: str, payloads: Sequence[Payload]) -> list[Command]:
        """Ask many at once; the client sends them one after the other."""
        return list(await asyncio.gather(*(self.ask(kind, payload) for payload in payloads)))

    async def look(self, view: Any) -> None:
        """Ask for the whole match once."""
        command = await self._send("resume_pair_quiz", {"session_id": view.session_id})
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await asyncio.shield(self._asked[command.number][1])

    async def _send(self, kind: str, payload: Payload) -> Command:
        await self._started.wait()
        command = self.world.history.invoke(str(self.id), self._connection, kind, payload)
        self._asked[command.number] = (command, asyncio.get_running_loop().create_future())
        await self._say(ask=[command.number, kind, payload])
        return command

    async def _say(self, **line: Any) -> None:
        self._post(**line)
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        await self._process.stdin.drain()

    def _post(self, **line: Any) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    def _take(self, line: dict[str, Any]) -> None:
        payload = line.get("payload")
        if "ack" in line:
            self._answered(line["ack"], payload)
            return
        match line["event"]:
            case "connect":
                self._connection = self.world.history.connect(self._node, forgetful=True)
            case "disconnect":
                self.world.history.hang_up(self._connection)
            case "refused":
                self.complaints.append(f"the official client gave up: {payload}")
            case name:
                assert payload is not None
                if name == "welcome":
                    self._welcomed(payload)
                self.world.history.hear(str(self.id), self._connection, name, payload)
                self._hear(name, payload)

    def _welcomed(self, welcome: Payload) -> None:
        if self.id not in (None, welcome["user_id"]):
            self.complaints.append(f"{self.id} came back with its token, and was taken for {welcome['user_id']}")
        self.id = welcome["user_id"]
        self._notice(welcome)
        self._started.set()
        if self._following is not None:
            self._post(ask=[-1, "resume_pair_quiz", {"session_id": self._following}])

    def _answered(self, number: int, answer: Payload | None) -> None:
        if number < 0:
            if answer is not None:
                self.world.history.hear(str(self.id), self._connection, "ack:resume_pair_quiz", answer)
                self._hear("ack:resume_pair_quiz", answer)
            return
        command, settled = self._asked[number]
        command.connection = self._connection  # by which the answer came, perhaps not the one by which it was asked
        if answer is not None:
            self.world.history.settle(command, answer)
            self._hear(f"ack:{command.kind}", answer)
        if not settled.done():
            settled.set_result(None)
