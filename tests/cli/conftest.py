"""Commands in this process (quick), and servers in processes of their own."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from pairquiz_server.cli.main import main

COMMAND = [sys.executable, "-m", "pairquiz_server.cli.main"]
PATIENCE_S = 30
SECRET = "a secret of at least thirty-two bytes"
PLATFORM_NAMES = ("PORT", "DATABASE_URL", "SUPABASE_URL", "REDIS_URL", "JWT_SECRET")

Invoke = Callable[..., Result]


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command line that ends with a command, and the command."""
    yield (), main
    for name in main.commands:
        yield from _below((name,), main.loaded(name))


def _below(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from _below((*path, name), one)


def clean_environment(**names: str) -> dict[str, str]:
    """This process's environment without any setting, and with `names`."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PAIRQUIZ_")}
    return {name: value for name, value in ours.items() if name not in PLATFORM_NAMES} | names


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Run a command in this process: words, and the environment as keywords."""
    for name in set(os.environ) - set(clean_environment()):
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*words: str | Path, **environ: str) -> Result:
        guard = threading.Timer(PATIENCE_S, os.kill, (os.getpid(), signal.SIGINT))  # a `serve` that should have failed
        guard.start()
        try:
            return CliRunner(env=environ).invoke(main, [str(word) for word in words], prog_name="pairquiz-server")
        finally:
            guard.cancel()

    yield run
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="session")
def data_dir(open_folder: Path) -> Path:
    """A data folder that the tests of this folder share; its PostgreSQL runs only while a command does."""
    return open_folder / "cli"


@dataclass
class Serving:
    """`serve` in a process of its own."""

    process: subprocess.Popen[str]
    screen: str = ""
    errors: list[str] = field(default_factory=list)
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Begin to read what it says on standard error."""
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr or []))
        self.reader.start()

    @property
    def url(self) -> str:
        """Where its screen says that it is."""
        return self.screen.split("ready for players:")[1].split()[0]

    def get(self, path: str) -> object:
        with urlopen(self.url + path, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def await_screen(self) -> None:
        """Read until the screen is complete."""
        assert self.process.stdout is not None
        self.screen = ""
        for line in self.process.stdout:
            self.screen += line
            if "Ctrl+C" in line:
                return
        raise AssertionError(f"serve ended with {self.exit_code()}: {self.errors}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for its end, and for the last of what it says."""
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code


StartServe = Callable[..., Serving]


@contextmanager
def serving(*words: str | Path, cwd: Path | None = None, **environ: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [*COMMAND, "serve", *map(str, words)],
        env=clean_environment(**environ),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    running = Serving(process)
    assert process.stdout is not None
    assert process.stderr is not None
    guard = threading.Timer(PATIENCE_S, process.kill)
    guard.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            guard.cancel()
            running.reader.join()
            process.stdout.close()
            process.stderr.close()


@pytest.fixture
def start_serve(data_dir: Path) -> Iterator[StartServe]:
    """Start `serve` on a port of its own, and wait for its screen; keyword arguments are its environment."""
    with ExitStack() as servers:

        def start(*words: str | Path, **environ: str) -> Serving:
            folder = () if "DATABASE_URL" in environ or "--data-dir" in words else ("--data-dir", data_dir)
            running = servers.enter_context(serving("--port", "0", *folder, *words, **environ))
            running.await_screen()
            return running

        yield start


def one_line(result: Result) -> str:
    """Return what a failed command says, which must be one line on standard error, and nothing else."""
    assert result.exit_code != 0, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    said = result.stderr.splitlines()
    assert len(said) == 1, result.stderr
    assert said[0].startswith("pairquiz-server: ")
    return said[0]


def postgres_runs(data_dir: Path) -> bool:
    """Whether the embedded PostgreSQL of a folder runs; it takes its pid file with it."""
    return (data_dir / "postgres" / "postmaster.pid").exists()
