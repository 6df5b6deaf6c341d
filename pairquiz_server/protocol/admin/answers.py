"""What a server says to its operator, but for a single match."""

from msgspec import Raw, Struct

from pairquiz_server.rules.match import Status


class Node(Struct, frozen=True, kw_only=True):
    """One process that serves: what it is, and how much it carries now."""

    id: str
    version: str
    region: str
    pid: int
    started_at: int
    server_time: int
    connections: int
    players: int
    seekers: int
    checks: dict[str, bool]
    maintenance: bool


class ListedMatch(Struct, frozen=True, kw_only=True):
    """A match in a list."""

    session_id: str
    version: int
    status: Status
    topic: str
    origin: str
    pace: str
    question_count: int
    player1: str
    player1_name: str
    player1_score: int
    player1_away: bool
    player2: str | None
    player2_name: str | None
    player2_score: int
    player2_away: bool
    created_at: int
    started_at: int | None
    ended_at: int | None
    end_reason: str | None


class MatchPage(Struct, frozen=True):
    """A page of matches, and what to name for the next one; None where this is the last."""

    matches: list[ListedMatch]
    next_cursor: str | None


class EndedMatch(Struct, frozen=True):
    """What became of a match that the operator has ended; `already` where the operator had before."""

    session_id: str
    status: Status
    version: int
    already: bool


class FoundPlayer(Struct, frozen=True, kw_only=True):
    """A player: what is known, what is forbidden, and where the player is now.

    Of a ban whose player was erased, or never played, little is known. `banned_until` is None where it holds for ever.
    """

    id: str | None
    kind: str | None
    display_name: str | None
    label: str | None
    created_at: int | None
    seen_at: int | None
    banned: bool
    reason: str | None
    banned_until: int | None
    erasing: bool
    nodes: list[str]
    live_matches: list[str]
    rating: int | None


class FoundPlayers(Struct, frozen=True):
    """The players that were found, the newest first."""

    players: list[FoundPlayer]


class MaintenanceState(Struct, frozen=True):
    """Whether matches may begin: `on` where none does, since when, what players are told, and how long it goes on."""

    on: bool
    message: str | None = None
    since_ms: int | None = None
    left_ms: int | None = None
    changed: bool = True


class AuditEntry(Struct, frozen=True):
    """One deed of an operator's."""

    id: int
    at: int
    actor: str
    via: str
    node: str | None
    action: str
    subject: str | None
    detail: Raw


class AuditPage(Struct, frozen=True):
    """The latest deeds, the newest first."""

    entries: list[AuditEntry]
