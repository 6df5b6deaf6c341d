"""What is decided between two writes."""

from pairquiz_server.engine.submission import Outcome, Submission
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.store.rows import Change


class Batch:
    """What a batch has decided so far: the tentative matches, how they have changed, and who waits for what."""

    def __init__(self, known: dict[str, Match], fresh: frozenset[str]) -> None:
        self.known = known
        self.fresh = fresh
        self.changes: dict[str, Change] = {}
        self.decided: list[tuple[Submission, Outcome]] = []
        self.deferred: dict[str, list[Submission]] = {}

    def decide(self, submission: Submission) -> None:
        """Decide a command on what the ones before it have left."""
        match_id = submission.command.match_id
        if self.deferred and match_id in self.deferred:
            self.deferred[match_id].append(submission)  # its place behind the one that waits stays
            return
        before = self.known.get(match_id)
        outcome: Outcome
        try:
            outcome = decision = decide(before, submission.command, submission.arrived_at)
            changed = bool(decision.events)
        except Refused as refusal:
            # Its traceback leads back here, and so to itself and to all of the batch.
            outcome, changed = refusal.with_traceback(None), False
        if changed:
            self._change(match_id, before, decision)
        elif before is not None and match_id not in self.fresh and match_id not in self.changes:
            # Decided from memory, and no write will tell whether another node knows better: read, and decide again.
            self.deferred[match_id] = [submission]
            return
        self.decided.append((submission, outcome))

    def _change(self, match_id: str, before: Match | None, decision: Decision) -> None:
        """Let a match be written once, whatever becomes of it within the batch."""
        self.known[match_id] = decision.match
        earlier = self.changes.get(match_id)
        if earlier is None:
            self.changes[match_id] = Change(before.version if before else 0, decision.match, decision.events)
        else:
            events = earlier.events + decision.events
            self.changes[match_id] = Change(earlier.from_version, decision.match, events)
