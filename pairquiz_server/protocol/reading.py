"""How bytes become a payload, and its texts what they mean.

What does not fit its struct is refused in JSON's words; what no struct can know (a UUID, a topic's spelling) is read
here.
"""

import re
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from pairquiz_server.protocol.expectations import mistake
from pairquiz_server.protocol.frames import BadFrame
from pairquiz_server.protocol.payloads import DEFAULT_TOPIC, ClaimedUser, ConnectAuth, Id
from pairquiz_server.protocol.versions import not_spoken
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import PLAYER_ID_MAX
from pairquiz_server.rules.question import TOPIC_MAX, printable, tidy, topic_fault
from pairquiz_server.validation import fault

_UUID_LENGTH = 36
_SESSION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A match's id as it is kept. `UUID` reads other spellings too, and takes several times as long."""
_TOPIC_TEXT_MAX = TOPIC_MAX * 10
"""What is longer has no topic in it, whatever space is around: it is refused before any work is done on it."""

P = TypeVar("P", bound=Struct)


def parse(kind: type[P], data: Raw | bytes | None) -> P:
    """Read a payload (JSON, None for a missing one) as a struct. Raises `Refused` (`invalid_payload`)."""
    text = bytes(data) if data is not None else b"null"
    try:
        return msgspec.json.decode(b"{}" if text.strip() == b"null" else text, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(Code.INVALID_PAYLOAD, mistake(kind, error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(Code.INVALID_PAYLOAD, "The payload is not valid JSON") from None


def connect(data: bytes) -> ConnectAuth | Refused:
    """Read what is said at CONNECT; one of its keys that is not what it should be is a refusal. Raises `BadFrame`."""
    try:
        return msgspec.json.decode(data or b"{}", type=ConnectAuth)
    except msgspec.ValidationError as error:
        match fault(error).path:
            case "token":
                return Refused(Code.UNAUTHORIZED, "auth.token must be a text")
            case "protocol":
                return not_spoken()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise BadFrame("a CONNECT whose payload is no object")


def session_id(text: str) -> str:
    """Read a session id, in any spelling. What is no UUID is `not_found`, like one that nobody knows."""
    if _SESSION_ID.fullmatch(text):
        return text
    try:
        return str(UUID(text)) if len(text) == _UUID_LENGTH else _no_session()
    except ValueError:
        return _no_session()


def question_id(value: Id) -> int:
    """Read a question's id: an integer, or its decimal text. Raises `Refused` (`invalid_payload`)."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise Refused(Code.INVALID_PAYLOAD, "question_id: expected a whole number, or its decimal text")
        return int(value)
    return value


def topic(text: str | None) -> str:
    """Read a topic, `General` where none is named. Raises `Refused` (`invalid_payload`)."""
    if text is None:
        return DEFAULT_TOPIC
    if len(text) > _TOPIC_TEXT_MAX:
        raise Refused(Code.INVALID_PAYLOAD, f"topic: a topic has 1 to {TOPIC_MAX} characters")
    name = tidy(text)
    if wrong := topic_fault(name) or (None if printable(text.strip()) else "a topic has no control characters"):
        raise Refused(Code.INVALID_PAYLOAD, f"topic: {wrong}")
    return name


def clean(key: str, text: str | None) -> str | None:
    """Return an optional text that has no control characters. Raises `Refused` (`invalid_payload`)."""
    if text is not None and not printable(text):
        raise Refused(Code.INVALID_PAYLOAD, f"{key}: has control characters")
    return text


def note(text: str | None) -> str | None:
    """Read a note: its lines become one, and nothing but space is nothing. Raises `Refused` (`invalid_payload`)."""
    return clean("note", tidy(text or "") or None)


def label(claimed: ClaimedUser) -> str | None:
    """Return what a guest's `user_id` is kept as, None where it is not worth keeping."""
    text = "" if claimed is None else str(claimed)
    return text if 1 <= len(text) <= PLAYER_ID_MAX and printable(text) else None


def _no_session() -> str:
    raise Refused(Code.NOT_FOUND)
