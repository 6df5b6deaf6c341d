"""Why a command is refused: every code that a client can see, in one place.

A code is stable: it is never renamed, and never used again for something else.
"""

from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """The stable names of refusals, as they stand in `error.code` on the wire."""

    NOT_FOUND = "not_found"
    SESSION_FULL = "session_full"
    NOT_A_PLAYER = "not_a_player"
    OWN_MATCH = "own_match"
    WRONG_STATE = "wrong_state"
    TOO_LATE = "too_late"
    ALREADY_ANSWERED = "already_answered"
    UNKNOWN_QUESTION = "unknown_question"
    INVALID_PAYLOAD = "invalid_payload"
    UNKNOWN_COMMAND = "unknown_command"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED_PROTOCOL = "unsupported_protocol"
    KEYS_UNAVAILABLE = "keys_unavailable"
    FORBIDDEN = "forbidden"
    NOT_ENOUGH_QUESTIONS = "not_enough_questions"
    OPPONENT_UNAVAILABLE = "opponent_unavailable"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_SESSIONS = "too_many_sessions"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    SERVER_FULL = "server_full"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    DRAINING = "draining"
    MAINTENANCE = "maintenance"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_SLOW = "too_slow"
    INTERNAL = "internal"


MESSAGES = {
    Code.NOT_FOUND: "Session not found",
    Code.SESSION_FULL: "Session is full",
    Code.NOT_A_PLAYER: "You are not a player of this session",
    Code.OWN_MATCH: "You created this session: send its link or code to somebody else to join",
    Code.WRONG_STATE: "The session is not in a state that allows this",
    Code.TOO_LATE: "The time for this answer is over",
    Code.ALREADY_ANSWERED: "You have already answered this question, and an answer stands",
    Code.UNKNOWN_QUESTION: "This question is not one of this session",
    Code.INVALID_PAYLOAD: "The payload is not valid",
    Code.UNKNOWN_COMMAND: "There is no such command",
    Code.UNAUTHORIZED: "A valid token is required",
    Code.UNSUPPORTED_PROTOCOL: "This version of the protocol is not spoken here: update the client",
    Code.KEYS_UNAVAILABLE: "The keys of the token's issuer cannot be fetched: try again in a moment",
    Code.FORBIDDEN: "The user_id in the payload is not the one of your token: leave it out",
    Code.NOT_ENOUGH_QUESTIONS: "The topic has not enough questions",
    Code.OPPONENT_UNAVAILABLE: "This opponent takes no rematch: look for another one, or create another session",
    Code.RATE_LIMITED: "Too many at once: try again in retry_in_ms",
    Code.TOO_MANY_SESSIONS: "You have too many sessions that are not over: finish or leave one first",
    Code.TOO_MANY_CONNECTIONS: "There are too many connections from your address: close some, or try again later",
    Code.SERVER_FULL: "The server is full: try again in a moment",
    Code.STORAGE_UNAVAILABLE: "The database does not answer: try again in a moment",
    Code.DRAINING: "The server is stopping: connect again in a moment",
    Code.MAINTENANCE: "The server is being looked after, and no session begins: try again later",
    Code.PAYLOAD_TOO_LARGE: "The request is too large",
    Code.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON, with Content-Type: application/json",
    Code.METHOD_NOT_ALLOWED: "This path does not take this method",
    Code.TOO_SLOW: "The request arrived too slowly",
    Code.INTERNAL: "The server failed on this request: try again",
}
"""What a code says to people, unless a refusal has something more exact to say."""

RETRYABLE = frozenset(
    {
        Code.RATE_LIMITED,
        Code.TOO_MANY_CONNECTIONS,
        Code.SERVER_FULL,
        Code.KEYS_UNAVAILABLE,
        Code.STORAGE_UNAVAILABLE,
        Code.DRAINING,
        Code.MAINTENANCE,
        Code.INTERNAL,
    }
)
"""The codes after which the same command may succeed later, unchanged."""


class Refused(Exception):
    """A command that is not carried out; nothing has changed.

    `details` are further keys of the error on the wire, such as `available`.
    """

    def __init__(self, code: Code, message: str | None = None, **details: int | list[int]) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        self.details: dict[str, Any] = details
        super().__init__(self.message)

    @property
    def retry(self) -> bool:
        """Whether the same command may succeed later, unchanged."""
        return self.code in RETRYABLE


def not_enough_questions(topic: str, available: int, wanted: int) -> Refused:
    """Say that a topic has fewer questions than a match needs."""
    message = f"The topic {topic!r} has {available} of the {wanted} questions needed: ask for fewer, or another topic"
    return Refused(Code.NOT_ENOUGH_QUESTIONS, message, available=available)
