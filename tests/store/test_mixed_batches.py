"""Whatever is mixed in a batch: a match is written once, by as few columns as will do, and is what memory has."""

from random import Random
from typing import Any

import pytest

from pairquiz_server.engine.batch import Batch
from pairquiz_server.engine.submission import Told
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import (
    Command,
    CompleteQuiz,
    EndOverdue,
    LeaveMatch,
    MarkAbsent,
    MarkPresent,
    SubmitAnswer,
)
from pairquiz_server.rules.match import Match, Status
from tests.store.duel import ANNA, BEN, NOW, PATIENCE, Board, save_all
from tests.store.numbered import Matches


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_mixed_in_a_batch_its_matches_are_saved_as_they_are_known(
    matches: Matches, board: Board, seed: int
) -> None:
    chance = Random(seed)
    known = {match.id: match for match in [await save_all(matches, board.running()) for _ in range(2)]}
    at = NOW
    while any(match.status is Status.IN_PROGRESS for match in known.values()):
        batch = Batch(dict(known), frozenset(known))
        for _ in range(chance.randint(1, 12)):
            at += chance.choice((0, 1, 900, 4_000))
            batch.decide(Told(command=any_move(chance, chance.choice([*known.values()])), arrived_at=at, tell=print))
        assert not await matches.save(batch.changes.values())
        known = batch.known
        assert await matches.load(list(known)) == known


def any_move(chance: Random, match: Match) -> Command:
    """What may befall a running match, answers more often than anything else."""
    whose: dict[str, Any] = {"match_id": match.id, "player_id": chance.choice((ANNA.id, BEN.id))}
    question_id, answer, lag_ms = chance.choice(match.questions).id, chance.randrange(4), chance.randrange(400)
    moves: dict[Command, int] = {
        SubmitAnswer(**whose, question_id=question_id, answer=answer, lag_ms=lag_ms): 24,
        MarkAbsent(**whose, cause=chance.choice([*Cause]), patience=PATIENCE): 4,
        MarkPresent(**whose): 4,
        CompleteQuiz(**whose): 1,
        LeaveMatch(**whose): 1,
        EndOverdue(match_id=match.id, margin_ms=0): 1,
    }
    return chance.choices([*moves], [*moves.values()])[0]
