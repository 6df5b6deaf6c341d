"""Logs: one event a line, a snake_case fact plus fields; JSON in production, pretty on a terminal.

Only a traceback on a terminal takes more than its line. Tokens and answer keys are taken out of each finished line,
whoever wrote it.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

_LIBRARIES = ("socketio.server", "engineio.server")
_KEY = r"""((?:token|guest_token|correct_option)\\*["']?\s*:\s*)"""
# A key and its value in JSON or in a Python dict, also where that is itself quoted inside a line of JSON; what takes
# the value's place leaves the line as valid as it was.
_ours = logging.getLogger("pairquiz")
_SECRETS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(_KEY + r"""(\\*["']).*?\2"""), r"\1\2[hidden]\2"),
    (re.compile(_KEY + r"\d+"), r"\1null"),
)


def debugging() -> bool:
    """Tell whether debug events are written; structlog takes some 5 µs to find out, at each event."""
    return _ours.level <= logging.DEBUG


def inform(events: Iterable[EventDict]) -> None:
    """Write events at info, all by one write; it takes a third of what as many calls of a logger take."""
    if not structlog.get_logger().is_enabled_for(logging.INFO):
        return
    configured = structlog.get_config()
    lines: list[str] = []
    for event in events:
        line: Any = event
        try:
            for processor in configured["processors"]:
                line = processor(None, "info", line)
        except structlog.DropEvent:
            continue
        lines.append(line)
    if lines:
        configured["logger_factory"]().msg("\n".join(lines))


def overhearing() -> bool:
    """Tell whether `configure` was asked for the packets of connections."""
    return library_loggers()[1].level == logging.INFO


def configure(
    *, level: str, style: str, socketio: bool = False, engineio: bool = False, stream: TextIO | None = None
) -> None:
    """Send our events and the libraries' to `stream` (standard error where it is None), in one style.

    `level` is debug, info, warning or error; `style` is json, console, or auto (console on a terminal, else json).
    `socketio` and `engineio` switch those libraries' own logs on; what they catch of our faults is logged anyway.
    """
    stream = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    before: list[Processor] = [structlog.processors.add_log_level, _stamped]
    rendering = _rendering(console=style == "console" or (style == "auto" and stream.isatty()), colors=stream.isatty())
    structlog.configure(
        processors=[*before, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Sink(stream))),
        cache_logger_on_first_use=False,
    )
    _ours.setLevel(threshold)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    quiet = {name for name, on in zip(_LIBRARIES, (socketio, engineio), strict=True) if not on}
    handler.addFilter(lambda record: record.name not in quiet or record.exc_info is not None)
    logging.basicConfig(level=max(threshold, logging.INFO), handlers=[handler], force=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR if name in quiet else logging.INFO)
    # Its pool writes a traceback of its own where the database is away, which the heartbeat tells in a line.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    # It warns of each websocket that asks for a protocol which is not ours, and anybody can.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)


class _Sink:
    """A stream that loses a line which cannot be written: a full disk must not stop the game."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def library_loggers() -> tuple[logging.Logger, logging.Logger]:
    """Return the loggers that python-socketio and python-engineio are given."""
    return logging.getLogger(_LIBRARIES[0]), logging.getLogger(_LIBRARIES[1])


def _rendering(*, console: bool, colors: bool) -> list[Processor]:
    """Return the processors that make an event its line."""
    if console:
        # structlog's own choice of traceback shows local variables, and with them tokens and right answers.
        renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
        return [structlog.processors.UnicodeDecoder(), _on_one_line, renderer, _without_secrets]
    return [structlog.processors.format_exc_info, _as_json, _without_secrets]


def _stamped(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Say when it was, as structlog's `TimeStamper` does."""
    event["timestamp"] = f"{datetime.now(UTC).isoformat()[: -len('+00:00')]}Z"
    return event


def _spelt(value: Any) -> str:
    """Say in JSON what has no form of its own in it."""
    return value.decode(errors="replace") if isinstance(value, bytes) else repr(value)


_encode = json.JSONEncoder(default=_spelt).encode
"""`json.dumps` with options would make an encoder each time."""


def _as_json(_logger: Any, _method: str, event: EventDict) -> str:
    return _encode(event)


def _on_one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Spell out the line breaks and escapes of a text from outside, so that it cannot forge lines on a terminal."""
    return {key: _spelt_out(value) if isinstance(value, str) else value for key, value in event.items()}


def _spelt_out(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _without_secrets(_logger: Any, _method: str, line: Any) -> str:
    if "eyJ" in line or "token" in line or "correct_option" in line:  # a tenth of what it takes to look for patterns
        for pattern, replacement in _SECRETS:
            line = pattern.sub(replacement, line)
    return str(line)
