"""Which matches count for ratings: fair ones, between two who could not choose each other.

(docs/decisions/0022 has the reasons.)
"""

from msgspec import Struct

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.events import EndReason
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.player import PlayerKind
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin

QUESTIONS_MIN = 3
"""A shorter match says too little about who is stronger."""
SERIES_MAX = 5
"""So many matches count of two who met by a search, the first one among them. More, and two who have agreed on who is
to win would have found each other for good."""
LEAGUE_POINTS = {Outcome.WON: 3, Outcome.DRAW: 1, Outcome.LOST: 0, Outcome.NONE: 0}
"""What a match between two people who are there gives for the week: the same, however many points it was played for."""


class Worth(Struct, frozen=True, gc=False):
    """What operators decide: whether guests' matches count, and how much one against a recorded run does (0 to 1)."""

    guests: bool = True
    ghosts: float = 0.5


class Circumstances(Struct, frozen=True, kw_only=True, gc=False):
    """How a completed match came about and ended, as far as it matters to its fairness.

    `origin` is that of the match; `root` that of the first one of its series, None where that lies further back than
    `SERIES_MAX` matches. `answered` tells whether anybody has answered anything. `replayed` tells that the player had
    played on the same draw before, and knew its questions. `paused` tells of an outage of the service.
    """

    origin: Origin
    root: Origin | None
    scoring: ScoringProfile
    question_count: int
    end_reason: EndReason
    kinds: tuple[PlayerKind, PlayerKind]
    away: tuple[Cause | None, Cause | None]
    paused: bool
    answered: bool
    replayed: bool = False


def weight_of(match: Circumstances, worth: Worth) -> float:
    """Return how much a completed match counts: 1 as a whole one, 0 not at all."""
    if PlayerKind.ERASED in match.kinds or (PlayerKind.GUEST in match.kinds and not worth.guests):
        return 0.0
    if match.scoring is ScoringProfile.PRACTICE or match.question_count < QUESTIONS_MIN or not match.answered:
        return 0.0
    if _server_ended_it(match):
        return 0.0
    if match.origin in (Origin.GHOST, Origin.CHALLENGE):
        return 0.0 if match.replayed else worth.ghosts
    return 1.0 if match.root is Origin.SEARCH else 0.0


def _server_ended_it(match: Circumstances) -> bool:
    """Tell whether a fault of the service may have made the result.

    Somebody whose node died was away at the end; or the service was away, and not everybody has done all there was to
    do all the same.
    """
    return Cause.NODE_LOST in match.away or (match.paused and match.end_reason is not EndReason.ALL_ANSWERED)
