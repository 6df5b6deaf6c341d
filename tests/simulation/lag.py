"""What must hold of the lag that answers are credited."""

from typing import TYPE_CHECKING

from pairquiz_server.rules.match import Match, Seat
from pairquiz_server.rules.terms import Pace
from tests.simulation.connection import Request
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.node import LAG_ALLOWANCE

if TYPE_CHECKING:
    from tests.simulation.world import World


class Lags:
    """Judges credits by what the lines of the players were when their answers came."""

    def __init__(self, world: "World", counts: Counts) -> None:
        self._world = world
        self._counts = counts
        self._lags_ms: dict[tuple[str, int, int], set[int]] = {}

    def arrived(self, request: Request) -> None:
        if request.verb == "submit_answer":
            answer = (request.player.id, request.wishes["question_id"], request.arrived_at)
            self._lags_ms.setdefault(answer, set()).add(request.connection.lag_ms)

    def judge(self, before: Match | None, after: Match) -> None:
        for index, seat in enumerate(after.seats):
            known = len(before.seats[index].answers) if before and index < len(before.seats) else 0
            for place in range(known, len(seat.answers)):
                self._check_credit(after, seat, place)

    def _check_credit(self, match: Match, seat: Seat, place: int) -> None:
        """A bank is filled with the questions, and each answer takes from it what is asked for and is there."""
        assert match.started_at is not None
        answer, bank_ms = seat.answers[place], LAG_ALLOWANCE.bank_a_question_ms * match.question_count
        for earlier in seat.answers[:place]:
            bank_ms -= earlier.lag_credit_ms
        ran_ms, early_ms = answer.arrived_at - match.started_at, 0
        if match.pace is Pace.ROUNDS:
            asked = match.place_of(answer.question_id)
            assert asked is not None
            reveal_at = match.reveals[min(asked, len(match.reveals) - 1)]
            ran_ms = match.counts_at(answer.arrived_at) - reveal_at
            early_ms = max(reveal_at - match.counts_at(answer.arrived_at - answer.lag_credit_ms), 0)
        lags_ms = self._lags_ms[seat.player.id, answer.question_id, answer.arrived_at]
        fair = {sorted((0, sorted((lag_ms, LAG_ALLOWANCE.answer_ms, bank_ms, ran_ms))[0]))[1] for lag_ms in lags_ms}
        self._counts.credited += answer.lag_credit_ms > 0
        if answer.lag_credit_ms not in fair or answer.judged_at != answer.arrived_at - answer.lag_credit_ms + early_ms:
            detail = f"{seat.player.id}: {answer} by a line of {lags_ms} ms, with {bank_ms} ms left, is credited {fair}"
            self._world.breaks(Invariant.CREDIT_IS_BOUNDED, match.id, detail)
