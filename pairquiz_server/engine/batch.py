"""What is decided between two writes."""

from pairquiz_server.engine.submission import Outcome, Submission
from pairquiz_server.rules.decide import Decision, decide
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import Event
from pairquiz_server.rules.match import Match
from pairquiz_server.store.rows import Change


class Batch:
    """What a batch has decided so far: the tentative matches, their first versions, and who waits for what."""

    def __init__(self, known: dict[str, Match], fresh: frozenset[str]) -> None:
        self.known = known
        self.fresh = fresh
        self.first_version: dict[str, int] = {}
        self.events: dict[str, list[Event]] = {}
        self.decided: list[tuple[Submission, Outcome]] = []
        self.deferred: dict[str, list[Submission]] = {}

    def decide(self, submission: Submission) -> None:
        """Decide a command on what the ones before it have left."""
        match_id = submission.command.match_id
        if match_id in self.deferred:
            self.deferred[match_id].append(submission)  # its place behind the one that waits stays
            return
        before = self.known.get(match_id)
        outcome: Outcome
        try:
            outcome = decide(before, submission.command, submission.arrived_at)
        except Refused as refusal:
            outcome = refusal
        if isinstance(outcome, Decision) and outcome.events:
            self.first_version.setdefault(match_id, before.version if before else 0)
            self.events.setdefault(match_id, []).extend(outcome.events)
            self.known[match_id] = outcome.match
        elif before is not None and match_id not in self.fresh and match_id not in self.first_version:
            # Decided from memory, and no write will tell whether another node knows better: read, and decide again.
            self.deferred[match_id] = [submission]
            return
        self.decided.append((submission, outcome))

    def changes(self) -> list[Change]:
        """Return what has to be written."""
        return [
            Change(version, self.known[match_id], tuple(self.events[match_id]))
            for match_id, version in self.first_version.items()
        ]
