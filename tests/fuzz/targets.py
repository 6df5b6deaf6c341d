"""The parsers that read what strangers send, and what operators import: bytes → read, or refused in its one way.

All else that a parser raises is a finding; Hypothesis looks for one in `test_targets.py`, atheris in `parsers.py`.
"""

from collections.abc import Callable
from contextlib import suppress

from pairquiz_server.formats import detect
from pairquiz_server.formats.outcome import UnreadableFile
from pairquiz_server.protocol import asking, frames, reading
from pairquiz_server.protocol.commands import COMMANDS
from pairquiz_server.rules.errors import Refused

_ROWS = [COMMANDS[name] for name in sorted(COMMANDS)]


def read_frame(data: bytes) -> None:
    """Read a Socket.IO packet, as a command and as an event with the payload of some command."""
    with suppress(frames.BadFrame):
        asking.read(data).name.encode()
    with suppress(frames.BadFrame):
        event = frames.decode_event(data)
        event.name.encode()
        _read_payload(len(event.name), None if event.payload is None else bytes(event.payload))


def read_payload(data: bytes) -> None:
    """Read the payload of some command: the first byte chooses which."""
    if data:
        _read_payload(data[0], data[1:])


def read_file(data: bytes) -> None:
    """Read a question file: every entry is taken or refused, or the file is none."""
    with suppress(UnreadableFile):
        parsed = detect.parse(data, name="General.txt")
        for located in parsed.questions:
            located.question.text.encode()
        for refusal in parsed.refusals:
            assert refusal.reason


def _read_payload(choice: int, data: bytes | None) -> None:
    row = _ROWS[choice % len(_ROWS)]
    with suppress(Refused):
        payload = reading.parse(row.payload, data)
        for key, read in _FIELDS.items():
            value = getattr(payload, key, None)
            if value is not None:
                with suppress(Refused):
                    read(value)


_FIELDS: dict[str, Callable[..., object]] = {
    "topic": reading.topic,
    "session_id": reading.session_id,
    "question_id": reading.question_id,
    "user_id": reading.label,
    "request_id": lambda text: reading.clean("request_id", text),
    "join_code": lambda text: reading.clean("join_code", text),
}

TARGETS: dict[str, Callable[[bytes], None]] = {"frame": read_frame, "payload": read_payload, "file": read_file}
