"""What must hold of rounds: one follows the other, each has all its time, and none is answered unless it is open."""

from typing import TYPE_CHECKING

from msgspec import Struct

from pairquiz_server.rules.events import AnswerAccepted, EndReason, MatchEnded, RoundClosed, RoundOpened
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.rows import Change
from tests.simulation.commits import HELD_UP_S, SLACK_S
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.node import MARGIN_MS
from tests.simulation.telling import clock

if TYPE_CHECKING:
    from tests.simulation.world import World


class Open(Struct):
    """A round that is open: since how much service, how long (seconds) it had been revealed then, and outages since."""

    index: int
    served_s: float
    ran_s: float
    outages: int = 0


class Rounds:
    """Judges the rounds of what is committed."""

    def __init__(self, world: "World", counts: Counts) -> None:
        self._world = world
        self._counts = counts
        self._last: dict[str, int] = {}
        self._open: dict[str, Open] = {}

    def judge(self, change: Change, after: Match) -> None:
        """Look at what a change has opened, answered and closed."""
        if after.pace is not Pace.ROUNDS:
            return
        for event in change.events:
            match event:
                case RoundOpened(index=index):
                    self._opened(after, index, event)
                case AnswerAccepted():
                    self._answered(after, event)
                case RoundClosed(index=index):
                    self._closed(change, after, index, event)
        if (after.closes_at is not None) != (after.id in self._open and after.status in LIVE):
            self._break(after, f"closes at {after.closes_at}, and {self._open.get(after.id)}")
        if after.status not in LIVE:
            self._open.pop(after.id, None)

    def moved(self, after: Match) -> None:
        """Note an outage."""
        if after.id in self._open:
            self._open[after.id].outages += 1

    def _opened(self, match: Match, index: int, event: RoundOpened) -> None:
        if match.id in self._open or index != self._last.get(match.id, -1) + 1:
            self._break(match, f"{event} after {self._last.get(match.id)}, {self._open.get(match.id)}")
        self._last[match.id] = index
        ran_s = (self._world.now_ms() - event.reveal_at) / 1000
        self._open[match.id] = Open(index, self._world.served_s, ran_s)

    def _answered(self, match: Match, event: AnswerAccepted) -> None:
        open_round = self._open.get(match.id)
        place = match.place_of(event.answer.question_id)
        if open_round is None or open_round.index != place:
            self._break(match, f"an answer to the question at {place}, and {open_round} is open: {event}")

    def _closed(self, change: Change, match: Match, index: int, event: RoundClosed) -> None:
        self._counts.rounds += 1
        open_round = self._open.pop(match.id, None)
        if open_round is None or open_round.index != index:
            self._break(match, f"{event}, and {open_round} was open")
            return
        question = match.questions[index].id
        timed_out = any(seat.completed_at is None and seat.answer_to(question) is None for seat in match.seats)
        ends = any(isinstance(one, MatchEnded) and one.version == event.version for one in change.events)
        if ends and match.end_reason is EndReason.PLAYER_LEFT:
            self._break(match, f"{event}, though somebody left")
        if not timed_out:
            return
        self._counts.rounds_timed_out += 1
        closed_at = match.ended_at if event.next_at is None else event.next_at - match.pause_ms
        limit_ms = match.time_limit_s * 1000
        # A later outage moves what is open then, and no round that was closed before.
        if closed_at is None or closed_at < match.reveals[index] + limit_ms + MARGIN_MS:
            detail = f"round {index} at {closed_at and clock(closed_at)}, revealed {clock(match.reveals[index])}"
            self._world.breaks(Invariant.NOT_ENDED_EARLY, match.id, detail)
        had_s = self._world.served_s - open_round.served_s + open_round.ran_s
        if had_s < match.time_limit_s - SLACK_S - HELD_UP_S * open_round.outages:
            detail = f"round {index} was open for {had_s:.3f} s of service, and not for {match.time_limit_s} s"
            self._world.breaks(Invariant.NOBODY_LOSES_BY_OUTAGE, match.id, detail)

    def _break(self, match: Match, detail: str) -> None:
        self._world.breaks(Invariant.ROUNDS_FOLLOW, match.id, detail)
