"""What one batch decides."""

from typing import Any

from pairquiz_server.engine.batch import Batch
from pairquiz_server.engine.submission import Collision
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.opening import pair
from pairquiz_server.rules.scoring import Scoring
from pairquiz_server.rules.terms import Origin, Pace
from tests.engine.stage import ALICE, BOB


class Asked:
    """A submission, as far as a batch looks at it."""

    def __init__(self, command: PairPlayers) -> None:
        self.command = command
        self.arrived_at = 2


def test_a_match_that_is_known_is_not_opened_again_over_what_was_played_since() -> None:
    command = PairPlayers(
        match_id="m",
        players=(ALICE, BOB),
        origin=Origin.SEARCH,
        topic=Topic(1, "General", 9),
        question_count=3,
        time_limit_s=5,
        scoring=Scoring(),
        pace=Pace.FREE,
        start_delay_ms=1,
        ready_ttl_ms=1,
    )
    batch, again = Batch({"m": pair(command, 1).match}, frozenset()), Asked(command)
    submission: Any = again
    batch.decide(submission)
    ((asked, outcome),) = batch.decided
    assert asked is submission
    assert isinstance(outcome, Collision)
    assert batch.changes == {}
