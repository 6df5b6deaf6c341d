"""What clients send: a struct for each command's payload, and how bytes become one.

Unknown keys are ignored; a known key of a wrong type, range or length is refused by its name; a missing payload and
`null` are the empty object, and an optional key that is `null` is absent.
"""

import re
from enum import StrEnum
from typing import Annotated, TypeVar, get_args, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import PLAYER_ID_MAX
from pairquiz_server.rules.question import TOPIC_MAX, printable, tidy, topic_fault
from pairquiz_server.rules.reporting import NOTE_MAX, ReportReason
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace
from pairquiz_server.validation import fault

DEFAULT_TOPIC = "General"
_UUID_LENGTH = 36
_SESSION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A match's id as it is kept. `UUID` reads other spellings too, and takes several times as long."""
_TOPIC_TEXT_MAX = TOPIC_MAX * 10
"""What is longer has no topic in it, whatever space is around: it is refused before any work is done on it."""

Id = int | str
ClaimedUser = int | float | str | None
Text64 = Annotated[str, Meta(min_length=1, max_length=64)]

P = TypeVar("P", bound=Struct)


class CreatePairQuiz(Struct, frozen=True, gc=False):
    """`create_pair_quiz`: a match waits for an opponent. `time_limit` is in seconds a question."""

    user_id: ClaimedUser = None
    topic: str | None = None
    question_count: Annotated[int, Meta(ge=1, le=50)] | None = None
    time_limit: Annotated[int, Meta(ge=5, le=300)] | None = None
    pace: Pace | None = None
    scoring: ScoringProfile | None = None
    request_id: Text64 | None = None


class JoinPairQuiz(Struct, frozen=True, gc=False):
    """`join_pair_quiz`: by the session's id, or by its join code."""

    user_id: ClaimedUser = None
    session_id: str | None = None
    join_code: Text64 | None = None


class StartQuiz(Struct, frozen=True, gc=False):
    """`start_quiz`: either player starts."""

    session_id: str


class SubmitAnswer(Struct, frozen=True, gc=False):
    """`submit_answer`: `answer` is the zero-based index (number) or the option's exact text (string)."""

    session_id: str
    question_id: Id
    answer: int | str


class QuizCompleted(Struct, frozen=True, gc=False):
    """`quiz_completed`: done. `score` is a client's claim, and is not read."""

    session_id: str


class ResumePairQuiz(Struct, frozen=True, gc=False):
    """`resume_pair_quiz`: one session, or all that are live."""

    session_id: str | None = None


class LeavePairQuiz(Struct, frozen=True, gc=False):
    """`leave_pair_quiz`: give up."""

    session_id: str


class FindOpponent(Struct, frozen=True, gc=False):
    """`find_opponent`: what to play with whoever looks for the same. `time_limit` is in seconds a question."""

    topic: str | None = None
    question_count: Annotated[int, Meta(ge=1, le=50)] | None = None
    time_limit: Annotated[int, Meta(ge=5, le=300)] | None = None
    pace: Pace | None = None
    scoring: ScoringProfile | None = None
    accept_ghost: bool | None = None


class CancelFindOpponent(Struct, frozen=True, gc=False):
    """`cancel_find_opponent`: look no more."""


class BlockPlayer(Struct, frozen=True, gc=False):
    """`block_player`: find the opponent of a session no more."""

    session_id: str


class UnblockPlayer(Struct, frozen=True, gc=False):
    """`unblock_player`: take that back."""

    session_id: str


class RequestRematch(Struct, frozen=True, gc=False):
    """`request_rematch`: once more, against the same opponent."""

    session_id: str


class ReportQuestion(Struct, frozen=True, gc=False):
    """`report_question`: what is wrong with a question that one was shown, and in one's own words."""

    session_id: str
    question_id: Id
    reason: ReportReason
    note: Annotated[str, Meta(max_length=NOTE_MAX)] | None = None


class RefreshToken(Struct, frozen=True, gc=False):
    """`refresh_token`: the next token of the same player."""

    token: Annotated[str, Meta(min_length=1)]


class SetProfile(Struct, frozen=True, gc=False):
    """`set_profile`: what the player is called, and whether runs may be recorded; what is not said stays as it is."""

    display_name: str | None = None
    record_runs: bool | None = None


class CreateChallenge(Struct, frozen=True, gc=False):
    """`create_challenge`: a link to the player's own run in a session that is over."""

    session_id: str


class AcceptChallenge(Struct, frozen=True, gc=False):
    """`accept_challenge`: play against the run that a code leads to."""

    challenge_code: Text64


class SyncClock(Struct, frozen=True, gc=False):
    """`sync_clock`: the client's clock in milliseconds, given back beside ours."""

    client_time: int | float | None = None


def parse(kind: type[P], data: Raw | bytes | None) -> P:
    """Read a payload (JSON, None for a missing one) as a struct. Raises `Refused` (`invalid_payload`)."""
    text = bytes(data) if data is not None else b"null"
    try:
        return msgspec.json.decode(b"{}" if text.strip() == b"null" else text, type=kind)
    except msgspec.ValidationError as error:
        wrong = fault(error)
        expected = _choices(kind, wrong.path) if wrong.reason.startswith("invalid enum value") else None
        raise Refused(Code.INVALID_PAYLOAD, f"{wrong.path}: {expected}" if expected else str(wrong)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(Code.INVALID_PAYLOAD, "The payload is not valid JSON") from None


def _choices(kind: type[Struct], key: str) -> str | None:
    """Return what a key may be, where it is one of a few words."""
    asked = get_type_hints(kind).get(key)
    for choice in (asked, *get_args(asked)):
        if isinstance(choice, type) and issubclass(choice, StrEnum):
            *others, last = choice
            return f"expected {', '.join(others)}, or {last}"
    return None


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
            raise Refused(Code.INVALID_PAYLOAD, "question_id: expected an integer, or its decimal text")
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
