"""Processes that share an embedded PostgreSQL, and what they do to each other."""

import asyncio
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import asyncpg
import psutil  # type: ignore[import-untyped]

IS_ROOT = os.geteuid() == 0

# A process that joins, says so, and leaves when its input ends.
MEMBER = """
import sys
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
with EmbeddedPostgres.join(Path(sys.argv[1])) as postgres:
    print(postgres.dsn, flush=True)
    sys.stdin.read()
"""

# A process that joins, forks, and leaves when its input ends; the child lives on.  If it is "fresh", it
# stops before anything that is to be done after a fork.
FORKING_MEMBER = """
import os, signal, sys
def live_on():
    print(os.getpid(), flush=True)
    signal.pause()
if sys.argv[2] == "fresh":
    os.register_at_fork(after_in_child=live_on)
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
postgres = EmbeddedPostgres.join(Path(sys.argv[1]))
if os.fork() == 0:
    live_on()
sys.stdin.read()
postgres.leave()
"""

# A process that joins and leaves, and sends a signal when the named step begins for the n-th time.
SIGNALLER = """
import os, signal, sys
from pathlib import Path
from pairquiz_server.store.embedded import EmbeddedPostgres
data_dir, step, times, process, number = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
def hook(event, arguments):
    global times
    if event == step or event == "subprocess.Popen" and Path(arguments[0]).name == step:
        times -= 1
        if times == 0:
            os.kill(process, number)
# Ignored in the children of a background job.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(hook)
EmbeddedPostgres.join(data_dir).leave()
"""
ITS_GROUP = 0


@contextmanager
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        stop_servers(folder)
        shutil.rmtree(folder)


def stop_servers(folder: Path) -> None:
    for lock in folder.rglob("start.lock"):
        if is_running(lock.parent):
            kill_tree(postmaster(lock.parent))


@contextmanager
def member(data_dir: Path, script: str = MEMBER, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", script, str(data_dir), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def signaller(
    data_dir: Path, step: str, times: int, process: int, signal_: signal.Signals
) -> "subprocess.CompletedProcess[str]":
    arguments = [str(data_dir), step, str(times), str(process), str(int(signal_))]
    return subprocess.run(
        [sys.executable, "-c", SIGNALLER, *arguments],
        start_new_session=True,
        check=False,
        capture_output=True,
        text=True,
    )


def line_from(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def let_leave(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0]))


def is_running(data_dir: Path) -> bool:
    try:
        return bool(postmaster(data_dir).name() == "postgres")
    except (FileNotFoundError, psutil.NoSuchProcess):
        return False


def kill_tree(process: psutil.Process) -> None:
    for each in (process, *process.children(recursive=True)):
        with suppress(ProcessLookupError):
            end = os.pidfd_open(each.pid)
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(end, signal.SIGKILL)
            select.select([end], [], [])
            os.close(end)


def answer_to(dsn: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def modes_above(*paths: Path) -> dict[Path, int]:
    return {folder: folder.stat().st_mode for path in paths for folder in path.parents}
