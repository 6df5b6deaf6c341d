"""What must hold of each change in the store: versions, answers, points, and when a match ends."""

from collections import Counter
from typing import TYPE_CHECKING

from pairquiz_server.rules.events import Answer, MatchStarted
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.rows import Change
from tests.simulation.invariants import Invariant
from tests.simulation.node import MARGIN_MS
from tests.simulation.telling import clock, names, questions

if TYPE_CHECKING:
    from tests.simulation.world import World

CLOCKS_DIFFER_MS = 60
"""A beat brings the game's clock; what its answer was on the way, a node that had been behind stays behind."""
SLACK_S = 0.25 + CLOCKS_DIFFER_MS / 1000
HELD_UP_S = 1.0
"""So much of an outage counts as service, where a frozen store did the beat that ended it: one that was held up for no
longer is no late one."""


class Commits:
    """Judges what is committed."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._started: dict[str, tuple[float, float]] = {}
        self._older_ms: dict[str, int] = {}
        self._outages: Counter[str] = Counter()

    def judge(self, change: Change, before: Match | None, after: Match) -> None:
        self._check_versions(change, before, after)
        for index, seat in enumerate(after.seats):
            old = before.seats[index].answers if before and index < len(before.seats) else ()
            if seat.answers[: len(old)] != old:
                self._break(Invariant.ANSWER_STANDS, after, f"seat {index} had {old}, and has {seat.answers}")
            for answer in seat.answers[len(old) :]:
                self._check_answer(after, index, answer)
            if len({answer.question_id for answer in seat.answers}) != len(seat.answers):
                self._break(Invariant.ANSWER_COUNTS_ONCE, after, f"seat {index}: {questions(seat.answers)}")
            total = sum(answer.points for answer in seat.answers)
            if seat.score != total:
                self._break(Invariant.SCORE_IS_SUM, after, f"seat {index} has {seat.score}, and its answers {total}")
        if any(isinstance(event, MatchStarted) for event in change.events):
            assert after.started_at is not None
            self._started[after.id] = (self._world.served_s, (self._world.now_ms() - after.started_at) / 1000)
        if after.status not in LIVE:
            self._check_fair_end(after)
            if after.end_reason in ("deadline", "nobody_joined", "never_started") and before is not None:
                self._check_end(before, after)

    def moved(self, after: Match) -> None:
        """Keep by how much an outage was older than a match: it is counted from the last beat before it."""
        self._outages[after.id] += 1
        begun_at = after.started_at
        if after.closes_at is not None and after.resumed_at is not None and after.paused_at is not None:
            begun_at = after.reveals[-1] - (after.resumed_at - after.paused_at)
        if begun_at is not None and after.paused_at is not None:
            older_ms = begun_at - after.paused_at
            self._older_ms[after.id] = max(older_ms, self._older_ms.get(after.id, 0))

    def _check_versions(self, change: Change, before: Match | None, after: Match) -> None:
        first = before.version if before else 0
        versions = list(dict.fromkeys(event.version for event in change.events))
        if first != change.from_version or versions != list(range(first + 1, after.version + 1)):
            self._break(Invariant.VERSIONS_RISE, after, f"{versions} from {first} to {after.version}")
        if before is not None and before.status not in LIVE:
            self._break(Invariant.OVER_IS_OVER, after, f"{before.status}, and then {names(change)}")

    def _check_answer(self, match: Match, index: int, answer: Answer) -> None:
        assert match.started_at is not None
        place = match.place_of(answer.question_id)
        right = place is not None and match.questions[place].correct == answer.chosen
        span_ms = match.question_count * match.time_limit_s * 1000
        until = match.deadline_at or 0
        if match.pace is Pace.ROUNDS and place is not None and place < len(match.reveals):
            span_ms = match.time_limit_s * 1000
            until = match.reveals[place] + span_ms
        counts_at = answer.judged_at
        if match.resumed_at is not None and match.paused_at is not None and counts_at < match.resumed_at:
            counts_at = min(counts_at + match.resumed_at - match.paused_at, match.resumed_at)
        left_ms = until - counts_at
        # Another node than the one that started the match may be some milliseconds behind it.
        fair = 100 + 50 * min(left_ms, span_ms) // span_ms if right else 0
        in_time = 0 <= left_ms <= span_ms + self._older_ms.get(match.id, 0) + CLOCKS_DIFFER_MS
        if place is None or answer.correct != right or answer.points != fair or not in_time:
            self._break(
                Invariant.POINTS_ARE_THE_RULES,
                match,
                f"seat {index}: {answer} with {left_ms} of {span_ms} ms left is worth {fair}",
            )

    def _check_end(self, before: Match, after: Match) -> None:
        assert after.ended_at is not None
        if after.pace is Pace.ROUNDS and after.started_at is not None:
            return  # which round it ended is not seen here: `rounds` judges that
        if after.ended_at < before.due_at + MARGIN_MS:
            self._break(Invariant.NOT_ENDED_EARLY, after, f"at {clock(after.ended_at)}, due {clock(before.due_at)}")

    def _check_fair_end(self, after: Match) -> None:
        """A match that its deadline ends had all its time while there was service."""
        started = self._started.pop(after.id, None)
        if started is None or after.end_reason != "deadline" or after.pace is Pace.ROUNDS:
            return
        from_served, lag_s = started
        had_s = self._world.served_s - from_served + lag_s
        slack_s = SLACK_S + HELD_UP_S * self._outages[after.id]
        if had_s < after.question_count * after.time_limit_s - slack_s:
            detail = f"its players had {had_s:.3f} s of service for {after.question_count} x {after.time_limit_s} s"
            self._break(Invariant.NOBODY_LOSES_BY_OUTAGE, after, detail)

    def _break(self, invariant: Invariant, match: Match, detail: str) -> None:
        self._world.breaks(invariant, match.id, detail)
