"""One server for the stories that need none of their own; after each story, the log and all that was heard is checked.

Modules with `pytestmark = SHARED` run in the shared server's loop.
"""

import io
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog
from aiohttp import ClientSession

from pairquiz_server import logs
from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.client import Client, connected
from tests.conftest import Server, StartServer, copied, execute, serving, sibling
from tests.web.rest import Rest
from tests.web.two_nodes import Pair, start_two
from tests.web.valkey import Valkey, valkey

SECRET = "a secret of the issuer, long enough for every algorithm of its family"
GUESSES_UNLIMITED = {"PAIRQUIZ_LIMITS__FAILED_JOINS_PER_MINUTE": "0"}
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_server(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Server]:
    """A server with the default settings, whose players meet only by their sessions' ids.

    But they all guess join codes from one address.
    """
    name = f"shared_{uuid4().hex}"
    await execute(postgres.dsn, copied(name, template))
    async with serving(sibling(postgres.dsn, name), GUESSES_UNLIMITED) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def rest(shared_server: Server) -> AsyncIterator[Rest]:
    async with ClientSession() as session:
        yield Rest(session, shared_server.url)


@pytest_asyncio.fixture(loop_scope="session")
async def player(shared_server: Server) -> AsyncIterator[Client]:
    async with connected(shared_server.url) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def other(shared_server: Server) -> AsyncIterator[Client]:
    async with connected(shared_server.url) as client:
        yield client


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """All that is logged, with everything switched on: never a traceback, never a token."""
    before = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    logs.configure(level="debug", style="json", socketio=True, engineio=True, stream=stream)
    yield stream
    logging.root.handlers, level = before
    logging.root.setLevel(level)
    structlog.reset_defaults()
    written = stream.getvalue()
    assert "Traceback" not in written, written
    assert not TOKEN.search(written), written


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Client, list[dict[str, Any]]]]:
    """What each connection heard, in its order; at the end, versions have risen by one, and no event came twice."""
    transcripts: dict[Client, list[dict[str, Any]]] = defaultdict(list)
    read = Client._read

    async def reading(client: Client) -> None:
        events, acks = len(client._events), set(client._acks)
        await read(client)
        transcripts[client] += [{"event": name, **payload} for name, payload in client._events[events:]]
        transcripts[client] += [{"event": "ack", **client._acks[number]} for number in client._acks.keys() - acks]

    monkeypatch.setattr(Client, "_read", reading)
    yield transcripts
    for transcript in transcripts.values():
        _check_versions(transcript)


def _check_versions(transcript: list[dict[str, Any]]) -> None:
    versions: dict[str, int] = {}
    seen: set[tuple[str, str, int]] = set()
    for message in transcript:
        if "version" not in message or message.get("duplicate"):
            continue
        match, name, version = message["session_id"], message["event"], message["version"]
        whole = "your_answers" in message  # the whole match mends any gap
        last = versions.get(match)
        if last is not None and not (whole and version >= last):
            assert last <= version <= last + 1, f"{name} after version {last}: {message}"
        if name not in ("ack", "quiz_state"):
            assert (match, name, version) not in seen, f"twice: {message}"
        seen.add((match, name, version))
        versions[match] = version


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Redis to be killed."""
    with valkey(tmp_path, tcp=True) as server:
        yield server


@pytest.fixture
async def nodes(start_server: StartServer, shared_valkey: Valkey) -> Pair:
    return await start_two(start_server, shared_valkey.url)


@pytest.fixture
async def players() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack
