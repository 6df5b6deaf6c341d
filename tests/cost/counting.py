"""What a thread does, counted by the interpreter and by the kernel: it does not depend on how busy the machine is."""

import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import uvloop

_LOGGING = ("structlog", "logging")
_ASKING = ("isEnabledFor",)  # whether there is anything to log: what nothing is logged by


class Counts:
    """What was done while one of the functions below counted; `writes` are calls of the kernel."""

    def __init__(self) -> None:
        self.instructions = 0
        self.python_calls = 0
        self.c_calls = 0
        self.encodings = 0
        self.log_calls = 0
        self.tasks = 0
        self.timers = 0
        self.writes = 0
        self.garbage = 0
        self.by_function: Counter[CodeType] = Counter()
        """Instructions."""


class CountingLoop(uvloop.Loop):
    """The loop that the server has, which counts the tasks and timers that are made while `counts` is set."""

    counts: Counts | None = None

    def create_task(self, *args: Any, **options: Any) -> asyncio.Task[Any]:
        if self.counts:
            self.counts.tasks += 1
        return super().create_task(*args, **options)

    def call_later(self, *args: Any, **options: Any) -> asyncio.TimerHandle:  # `call_at` comes to it, too
        if self.counts:
            self.counts.timers += 1
        return super().call_later(*args, **options)


@contextmanager
def calls(counts: Counts) -> Iterator[None]:
    """Count this thread's calls: of Python functions (each time that a coroutine goes on is one), and of C's."""

    def note(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            if _is_ours(frame):
                return
            counts.python_calls += 1
            if _package(frame) in _LOGGING and frame.f_code.co_name not in _ASKING:
                counts.log_calls += 1
        elif event == "c_call" and not _is_ours(frame):
            counts.c_calls += 1
            if arg.__name__ in ("encode", "encode_into", "encode_lines") and _owner(arg).startswith("msgspec"):
                counts.encodings += 1

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def instructions(counts: Counts) -> Iterator[None]:
    """Count the instructions of Python that this thread carries out."""

    def note(frame: FrameType, event: str, arg: Any) -> Any:
        if event == "opcode":
            counts.instructions += 1
            counts.by_function[frame.f_code] += 1
        return note

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if _is_ours(frame):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return note

    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(None)


@contextmanager
def effects(counts: Counts) -> Iterator[None]:
    """Count the tasks and timers that are made, this thread's writes, and objects that only gc can free."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)
    gc.collect()
    gc.disable()
    written = _writes()
    loop.counts = counts
    try:
        yield
    finally:
        loop.counts = None
        counts.writes += _writes() - written
        counts.garbage += gc.collect()
        gc.enable()


def _writes() -> int:
    """How many times this thread has written so far (`send` is none of them, `write` and `writev` are)."""
    fields = dict(line.split(": ") for line in Path("/proc/thread-self/io").read_text().splitlines())
    return int(fields["syscw"])


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_HERE)


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _owner(function: Any) -> str:
    owner = function.__self__
    return str(getattr(owner, "__name__", None) or type(owner).__module__)


_HERE = str(Path(__file__).parent)
