"""What concerns a connection: who is welcome, until when, and what time it is."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.events.players import OpponentBrief
from pairquiz_server.protocol.fields import (
    GhostPlays,
    GuestToken,
    ServerTime,
    SessionId,
    Topic,
    UserId,
    instant,
    said,
    span,
    whole,
)
from pairquiz_server.rules.match import Status


class Session(Struct, frozen=True, omit_defaults=True):
    """A live match in a list."""

    session_id: SessionId
    topic: Topic
    status: Annotated[Status, said("Where the match is.", "in_progress")]
    opponent: Annotated[OpponentBrief | None, whole("Who one plays against; null while nobody has joined.")]
    ghost: GhostPlays = False


class Sessions(Struct, frozen=True):
    """All live matches of a player."""

    sessions: Annotated[list[Session], whole("The matches that are not over.")]


class Welcome(Struct, frozen=True, omit_defaults=True):
    """The first event of a connection: who one is, what time it is, and which matches wait."""

    user_id: UserId
    server_time: ServerTime
    protocol: Annotated[int, said("The version of the protocol that is spoken on this connection.", 1)]
    region: Annotated[str, said("Where this server is, as its operator calls it.", "local")]
    sessions: Annotated[list[Session], whole("The matches that are not over: ask for each by `resume_pair_quiz`.")]
    guest_token: GuestToken | None = None


class TokenExpiring(Struct, frozen=True):
    """The connection's token ends soon, and then the connection does, unless `refresh_token` comes first."""

    expires_at: Annotated[int, instant("When the token ends.", 1_790_000_060_000)]


class TokenRefreshed(Struct, frozen=True, omit_defaults=True):
    """Until when the connection may last; a guest gets a new token with it."""

    expires_at: Annotated[int, instant("When the new token ends.", 1_790_003_600_000)]
    guest_token: GuestToken | None = None


class ServerDraining(Struct, frozen=True):
    """The server stops: it will close the connection, and asks to be left alone for so long after that."""

    reconnect_in_ms: Annotated[int, span("How long to wait before coming back, counted from the close.", 1_250)]


class Maintenance(Struct, frozen=True, omit_defaults=True):
    """The operator lets no session begin for a while, or does again. Those that there are go on."""

    on: Annotated[bool, said("Whether none begins: whatever would begin one is refused (`maintenance`).", True)]
    server_time: ServerTime
    message: Annotated[
        str | None, said("What the operator says of it, to be shown; null where nothing is said.", "Back at noon")
    ] = None
    until: Annotated[int | None, instant("When it is over; null where that is not known.", 1_790_003_600_000)] = None


class ClockSync(Struct, frozen=True):
    """The reply to `sync_clock`."""

    client_time: Annotated[
        int | float | None, said("What the client has sent; null where it sent none.", 12_345.6, unit="ms")
    ]
    server_time: ServerTime
