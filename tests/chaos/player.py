"""A player who comes back: keeps its token, connects again, and repeats what was not answered."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from aiohttp import ClientSession

from tests.chaos.history import ACKNOWLEDGED, UNKNOWN, Command, History, Payload
from tests.chaos.line import CONNECT_S, Down, Line
from tests.chaos.view import View

ANSWER_S = 3.0
BACKOFF_S = 0.05
BACKOFF_MAX_S = 0.8


@dataclass(frozen=True)
class World:
    """What all players share: where the servers are, and who writes down what happens."""

    urls: Sequence[str]
    session: ClientSession
    history: History
    connect_s: float = CONNECT_S
    """How long a player waits for a connection."""
    backoff_s: tuple[float, float] = (BACKOFF_S, BACKOFF_MAX_S)
    """The least and the most between two attempts."""
    obedient: bool = False
    """Whether players come back when a server that stops tells them to, and not at once."""
    seeking: set["Player"] = field(default_factory=set)
    """Who looks for anybody."""


class Player:
    """One guest with one main connection. `keep_connected` has to run beside whatever it does."""

    def __init__(self, world: World, random: Random) -> None:
        self.token: str | None = None
        self.id: str | None = None
        self.views: dict[str, View] = {}
        self.found: asyncio.Queue[str] = asyncio.Queue()
        """The matches of which this player has heard without having asked for them by name."""
        self.complaints: list[str] = []
        self.world = world
        self._random = random
        self._line: Line | None = None
        self._connected = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._following: str | None = None
        self._told_to_wait_s = 0.0

    async def keep_connected(self) -> None:
        """Connect, and connect again, to any server that answers; ask for the match that is being played."""
        least_s, most_s = self.world.backoff_s
        backoff_s = least_s
        while True:
            await self._wanted.wait()
            node = self._random.randrange(len(self.world.urls))
            try:
                line = await Line.open(
                    self.world.urls[node],
                    self.token,
                    session=self.world.session,
                    history=self.world.history,
                    node=node,
                    hear=self._hear,
                    patience_s=self.world.connect_s,
                )
            except Down:
                await asyncio.sleep(backoff_s * self._random.uniform(0.5, 1.5))
                backoff_s = min(backoff_s * 2, most_s)
                continue
            backoff_s, self._told_to_wait_s = least_s, 0.0
            if self.id not in (None, line.player):
                self.complaints.append(f"{self.id} came back with its token, and was taken for {line.player}")
            self.id, self.token = line.player, line.welcome["guest_token"]
            self._notice(line.welcome)
            self._line = line
            self._connected.set()
            if self._following is not None:
                await line.ask("resume_pair_quiz", {"session_id": self._following}, ANSWER_S)
            await line.gone.wait()
            self._connected.clear()
            self._line = None
            if self.world.obedient:
                await asyncio.sleep(self._told_to_wait_s)

    async def hang_up(self, *, politely: bool) -> None:
        """Go offline, until `come_back`."""
        self._wanted.clear()
        if self._line is not None:
            await self._line.close(politely=politely)

    def come_back(self) -> None:
        """Go online again."""
        self._wanted.set()

    async def refresh(self) -> None:
        """Leave the page and open it again."""
        await self.hang_up(politely=True)
        self.come_back()

    async def line(self) -> Line:
        """Return the connection, once there is one."""
        while self._line is None or self._line.gone.is_set():
            self._connected.clear()
            await self._connected.wait()
        return self._line

    async def ask(self, kind: str, payload: Payload) -> Command:
        """Repeat a command until it is acknowledged or refused for good, and return that last attempt."""
        backoff_s = BACKOFF_S
        while True:
            line = await self.line()
            command = await line.ask(kind, payload, ANSWER_S)
            if command.outcome == ACKNOWLEDGED or command.final:
                return command
            if command.outcome == UNKNOWN and self._random.random() < 0.5:
                await line.close(politely=False)  # an impatient client takes another line
            await asyncio.sleep(backoff_s * self._random.uniform(0.5, 1.5))
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    async def ask_all(self, kind: str, payloads: Sequence[Payload]) -> list[Command]:
        """Send many at once, as a client that was offline does, and repeat each that is not settled."""
        line = await self.line()
        sent = [await line.send(kind, payload) for payload in payloads]
        last = [await line.waited(command, ANSWER_S) for command in sent]
        return [
            command
            if command.outcome == ACKNOWLEDGED or command.final
            else await self.ask(kind, command.payload)
            for command in last
        ]  # fmt: skip

    def follow(self, session_id: str) -> View:
        """From now on, ask for this match after each reconnect."""
        self._following = session_id
        return self.view(session_id)

    def view(self, session_id: str) -> View:
        """Return what this player knows of a match; from now on it listens for it."""
        return self.views.setdefault(session_id, View(session_id))

    async def look(self, view: View) -> None:
        """Ask for the whole match once; what comes of it is in the view."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await (await self.line()).ask("resume_pair_quiz", {"session_id": view.session_id}, ANSWER_S)

    async def wait(self, view: View, *, patience_s: float) -> None:
        """Wait until something is heard of the match; ask for it where nothing comes."""
        view.changed.clear()
        try:
            async with asyncio.timeout(patience_s):
                await view.changed.wait()
        except TimeoutError:
            await self.look(view)

    def _notice(self, welcome: Payload) -> None:
        """Note which live matches there are."""
        for session in welcome["sessions"]:
            self._find(str(session["session_id"]))

    def _find(self, session_id: str) -> None:
        if session_id not in self.views:
            self.view(session_id)
            self.found.put_nowait(session_id)

    def _hear(self, name: str, payload: Payload) -> None:
        if name == "server_draining":
            self._told_to_wait_s = payload["reconnect_in_ms"] / 1000
        if name in ("opponent_found", "quiz_state"):
            self._find(str(payload["session_id"]))
        session_id = payload.get("session_id")
        if payload.get("ok", True) and session_id in self.views:
            self.views[session_id].hear(name, payload)
