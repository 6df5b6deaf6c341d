"""One connection to a server, from the handshake until its end."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from socketio import AsyncClient
from socketio.exceptions import BadNamespaceError
from socketio.exceptions import ConnectionError as NoConnection

from pairquiz_server.client.errors import ClientError, Lost, NoServer, Refusal
from pairquiz_server.protocol.versions import PROTOCOL_VERSION

CONNECT_S = 10.0
"""How long a server may take to answer CONNECT, and to say `welcome`."""
ANSWER_S = 10.0
"""How long it may take to acknowledge a command; ours gives up on its database after three seconds."""

Hear = Callable[[str, Any], None]

_silent = logging.getLogger("pairquiz.client")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL)


class Connection:
    """A connection that does not come back; `hear` is called with each event, in the order in which they come."""

    def __init__(self, url: str, token: str | None, hear: Hear) -> None:
        self._url = url
        self._auth = {"protocol": PROTOCOL_VERSION} | ({"token": token} if token else {})
        self._hear = hear
        loop = asyncio.get_running_loop()
        self._welcomed: asyncio.Future[Any] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._said: object = None
        self._client = AsyncClient(
            reconnection=False, handle_sigint=False, logger=_silent, engineio_logger=_silent, request_timeout=CONNECT_S
        )
        self._client.on("*", self._on_event)
        self._client.on("connect_error", self._on_refusal)
        self._client.on("disconnect", self._on_end)

    async def open(self) -> Any:
        """Return what `welcome` says. Raises `NoServer`, `Refusal`."""
        try:
            return await self._open()
        except BaseException:
            await self.close()
            raise

    async def ask(self, command: str, payload: object, answered: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Send a command, and return its acknowledgement.

        `answered` is called with it first, before any event that comes behind it. Raises `Lost` where none comes.
        """
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def take(said: dict[str, Any]) -> None:
            answered(said)
            if not answer.done():
                answer.set_result(said)

        try:
            await self._client.emit(command, payload, callback=take)
        except BadNamespaceError:  # it has just ended
            self._on_end()
        waited: set[asyncio.Future[Any]] = {answer, self._ended}
        await asyncio.wait(waited, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            await self.close()  # a line that is silent for so long is as good as none
            raise Lost
        return answer.result()

    async def ended(self) -> None:
        """Wait until it has ended."""
        await asyncio.wait({self._ended})

    async def close(self) -> None:
        """End it as a page does that goes away."""
        with suppress(Exception):  # whatever the library still wants of a line that is gone
            async with asyncio.timeout(1):
                await self._client.disconnect()
        self._on_end()

    async def _open(self) -> Any:
        try:
            await self._client.connect(self._url, auth=self._auth, wait_timeout=CONNECT_S)
        except NoConnection as error:
            raise self._why(error) from None
        except Exception:
            raise self._no_server_of_ours() from None  # the library stumbles over answers that are none
        await asyncio.wait({self._welcomed, self._ended}, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        if not self._welcomed.done():
            raise self._no_server_of_ours()
        return self._welcomed.result()

    def _on_event(self, name: str, said: Any = None, *_more: Any) -> None:
        if name == "welcome" and not self._welcomed.done():
            self._welcomed.set_result(said)
        self._hear(name, said)

    def _on_refusal(self, said: object = None, *_more: Any) -> None:
        self._said = said

    def _on_end(self, *_why: Any) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _why(self, error: NoConnection) -> ClientError:
        refusal = Refusal.found_in(self._said)
        if refusal is not None:
            return refusal
        return NoServer(f"no server answers at {self._url} ({error})")

    def _no_server_of_ours(self) -> NoServer:
        return NoServer(f"what answers at {self._url} is no pairquiz-server")
