"""What tests of the doctor share: looks at one thing, and servers that answer with something else than they should."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pairquiz_server import config
from pairquiz_server.doctor.checks import Findings
from pairquiz_server.doctor.database import DatabaseCheck
from pairquiz_server.doctor.finding import Finding, Outcome
from pairquiz_server.doctor.outside.look import look_outside
from pairquiz_server.doctor.outside.target import Target

ONE_WORD = {Outcome.OK: "ok", Outcome.SKIPPED: "skipped"}


async def all_of(findings: Findings) -> list[Finding]:
    return [finding async for finding in findings]


def told(findings: list[Finding]) -> dict[str, str]:
    """Each check, with the fault that was found; `ok` or `skipped` where there is none."""
    return {one.check: one.fault or ONE_WORD[one.outcome] for one in findings}


def faults(findings: list[Finding]) -> set[str]:
    return {one.fault for one in findings if one.fault}


async def database(url: str, *, long_s: int = 60, **environ: str) -> dict[str, str]:
    """Look at a database."""
    settings = config.load(environ={"DATABASE_URL": url, **environ})
    return told(await all_of(DatabaseCheck(settings, url, long_s=long_s).look()))


async def outside(url: str, **known: object) -> dict[str, str]:
    """Look at a server from outside."""
    return told(await look_outside(Target(url, **known)))  # type: ignore[arg-type]


@asynccontextmanager
async def answering(what: bytes | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield a port where whoever has said something hears `what`, and then nothing; None is silence."""
    ends: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.add(writer)
        await reader.read(1)
        if what is not None:
            writer.write(what)
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for end in ends:
            end.close()
