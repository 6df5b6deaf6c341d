"""Logs: one event a line, a snake_case fact plus fields; JSON in production, pretty on a terminal."""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import Processor

_SECRETS = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"""(["']?(?:token|guest_token|correct_option)["']?\s*:\s*)("[^"]*"|'[^']*'|\d+)"""), r"\1[hidden]"),
)
_LIBRARIES = ("socketio.server", "engineio.server")


def configure(
    *, level: str, style: str, socketio: bool = False, engineio: bool = False, stream: TextIO = sys.stderr
) -> None:
    """Send our events and the libraries' to `stream`, in one style.

    `level` is debug, info, warning or error; `style` is json, console, or auto (console on a terminal, else json).
    `socketio` and `engineio` switch those libraries' own logs on.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    console = style == "console" or (style == "auto" and stream.isatty())
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*before, structlog.processors.UnicodeDecoder(), *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    handler.addFilter(_hide_secrets)
    logging.basicConfig(level=max(threshold, logging.INFO), handlers=[handler], force=True)
    for name, on in zip(_LIBRARIES, (socketio, engineio), strict=True):
        logging.getLogger(name).setLevel(logging.INFO if on else logging.CRITICAL)


def library_loggers() -> tuple[logging.Logger, logging.Logger]:
    """Return the loggers that python-socketio and python-engineio are given."""
    return logging.getLogger(_LIBRARIES[0]), logging.getLogger(_LIBRARIES[1])


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Take tokens and answer keys out of what the libraries say of each packet."""
    message = record.getMessage()
    for pattern, replacement in _SECRETS:
        message = pattern.sub(replacement, message)
    record.msg, record.args = message, ()
    return True
