"""Who plays, as others see them."""

from typing import Annotated

from msgspec import Struct

from pairquiz_server.protocol.fields import DisplayName, amount, said
from pairquiz_server.protocol.words import OpponentKind


class OpponentBrief(Struct, frozen=True):
    """Who one plays against."""

    display_name: DisplayName
    kind: Annotated[OpponentKind, said("What plays the other seat.", "player")]


class OpponentPresence(Struct, frozen=True):
    """Who one plays against, and whether they are there."""

    display_name: DisplayName
    connected: Annotated[bool, said("Whether the opponent has a connection to any server.", True)]
    kind: Annotated[OpponentKind, said("What plays the other seat.", "player")]


class OpponentRated(Struct, frozen=True):
    """Who one was brought together with."""

    display_name: DisplayName
    rating: Annotated[int | None, amount("The opponent's rating; null where there is none.", 1490, "rating points")]
    kind: Annotated[OpponentKind, said("What plays the other seat.", "player")]


class Series(Struct, frozen=True):
    """How many matches of a series each has won: of those that are over. A draw counts for neither."""

    you: Annotated[int, amount("How many one has won.", 2, "matches")]
    opponent: Annotated[int, amount("How many the opponent has won.", 1, "matches")]
