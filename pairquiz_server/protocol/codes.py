"""A row for each code of a refusal: when it is said, and what HTTP calls it."""

from msgspec import Struct

from pairquiz_server.rules.errors import Code


class CodeRow(Struct, frozen=True):
    """When a code is said, and its HTTP status; `http_only` where no command ever meets it."""

    when: str
    status: int
    http_only: bool = False


CODES: dict[Code, CodeRow] = {
    Code.NOT_FOUND: CodeRow("no UUID, unknown, expired, withdrawn, a void join code or challenge", 404),
    Code.SESSION_FULL: CodeRow("somebody else has joined", 409),
    Code.NOT_A_PLAYER: CodeRow("a match of others", 403),
    Code.OWN_MATCH: CodeRow("joining one's own match, accepting one's own challenge", 409),
    Code.WRONG_STATE: CodeRow("the match is not where this is possible", 409),
    Code.TOO_LATE: CodeRow(
        "an answer after the deadline, or to a round that is closed; a rematch asked for too late", 409
    ),
    Code.ALREADY_ANSWERED: CodeRow("another answer to an answered question", 409),
    Code.UNKNOWN_QUESTION: CodeRow("a question of another match, or one that is not asked yet", 404),
    Code.INVALID_PAYLOAD: CodeRow("a key of a wrong type, range or length: the message names it", 400),
    Code.UNKNOWN_COMMAND: CodeRow("no such command", 404),
    Code.UNAUTHORIZED: CodeRow("a token is missing or not valid", 401),
    Code.UNSUPPORTED_PROTOCOL: CodeRow(
        "at CONNECT alone: `auth.protocol` is no version that is spoken here; `protocols` has those that are", 400
    ),
    Code.KEYS_UNAVAILABLE: CodeRow("the keys of the token's issuer cannot be fetched", 503),
    Code.FORBIDDEN: CodeRow(
        "`user_id` is not the token's; a `refresh_token` of somebody else; an origin that is not allowed; a player who "
        "is banned, or is being erased; a challenge of who refuses to be recorded, or at a server that records nobody",
        403,
    ),
    Code.NOT_ENOUGH_QUESTIONS: CodeRow("the topic has fewer (`available`) than asked for", 409),
    Code.OPPONENT_UNAVAILABLE: CodeRow("a rematch with who was erased, may not play, or was blocked", 409),
    Code.RATE_LIMITED: CodeRow(
        "too many commands, creations, searches, codes that open nothing, or exports at once; `retry_in_ms`", 429
    ),
    Code.TOO_MANY_SESSIONS: CodeRow(
        "a creation, a joining, a search, a challenge, or a rematch, by who is in too many sessions that are not over; "
        "a search is one",
        409,
    ),
    Code.TOO_MANY_CONNECTIONS: CodeRow(
        "HTTP alone, at the handshake: too many from one address; `retry_in_ms`", 429, http_only=True
    ),
    Code.SERVER_FULL: CodeRow("HTTP alone, at the handshake: too many in all; `retry_in_ms`", 503, http_only=True),
    Code.STORAGE_UNAVAILABLE: CodeRow("the database does not answer", 503),
    Code.DRAINING: CodeRow("the server is stopping", 503),
    Code.MAINTENANCE: CodeRow(
        "a creation, a search, an accepted challenge, or a rematch, while the operator lets no session begin; "
        "`retry_in_ms` where an end is known",
        503,
    ),
    Code.INTERNAL: CodeRow("a fault of the server", 500),
    Code.PAYLOAD_TOO_LARGE: CodeRow("HTTP alone: the body is too large", 413, http_only=True),
    Code.UNSUPPORTED_MEDIA_TYPE: CodeRow("HTTP alone: a body that is not JSON", 415, http_only=True),
    Code.METHOD_NOT_ALLOWED: CodeRow("HTTP alone: the path does not take this method", 405, http_only=True),
    Code.TOO_SLOW: CodeRow(
        "HTTP alone: the head or the body of a request took too long to arrive", 408, http_only=True
    ),
}
