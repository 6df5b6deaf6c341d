"""A PostgreSQL of a test's own, to be frozen, stopped and filled up."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psutil  # type: ignore[import-untyped]

from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.pace import patient

NOTICED_S = 3.0
RECOVERED_S = 5.0
BEAT_S = 0.5
BEAT = """
    INSERT INTO pairquiz.server_state (key, value) VALUES ('beat', '')
    ON CONFLICT (key) DO UPDATE SET created_at = now()
"""


class Outages:
    """What can befall a server; blocking calls are made beside the loop."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.dsn = postgres.dsn
        self._cluster = postgres._cluster
        self._frozen: list[psutil.Process] = []

    def freeze(self) -> None:
        """Stop all of its processes in the middle of whatever they do."""
        pid = int((self._cluster.folder / "postmaster.pid").read_text().split("\n")[0])
        postmaster = psutil.Process(pid)
        postmaster.suspend()
        self._frozen = [postmaster]
        for child in postmaster.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.suspend()
                self._frozen.append(child)

    def thaw(self) -> None:
        for process in reversed(self._frozen):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
        self._frozen = []

    async def stop(self) -> None:
        """End it without a clean stop, as a crash would."""
        done = await asyncio.to_thread(self._cluster._pg_ctl, "stop", "-m", "immediate")
        assert done.returncode == 0, done.stderr

    async def start(self) -> None:
        await asyncio.to_thread(self._cluster.start)


@asynccontextmanager
async def beating(database: Database, query: str = BEAT) -> AsyncIterator[None]:
    """While inside, the database is probed as a node does."""

    async def beat() -> None:
        while True:
            with suppress(StorageUnavailable):
                await database.probe(query)
            await asyncio.sleep(BEAT_S)

    await database.probe(query)
    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def seconds_until(done: Callable[[], bool | Awaitable[bool]], limit_s: float) -> float:
    """How long it took until something was so; fails where that takes longer than the limit."""
    began = time.monotonic()
    while True:
        answer = done()
        if answer if isinstance(answer, bool) else await answer:
            return time.monotonic() - began
        assert time.monotonic() - began < patient(limit_s), f"not so within {limit_s} s"
        await asyncio.sleep(0.02)
