"""What became of commands, in the metrics: what was committed is counted once a batch."""

from collections import Counter
from collections.abc import Sequence, Set
from itertools import compress
from operator import attrgetter

from pairquiz_server.engine.submission import Outcome
from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.commands import Command, SubmitAnswer
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import AnswerAccepted, Event, MatchEnded, MatchExpired, PlayerAbsent

_ANSWERS, _ABSENCES = frozenset({AnswerAccepted}), frozenset({PlayerAbsent})
_ENDS: Set[type[Event]] = frozenset({MatchEnded, MatchExpired})

_REASON, _CAUSE = attrgetter("reason"), attrgetter("absence.cause")
_CORRECT = attrgetter("answer.correct")
_CREDIT_MS = attrgetter("answer.lag_credit_ms")
_TOO_FAST = attrgetter("answer.too_fast")


def count(metrics: Metrics, events: Sequence[Event]) -> None:
    """Count the events of a batch."""
    kinds = Counter(map(type, events))
    for kind, times in kinds.items():
        metrics.match_events.count(kind.__name__, times)
    answers = events
    if len(kinds) > 1 or AnswerAccepted not in kinds:
        answers = _of(events, _ANSWERS)
        if not _ENDS.isdisjoint(kinds):
            for reason, times in Counter(map(_REASON, _of(events, _ENDS))).items():
                metrics.matches_ended.count(reason, times)
        if PlayerAbsent in kinds:
            for cause, times in Counter(map(_CAUSE, _of(events, _ABSENCES))).items():
                metrics.absences.count(cause, times)
    if answers:
        _count_answers(metrics, answers)


def count_unchanged(metrics: Metrics, command: Command, outcome: Outcome) -> None:
    """Count a command by which nothing has happened, if it was an answer."""
    if isinstance(command, SubmitAnswer):
        if isinstance(outcome, Refused):
            metrics.answers.count(outcome.code)
        elif isinstance(outcome, Decision):
            metrics.answers.count("repeated")


def _count_answers(metrics: Metrics, answers: Sequence[Event]) -> None:
    right = sum(map(_CORRECT, answers))
    metrics.answers.count("right", right)
    metrics.answers.count("wrong", len(answers) - right)
    for credit_ms, times in Counter(map(_CREDIT_MS, answers)).items():
        metrics.lag_credit_seconds.observe(credit_ms / 1000, times)
    metrics.answers_too_fast.inc(sum(map(_TOO_FAST, answers)))


def _of(events: Sequence[Event], kinds: Set[type[Event]]) -> Sequence[Event]:
    """Return the events of these kinds; without a step of the interpreter for each."""
    return list(compress(events, map(kinds.__contains__, map(type, events))))
