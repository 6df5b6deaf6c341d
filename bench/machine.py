"""Processes on cores of their own, and what they cost as the kernel counts it."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Cores:
    """The server has one core, all else (the load, PostgreSQL, this process) another one."""

    def __init__(self) -> None:
        allowed = sorted(os.sched_getaffinity(0))
        self.server = allowed[0]
        self.rest = allowed[1 % len(allowed)]

    @property
    def apart(self) -> bool:
        """Whether there are two."""
        return self.server != self.rest


def settle(cores: Cores) -> None:
    """Bring this process, and all that it starts from now on, to the core of the rest; allow many open files."""
    os.sched_setaffinity(0, {cores.rest})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # An exception is what ends all that was started.
    signal.signal(signal.SIGTERM, lambda number, frame: _stop())


def _stop() -> None:
    raise SystemExit(1)


def on_core(core: int, *command: str) -> list[str]:
    """Return the command that runs another one on a core, and ends it with us even where we are killed."""
    return ["taskset", "--cpu-list", str(core), "setpriv", "--pdeathsig", "KILL", *command]


@contextmanager
def ended(process: "subprocess.Popen[bytes]", patience_s: float = 10.0) -> Iterator[None]:
    """End a process whatever happens: by SIGTERM, and by SIGKILL when it takes too long."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU, and how many of them were spent in the kernel."""

    whole_s: float = 0.0
    kernel_s: float = 0.0

    def __sub__(self, before: "Cpu") -> "Cpu":
        return Cpu(self.whole_s - before.whole_s, self.kernel_s - before.kernel_s)


def cpu(root: int) -> Cpu:
    """What a process tree has taken so far, with those of its children that have ended."""
    user = kernel = 0
    for pid in tree(root):
        if fields := _stat(pid):
            user += int(fields[11]) + int(fields[13])  # utime, cutime
            kernel += int(fields[12]) + int(fields[14])  # stime, cstime
    return Cpu((user + kernel) / _TICKS, kernel / _TICKS)


def busy_s(core: int) -> float:
    """Seconds that a core has had something to do so far, whoever did it; what a hypervisor took away counts too."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waiting, irq, softirq, stolen = (int(tick) for tick in ticks[:8])
            return (user + nice + system + irq + softirq + stolen) / _TICKS
    return 0.0


def resident_kb(root: int) -> int:
    """Kilobytes of memory that a process tree has (VmRSS)."""
    return sum(_resident_kb(pid) for pid in tree(root))


def parent_of(pid: int) -> int:
    """Who started a process."""
    fields = _stat(pid)
    assert fields is not None
    return int(fields[1])


def load_average() -> float:
    """How busy the machine was in the last minute."""
    return os.getloadavg()[0]


def wait_until(condition: Callable[[], bool], patience_s: float, what: str) -> None:
    """Look again and again. Raises TimeoutError."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.01)


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; None where the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
