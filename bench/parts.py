"""Where each microsecond goes: samples of the server's stack, by the part of the way that they were taken in.

A stack belongs to the first frame, from the innermost outwards, that a rule knows. So what a library does belongs to
whoever called it, and msgspec's work to the part that parses or encodes.
"""

import re
from collections import Counter
from collections.abc import Iterable

REST = "rest"
# (part, what it is, frames of it). A frame is "function (file:line)".
_PARTS = (
    ("collect", "Python's garbage collection", r"^gc_collect"),
    ("wait", "asking the kernel what has come", r"^epoll_|uv__epoll|uv__io_uring|uv__update_time|uv__hrtime"),
    ("commit", "batches, rows, asyncpg", r"engine/(committer|batch|submission|writing|waiting|journal)\.py|/store/"
               r"|asyncpg/|\(protocol\.c:|pgproto"),
    ("write", "who hears of it, and the sockets", r"^(write|writev|send|sendmsg|uv_write|uv__write|uv_try_write)\b"
              r"|UVStream_(_exec_)?write|web/(announce|relay|catch_up)\.py|web/sockets/(link|send_queue|connections)\.py"
              r"|^\S*(\.send|\.flush|\.write|\.send_packet|\.put|\.put_nowait|\.notify)\b.* \(pairquiz_server/web/"),
    ("encode", "events and replies to bytes", r"protocol/(frames|views|events)\.py"),
    ("parse", "JSON to commands", r"protocol/"),
    ("decide", "the game's rules", r"/rules/|engine/"),
    ("guard", "limits, identity, measuring lines", r"web/(guard|identity)/|web/sockets/(pings|idle|expiry)\.py"),
    ("read", "sockets, frames, Socket.IO", r"^(read|recv|uv__read|uv__stream_io)\b|web/|aiohttp/|reader_c\.c|mask\.c"
             r"|socketio/|engineio/|uv_stream_on_read"),
    ("loop", "callbacks, tasks, timers", r"asyncio/|_asynciomodule|uvloop|loop\.c|uv_|uv__"),
)  # fmt: skip
_RULES = [(part, re.compile(pattern)) for part, _, pattern in _PARTS]


def part_of(stack: str) -> str:
    """Return the part of a stack: frames from the outermost to the innermost, with ";" between."""
    for frame in reversed(stack.split(";")):
        for part, pattern in _RULES:
            if pattern.search(frame):
                return part
    return REST


def parts(samples: Iterable[str]) -> Counter[str]:
    """Count samples by part; each is a line of py-spy's raw format: a stack and how often it was seen."""
    found: Counter[str] = Counter()
    for line in samples:
        stack, _, count = line.strip().rpartition(" ")
        if stack:
            found[part_of(stack)] += int(count)
    return found


def table(samples: Iterable[str], answer_us: float) -> list[str]:
    """Return where the microseconds of an answer go, as a table in Markdown."""
    found = parts(samples)
    total = sum(found.values()) or 1
    lines = ["| part | µs an answer | share | |", "|---|---:|---:|---|"]
    for part, what, _ in (*_PARTS, (REST, "all else", "")):
        share = found[part] / total
        lines.append(f"| {part} | {share * answer_us:.1f} | {share:.0%} | {what} |")
    return lines
