"""A player's line to a server: as many connections, one after the other, as it takes."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, NoReturn

from pairquiz_server.client.connection import Connection
from pairquiz_server.client.errors import ClientError, Lost, NoServer, Refusal
from pairquiz_server.client.hearing import Heard, hear, read
from pairquiz_server.protocol.events import ServerDraining, Welcome
from pairquiz_server.rules.errors import Code

PATIENCE_S = 120.0
"""A server that is away for longer is given up; by then every match has come to its end, or stands still with it."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 4.0
RETRY_S = 0.5
"""How long a command waits that may succeed later, where the server does not say."""

LOST, BACK = "connection_lost", "connection_back"
"""What the line itself has to tell, among the events."""


class Line:
    """Sends commands until they are acknowledged, and comes back by itself, as the same player.

    `on_token` is called with each token by which a guest is the same one again.
    """

    def __init__(self, url: str, token: str | None, on_token: Callable[[str], None] = lambda token: None) -> None:
        self.url = url
        self._token = token
        self._on_token = on_token
        self._events: asyncio.Queue[Heard | ClientError] = asyncio.Queue()
        self._connection: Connection | None = None
        self._up = asyncio.Event()
        self._wanted_in_s: float | None = None

    async def open(self) -> Welcome:
        """Connect for the first time. Raises `NoServer`, `Refusal`."""
        return await self._connect()

    async def keep(self) -> NoReturn:
        """Come back whenever the connection is lost. Raises why that cannot be: `ClientError`."""
        while True:
            assert self._connection is not None
            await self._connection.ended()
            self._up.clear()
            self._events.put_nowait(Heard(LOST, {}, None))
            await self._come_back()
            self._events.put_nowait(Heard(BACK, {}, None))

    async def heard(self) -> Heard:
        """Return the next event. Raises `ClientError` for one that cannot be understood."""
        event = await self._events.get()
        if isinstance(event, ClientError):
            raise event
        return event

    async def ask(self, command: str, payload: object, *, heard_as: str | None = None) -> dict[str, Any]:
        """Send a command until it is acknowledged, and return the acknowledgement; it counts once.

        Among the events it is then heard as `heard_as`, at its place. Raises `Refusal`, where no retry would help
        soon.
        """

        def hear_it(said: dict[str, Any]) -> None:
            if heard_as is not None and said.get("ok"):
                self._hear(heard_as, said)

        while True:
            await self._up.wait()
            assert self._connection is not None
            try:
                answer = await self._connection.ask(command, payload, hear_it)
            except Lost:
                continue
            if answer.get("ok"):
                return answer
            refusal = Refusal(answer.get("error", {}))
            if not refusal.retry or refusal.code == Code.MAINTENANCE:  # nobody waits for that without a word
                raise refusal
            await asyncio.sleep(refusal.retry_in_ms / 1000 or RETRY_S)

    async def close(self) -> None:
        """Hang up."""
        self._up.clear()
        if self._connection is not None:
            await self._connection.close()

    async def _connect(self) -> Welcome:
        connection = Connection(self.url, self._token, self._hear)
        welcome = read(await connection.open(), Welcome, "welcome")
        if welcome.guest_token is not None:
            self._token = welcome.guest_token
            self._on_token(welcome.guest_token)
        self._connection = connection
        self._up.set()
        return welcome

    async def _come_back(self) -> None:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE_S
        wait_s, self._wanted_in_s = self._wanted_in_s or FIRST_WAIT_S, None
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))  # noqa: S311 - not all players at once
            try:
                await self._connect()
            except (NoServer, Refusal) as error:
                if isinstance(error, Refusal) and not error.retry:
                    raise
                if loop.time() > give_up_at:
                    raise ClientError(f"{error}, for {PATIENCE_S:.0f} s now: try again later") from None
            else:
                return
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _hear(self, name: str, said: Any) -> None:
        try:
            heard = hear(name, said)
        except ClientError as error:
            self._events.put_nowait(error)
            return
        if isinstance(heard.event, ServerDraining):
            self._wanted_in_s = heard.event.reconnect_in_ms / 1000
        self._events.put_nowait(heard)
