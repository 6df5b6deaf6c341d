"""Programs that are no Python package, as tests use them: the machine's own, or what scripts/debian fetched."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.nodejs import missing

FETCHED = Path(__file__).parents[1] / "build" / "debian"
_FOLDERS = [str(FETCHED / "usr" / "sbin"), str(FETCHED / "usr" / "bin")]
PATIENCE_S = 30.0
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *_FOLDERS])


@dataclass(frozen=True)
class Program:
    """Where a program is, and the environment that it needs."""

    path: str
    environ: dict[str, str]


def program(name: str, package: str) -> Program:
    """Return a program of a Debian package; where there is none, what needs it is skipped, and fails in CI."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        missing(f"{name} is missing: scripts/debian {package}")
    assert found is not None
    environ = dict(os.environ)
    if Path(found).is_relative_to(FETCHED):
        environ["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, FETCHED.glob("**/*-linux-gnu")))
    return Program(found, environ)


@asynccontextmanager
async def listening(command: Sequence[str], environ: dict[str, str], log_file: Path, port: int) -> AsyncIterator[None]:
    """Run a program that listens at a port of the loopback, and end it with all its children."""
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _listens(port):
                assert process.returncode is None, f"it did not start: see {log_file}"
                await asyncio.sleep(0.02)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
