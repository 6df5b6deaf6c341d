"""What an operator says to a server: parts of paths, queries, and bodies."""

from typing import Annotated

from msgspec import Meta, Struct

from pairquiz_server.rules.match import Status

LIST_MAX = 200
NOTE_MAX = 500
"""Characters of a reason, or of what players are told."""
MAINTENANCE_MAX_S = 30 * 24 * 3600
Limit = Annotated[int, Meta(ge=1, le=LIST_MAX)]
AGO_MAX_S = 100 * 366 * 24 * 3600
_SAYS_SOMETHING = r"\A(?=.*\S)[^\x00-\x1f\x7f-\x9f]*\Z"
"""Not blank, and no control characters: players are shown it, and PostgreSQL stores no NUL."""
Note = Annotated[str, Meta(min_length=1, max_length=NOTE_MAX, pattern=_SAYS_SOMETHING)]
"""What is said, or looked for."""


class MatchPath(Struct, frozen=True):
    """The match that a path names."""

    session_id: str


class ListQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which matches: without a state those that are live, or all of a player's."""

    state: Status | None = None
    player: Note | None = None
    topic: Note | None = None
    limit: Limit = 20
    cursor: str | None = None


class ShowQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether to tell the right options of a match that goes on; that is noted in the audit."""

    answers: bool = False


class FindQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """By what players are looked for: an id, a name, or a label."""

    text: Note


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines of the audit: those of the last seconds, those of one match or player."""

    within_s: Annotated[int, Meta(ge=1, le=AGO_MAX_S)] | None = None
    subject: Note | None = None
    limit: Limit = 50


class EndMatch(Struct, frozen=True, forbid_unknown_fields=True):
    """End a match, and why; of one that runs, the player 1 or 2 may be said to have won."""

    reason: Note
    winner: Annotated[int, Meta(ge=1, le=2)] | None = None


class BeginMaintenance(Struct, frozen=True, forbid_unknown_fields=True):
    """Let no match begin: what players are told, and for how long; else until it is ended."""

    message: Note | None = None
    seconds: Annotated[int, Meta(ge=1, le=MAINTENANCE_MAX_S)] | None = None
