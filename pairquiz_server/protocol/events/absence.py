"""Who is away: a player, or the server itself."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.events.playing import RoundState
from pairquiz_server.protocol.fields import (
    GhostPlays,
    ReconnectBy,
    ServerTime,
    SessionId,
    Version,
    instant,
    said,
    span,
    whole,
)
from pairquiz_server.protocol.words import AwayCause


class OpponentDisconnected(Struct, frozen=True, omit_defaults=True):
    """The opponent is away, and may come until `reconnect_by` where a clock runs."""

    session_id: SessionId
    cause: Annotated[AwayCause, said("Why the opponent is away.", "connection_lost")]
    version: Version
    reconnect_by: ReconnectBy | None = None


class OpponentReconnected(Struct, frozen=True):
    """The opponent is back."""

    session_id: SessionId
    version: Version


class OpponentLeft(Struct, frozen=True):
    """The opponent gave up, or did not come back in time."""

    session_id: SessionId
    version: Version


class AbsenceState(Struct, frozen=True, omit_defaults=True):
    """Why a player counts as away, and until when they may come, where a clock runs."""

    cause: Annotated[AwayCause, said("Why the player counts as away.", "closed")]
    reconnect_by: ReconnectBy | None = None


class SessionDelayed(Struct, frozen=True, omit_defaults=True):
    """The server was away, and takes that time from nobody: the match's clock has moved by `delayed_ms`.

    Absences have begun anew: `opponent_reconnect_by` while the other is away.
    """

    session_id: SessionId
    delayed_ms: Annotated[int, span("How far all times of the match have moved.", 4_200)]
    deadline_at: Annotated[
        int | None,
        instant("The new deadline; null before the start, and in rounds (see `round`).", 1_790_000_154_200),
    ]
    server_time: ServerTime
    version: Version
    opponent_reconnect_by: Annotated[
        int | None, instant("Until when the opponent may come back.", 1_790_000_064_200)
    ] = None
    round: Annotated[RoundState | None, whole("The new times of the round, where rounds run.")] = None
    ghost: GhostPlays = False
