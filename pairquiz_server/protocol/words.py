"""The words of the wire: closed sets beside those that the rules have themselves.

What the rules call otherwise, because they see both players, is here as one of the two sees it.
"""

from enum import StrEnum

from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.player import Player, PlayerKind


class OpponentKind(StrEnum):
    """What plays the other seat: a person, or a recorded run."""

    PLAYER = "player"
    GHOST = "ghost"


class AccountKind(StrEnum):
    """Whose word there is for who a player is: this server's, or the operator's issuer's."""

    GUEST = "guest"
    USER = "user"


class AwayCause(StrEnum):
    """Why a player is away: the line broke, the page was closed, or the player gave up."""

    CONNECTION_LOST = "connection_lost"
    CLOSED = "closed"
    LEFT = "left"


class EndedBy(StrEnum):
    """Why a match is over that has a result, as one of its players sees it."""

    ALL_ANSWERED = "all_answered"
    DEADLINE = "deadline"
    OPPONENT_LEFT = "opponent_left"
    YOU_LEFT = "you_left"
    OPPONENT_ABSENT = "opponent_absent"
    YOU_WERE_ABSENT = "you_were_absent"


class ExpiredBy(StrEnum):
    """Why a match is over that has none."""

    NOBODY_JOINED = "nobody_joined"
    NEVER_STARTED = "never_started"
    BOTH_ABSENT = "both_absent"


class Period(StrEnum):
    """What a list of the best is of: all time, by rating, or the week, by points."""

    ALL = "all"
    WEEK = "week"


def opponent_kind(player: Player) -> OpponentKind:
    """Say what plays a seat."""
    return OpponentKind.GHOST if player.kind is PlayerKind.GHOST else OpponentKind.PLAYER


_ENDED_BY = {
    EndReason.ALL_ANSWERED: (EndedBy.ALL_ANSWERED, EndedBy.ALL_ANSWERED),
    EndReason.DEADLINE: (EndedBy.DEADLINE, EndedBy.DEADLINE),
    EndReason.PLAYER_LEFT: (EndedBy.OPPONENT_LEFT, EndedBy.YOU_LEFT),
    EndReason.PLAYER_ABSENT: (EndedBy.OPPONENT_ABSENT, EndedBy.YOU_WERE_ABSENT),
    EndReason.OPERATOR: (EndedBy.OPPONENT_LEFT, EndedBy.YOU_LEFT),
}
"""Why a match with a result is over → what the one who has won by it hears, and the one who has forfeited it.

Where the operator has ended it, that is the nearest that every client knows; `by_operator` stands beside it.
"""


def ended_by(reason: EndReason, *, forfeited: bool) -> EndedBy:
    """Say why a match with a result is over to a player who has `forfeited` it, or to the other one."""
    return _ENDED_BY[reason][forfeited]
