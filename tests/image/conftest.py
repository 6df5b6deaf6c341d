"""The image that scripts/image has built, and containers of it."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.line import Line
from tests.ports import OwnPort

PATIENCE_S = 60
TOP = Path(__file__).resolve().parents[2]
SET_BY_US = ("PATH", "PYTHON", "PAIRQUIZ_")
"""How the names begin that our Dockerfile sets; the others are of what stands in for the official images."""
CONTAIN = """
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
exec chroot "$1" setpriv --reuid "$2" --regid "$3" --clear-groups --no-new-privs --bounding-set -all \
    env --ignore-environment --chdir "$4" "${@:5}"
"""
"""What `docker run --read-only --cap-drop ALL --security-opt no-new-privileges --network host` does, but for cgroups:
nothing can be written, not even in /tmp, and the program is process 1."""


class Image:
    """What was built: its root, and its configuration."""

    def __init__(self, root: Path, config: dict[str, Any]) -> None:
        self.root = root
        self.config = config

    async def start(self, *words: str, **environ: str) -> Process:
        """Start a command in a container of its own."""
        user, _, group = self.config["User"].partition(":")
        ours = dict(entry.split("=", 1) for entry in self.config["Env"] if entry.startswith(SET_BY_US))
        return await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", CONTAIN, "container"),
            *(str(self.root), user, group, self.config["WorkingDir"]),
            *(f"{name}={value}" for name, value in {**ours, **environ}.items()),
            *words,
            stdout=PIPE,
            stderr=STDOUT,
        )

    async def run(self, *words: str, **environ: str) -> tuple[int, str]:
        """Run a command in a container of its own; return its exit code, and what it says."""
        process = await self.start(*words, **environ)
        async with asyncio.timeout(PATIENCE_S):
            said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def healthy(self, **environ: str) -> bool:
        """Ask as the image's own check does."""
        kind, *words = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        code, _ = await self.run(*words, **environ)
        return code == 0


class Container:
    """`CMD`, with nothing but the image's environment and what is given."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.port = str(port)
        self.url = f"http://127.0.0.1:{port}"

    async def until_ready(self) -> None:
        """Read what it says until it is ready for players."""
        said = ""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._process.stdout:
                said += line.decode()
                if "Ctrl+C" in said:
                    return
        raise AssertionError(f"it ended with {await self._process.wait()}: {said}")

    async def stop(self) -> int:
        """Send its first process the image's signal, as `docker stop` does, and return the exit code."""
        (first,) = psutil.Process(self._process.pid).children()
        first.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()


@asynccontextmanager
async def serving(image: Image, **environ: str) -> AsyncIterator[Container]:
    """Start a container, and wait until it is ready."""
    port = OwnPort()
    process = await image.start(*image.config["Cmd"], PORT=str(port.number), **environ)
    container = Container(process, port.number)
    try:
        await container.until_ready()
        yield container
    finally:
        if process.returncode is None:
            process.kill()  # unshare takes all of it along
        await process.communicate()
        port.close()


@pytest.fixture
def image() -> Image:
    root = os.environ.get("IMAGE_ROOT")
    if root is None:
        pytest.fail("scripts/image builds it, and runs these tests")
    written = json.loads((TOP / "build" / "image" / "image.json").read_text())
    return Image(Path(root), written["Docker"]["config"])


@pytest.fixture
async def tcp_url(database_url: str) -> AsyncIterator[str]:
    """Where this test's own database is for a container."""
    async with Line(database_url).open() as line:
        yield line.dsn
