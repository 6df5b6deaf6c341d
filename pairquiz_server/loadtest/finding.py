"""What a server has done that it must not do."""

from enum import StrEnum

from msgspec import Struct


class Fault(StrEnum):
    """Kinds of faults."""

    LOST = "lost"
    """What was acknowledged is not there."""
    DOUBLED = "doubled"
    """Something counted, or was told, twice."""
    WRONG_SCORE = "wrong_score"
    """Points that the rules do not give."""
    DISAGREEMENT = "disagreement"
    """The two players, or a player at two times, were told different things."""
    MISSED = "missed"
    """A player was not told of a change."""
    UNACKNOWLEDGED = "unacknowledged"
    """A command was never answered."""
    NEVER_ENDED = "never_ended"
    """Both were done, and there were no results."""
    REFUSED = "refused"
    """A command was refused for good, though nothing was wrong with it."""
    MALFORMED = "malformed"
    """Something was told in a way that the protocol does not know."""


class Finding(Struct, frozen=True):
    """A fault: in which match, and what was found."""

    fault: Fault
    match: str
    text: str
