"""An operator's line to a server that runs: by its socket on this machine, or by its address and the token."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Struct

from pairquiz_server.client.errors import ClientError, NoServer, Refusal
from pairquiz_server.protocol.admin import ADMIN_ROUTES, OPERATOR_HEADER

ANSWER_S = 60.0
"""What is asked may read a large table whole."""
CONNECT_S = 5.0

Answer = TypeVar("Answer", bound=Struct)


class NobodyHere(NoServer):
    """No server of these settings runs on this machine."""


class Reach(Struct, frozen=True, kw_only=True):
    """How a server is reached: at `url` with the `token`, as somebody who is called `name`; else by a socket."""

    url: str | None = None
    token: str | None = None
    name: str = ""
    sockets: Sequence[Path] = ()
    """Those of this machine, the likeliest first."""


class OperatorLine:
    """Asks one server. Every method raises `NoServer` and `Refusal`."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self.server = server
        """Where the server is, to be shown."""

    async def ask(
        self,
        name: str,
        answer: type[Answer],
        *,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        payload: Struct | None = None,
    ) -> Answer:
        """Ask for what the table of routes has by this name, and return what is answered."""
        async with self._asking(name, parts, query, payload) as response:
            return _decoded(await response.read(), answer)

    async def follow(
        self, name: str, answer: type[Answer], *, parts: Mapping[str, str] | None = None
    ) -> AsyncIterator[Answer]:
        """Ask for what goes on, and yield each line of it as it comes, until its end."""
        async with self._asking(name, parts, None, None) as response:
            async for line in response.content:
                if line.strip():
                    yield _decoded(line, answer)

    @asynccontextmanager
    async def _asking(
        self,
        name: str,
        parts: Mapping[str, str] | None,
        query: Mapping[str, str] | None,
        payload: Struct | None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        row = ADMIN_ROUTES[name]
        path = row.path.format(**{key: quote(text, safe="") for key, text in (parts or {}).items()})
        body = None if payload is None else msgspec.json.encode(payload)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with self._session.request(row.method, path, params=query, data=body, headers=headers) as response:
                if response.status >= 400:
                    raise _refusal(await response.read(), response.status)
                yield response
        except aiohttp.ClientPayloadError:
            raise NoServer(f"{self.server} has broken off, as a server does that stops: ask again") from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoServer(f"{self.server} does not answer ({error or type(error).__name__})") from None


@asynccontextmanager
async def operator_line(reach: Reach) -> AsyncIterator[OperatorLine]:
    """Yield a line to a server. Raises `NoServer`, where none can be reached."""
    if reach.url is not None:
        if reach.token is None:
            raise ClientError(
                f"{reach.url} hears who has its token: set PAIRQUIZ_ADMIN__TOKEN to the same as the server's"
            )
        headers = {"Authorization": f"Bearer {reach.token}"} | ({OPERATOR_HEADER: reach.name} if reach.name else {})
        async with aiohttp.ClientSession(reach.url, headers=headers, timeout=_patience()) as session:
            yield OperatorLine(session, reach.url)
        return
    path = await _first_that_answers(reach.sockets)
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession("http://operator", connector=connector, timeout=_patience()) as session:
        yield OperatorLine(session, str(path))


async def _first_that_answers(sockets: Sequence[Path]) -> Path:
    """Return a socket that somebody listens on. What is another user's is not asked: it might say anything."""
    forbidden = None
    for path in sockets:
        try:
            if os.geteuid() not in (0, path.lstat().st_uid):
                forbidden = path
                continue
            _, line = await asyncio.open_unix_connection(str(path))
        except PermissionError:
            forbidden = path
        except OSError:
            continue  # a killed process has left it
        else:
            line.close()
            return path
    if forbidden is not None:
        raise NoServer(f"{forbidden} is another user's: do it as {_owner(forbidden)}, or name the server with --url")
    raise NobodyHere(
        "no server of these settings runs on this machine: start one with pairquiz-server serve, or name one with --url"
    )


def _owner(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except (KeyError, OSError):
        return "its owner"


def _patience() -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=ANSWER_S)


def _decoded(text: bytes, answer: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(text, type=answer)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NoServer("what answers there is no server of this version: update the older one of the two") from None


def _refusal(body: bytes, status: int) -> ClientError:
    try:
        refusal = Refusal.found_in(msgspec.json.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        refusal = None
    if refusal is None:
        return NoServer(f"what answers there is no server of ours (HTTP {status})")
    return refusal
