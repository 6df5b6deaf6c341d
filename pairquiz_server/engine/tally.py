"""What was committed, in the metrics: counted once a batch."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from pairquiz_server.metrics import Metrics
from pairquiz_server.rules.events import AnswerAccepted, Event

_CREDIT_MS = attrgetter("answer.lag_credit_ms")
_TOO_FAST = attrgetter("answer.too_fast")


def count(metrics: Metrics, events: Sequence[Event]) -> None:
    """Count the events of a batch."""
    kinds = Counter(map(type, events))
    for kind, times in kinds.items():
        metrics.match_events.count(kind.__name__, times)
    answers = (
        events
        if len(kinds) == 1 and AnswerAccepted in kinds
        else [event for event in events if isinstance(event, AnswerAccepted)]
    )
    for credit_ms, times in Counter(map(_CREDIT_MS, answers)).items():
        metrics.lag_credit_seconds.observe(credit_ms / 1000, times)
    metrics.answers_too_fast.inc(sum(map(_TOO_FAST, answers)))
