"""What is decided between two writes."""

from pairquiz_server.engine.submission import Collision, Outcome, Submission
from pairquiz_server.rules.commands import CREATIONS
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
        command = submission.command
        match_id = command.match_id
        if self.deferred and match_id in self.deferred:
            self.deferred[match_id].append(submission)  # its place behind the one that waits stays
            return
        before = self.known.get(match_id)
        if before is not None and isinstance(command, CREATIONS):
            # It was made by an earlier attempt, of which nobody has said so: another creation would undo what followed.
            self.decided.append((submission, Collision()))
            return
        try:
            decision = decide(before, command, submission.arrived_at)
        except Refused as refusal:
            # Its traceback leads back here, and so to itself and to all of the batch.
            outcome: Outcome = refusal.with_traceback(None)
        else:
            if decision.events:
                self._change(before, decision)
                self.decided.append((submission, decision))
                return
            outcome = decision
        if before is not None and match_id not in self.fresh and match_id not in self.changes:
            # Decided from memory, and no write will tell whether another node knows better: read, and decide again.
            self.deferred[match_id] = [submission]
            return
        self.decided.append((submission, outcome))

    def _change(self, before: Match | None, decision: Decision) -> None:
        """Let a match be written once, whatever becomes of it within the batch."""
        match, events = decision.match, decision.events
        self.known[match.id] = match
        earlier = self.changes.get(match.id)
        if earlier is None:
            self.changes[match.id] = Change(0 if before is None else before.version, match, events)
        else:
            self.changes[match.id] = Change(earlier.from_version, match, earlier.events + events)
