"""One run of the load generator against one server, and what both took for it."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from bench import machine, programs
from bench.servers import Server


class Fault(Exception):
    """A player was told something that is not so, or could not play."""


@dataclass(frozen=True)
class Run:
    """What a run was like; the costs of an answer are in microseconds of CPU."""

    answers_per_s: float
    duels_per_s: float
    server_us: float
    kernel_us: float  # of the server's
    postgres_us: float
    load_us: float
    p50_ms: float
    p99_ms: float
    refused: int  # how often a command was refused for a moment, and asked again
    delayed: int  # how many events said that the server was away for 2 s, since the first match began
    others: float  # the share of the server's core that somebody else had
    rest_busy: float  # the share of the other core that was used at all, by the load, PostgreSQL and others

    @property
    def total_us(self) -> float:
        """The server's cost with PostgreSQL's."""
        return self.server_us + self.postgres_us


class Load:
    """A load generator that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def phase(self, name: str) -> dict[str, Any]:
        """Wait until it says that something has begun or ended. Raises `Fault`."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told: dict[str, Any] = msgspec.json.decode(line)
            if told.get("errors"):
                break
            if told["phase"] == name:
                return told
        self._process.terminate()
        assert self._process.stderr is not None
        raise Fault(self._process.stderr.read().decode(errors="replace").strip() or "the load generator has ended")


@contextmanager
def loading(port: int | Sequence[int], core: int, **options: float | str) -> Iterator[Load]:
    """Start the load generator against a server, or against several nodes, and end it afterwards."""
    ports = [port] if isinstance(port, int) else port
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    words += [word for one in ports for word in ("--port", str(one))]
    process = subprocess.Popen(
        machine.on_core(core, str(programs.compiled("load")), *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process, machine.ended(process):
        yield Load(process)


@dataclass(frozen=True)
class _Costs:
    """What was spent until a moment."""

    at_s: float
    server: machine.Cpu
    postgres: machine.Cpu
    its_core_s: float
    rest_core_s: float

    @classmethod
    def read(cls, server: Server, cores: machine.Cores) -> "_Costs":
        """Read it now."""
        postgres = machine.cpu(server.postgres_pid) if server.postgres_pid else machine.Cpu()
        used = (machine.busy_s(core) for core in (cores.server, cores.rest))
        return cls(time.monotonic(), machine.cpu(server.pid), postgres, *used)


def play(server: Server, cores: machine.Cores, begun: Callable[[], None] = lambda: None, **options: float | str) -> Run:
    """Let pairs play, and count what it costs from outside; `begun` is called when that begins."""
    with loading(server.port, cores.rest, **options) as load:
        load.phase("begin")
        begun()
        before = _Costs.read(server, cores)
        end = load.phase("end")
        after = _Costs.read(server, cores)
    answers = max(end["answers"], 1)
    took = after.server - before.server
    span_s = after.at_s - before.at_s
    return Run(
        answers_per_s=end["answers"] / end["seconds"],
        duels_per_s=end["duels"] / end["seconds"],
        server_us=took.whole_s * 1e6 / answers,
        kernel_us=took.kernel_s * 1e6 / answers,
        postgres_us=(after.postgres - before.postgres).whole_s * 1e6 / answers,
        load_us=end["load_cpu_s"] * 1e6 / answers,
        p50_ms=end["p50_ms"],
        p99_ms=end["p99_ms"],
        refused=end["refused"],
        delayed=end["delayed"],
        others=max(after.its_core_s - before.its_core_s - took.whole_s, 0) / span_s,
        rest_busy=(after.rest_core_s - before.rest_core_s) / span_s,
    )
