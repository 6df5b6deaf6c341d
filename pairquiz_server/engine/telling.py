"""What stands is told: first to the one who asked, then to all others, and last to the log and the metrics."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter, itemgetter

import structlog

from pairquiz_server import logs
from pairquiz_server.engine import journal, tally
from pairquiz_server.engine.submission import Announce, Outcome, Submission, Watch
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import AnswerAccepted, Event

log = structlog.get_logger("pairquiz.telling")

_SUBMISSION, _TAKEN_AT = itemgetter(0), attrgetter("taken_at")

Settled = list[tuple[Submission, Outcome]]
"""Commands with what became of them, in the order in which they were decided."""


class Telling:
    """Tells what became of commands. A fault of those who hear it hurts nobody else."""

    def __init__(self, announce: Announce, watch: Watch, metrics: Metrics) -> None:
        self._announce = announce
        self._watch = watch
        self._metrics = metrics
        self._kept: Settled = []

    def keep(self, settled: Settled) -> None:
        """Tell a batch when this turn of the loop is over, or before the next one is told: see `rest`."""
        self._kept = settled
        asyncio.get_running_loop().call_soon(self.rest)

    def rest(self) -> None:
        """Tell what was kept, if it is not told yet."""
        if self._kept:
            kept, self._kept = self._kept, []
            self.all(kept)

    def all(self, settled: Settled) -> None:
        """Tell a batch.

        What players are told is written to them when this turn of the loop is over, and the log before: whatever
        anybody has heard of is in it.
        """
        events: list[Event] = []
        milestones: Settled = []
        tell = self.one if logs.debugging() else self._tell
        for submission, outcome in settled:
            told = tell(submission, outcome)
            events += told
            if told and _is_milestone(told):
                milestones.append((submission, outcome))
        if milestones:
            journal.record(milestones)
        tally.count(self._metrics, events)
        waited_since = map(_TAKEN_AT, map(_SUBMISSION, settled))
        self._metrics.command_seconds.observe_since(waited_since, asyncio.get_running_loop().time())

    def one(self, submission: Submission, outcome: Outcome) -> Sequence[Event]:
        """Tell what became of a command, and the log at its loudest, too; return what has happened."""
        if logs.debugging():
            log.debug(
                "command_settled",
                command=type(submission.command).__name__,
                session_id=submission.command.match_id,
                request=submission.request,
                outcome=outcome.code if isinstance(outcome, Refused) else type(outcome).__name__,
            )
        return self._tell(submission, outcome)

    def _tell(self, submission: Submission, outcome: Outcome) -> Sequence[Event]:
        """Answer the one who asked, then tell all others.

        Who asked and was refused meanwhile, because it took too long, is one of the others.
        """
        origin = None
        if not submission.settled:
            origin = submission.origin
            submission.settled = True
            try:
                submission.settle(outcome)
            except Exception:
                log.exception("reply_failed", command=type(submission.command).__name__)
        if not isinstance(outcome, Decision) or not outcome.events:
            tally.count_unchanged(self._metrics, submission.command, outcome)
            return ()
        events = outcome.events
        try:
            self._announce(outcome, origin)
            if _is_milestone(events):
                self._watch(outcome)
        except Exception:
            log.exception("announcement_failed", command=type(submission.command).__name__)
        return events


def _is_milestone(events: Sequence[Event]) -> bool:
    """Tell whether something has happened beside an answer: it stands behind it."""
    return type(events[-1]) is not AnswerAccepted
