"""Sees all that happens in a world: takes it down for the story, counts it, and has it judged."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import AnswerAccepted, PlayerAbsent, PlayerForfeited, PlayerReturned
from pairquiz_server.rules.match import LIVE, Match, Outcome, Status
from pairquiz_server.store.rows import Change
from tests.simulation.attendance import Absences
from tests.simulation.commits import CLOCKS_DIFFER_MS, Commits
from tests.simulation.connection import Connection, Reply, Request
from tests.simulation.health import Health
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.lag import Lags
from tests.simulation.node import MARGIN_MS, Node
from tests.simulation.ratings import Ratings
from tests.simulation.replies import SETTLED_WITHIN_S, Replies
from tests.simulation.rounds import Rounds
from tests.simulation.searches import Searches
from tests.simulation.series import Rematches
from tests.simulation.telling import asked, clock, match_of, names, outcome

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.world import World

SWEEP_WITHIN_S = 4.0
"""What a sweeper waited for when all was well again, its longest sleep, a look at the store and a write."""
_CLOCKS_AGREE_WITHIN_S = 4.0
"""Two beats, and a step of the database's clock that is too small to be told from time that passes."""


class Checker:
    """Looks at everything that happens in a world, and stops it when something must not be."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.counts = Counts()
        self.host_of: dict[str, str] = {}
        self._health = Health(world)
        self._commits = Commits(world)
        self._lags = Lags(world, self.counts)
        self._rounds = Rounds(world, self.counts)
        self._absences = Absences(world, self._health)
        self._rematches = Rematches(world, self.counts, self._health)
        self._searches = Searches(world, self.counts, self._health)
        self._ratings = Ratings(world, self.counts, self._health)
        self.marked = self._searches.marked
        self.written = self._ratings.written
        self.rated = self._ratings.told
        self._replies = Replies(world, self.counts, self._rematches)
        self._unannounced: deque[tuple[float, str, int]] = deque()
        self._announced: dict[str, set[int]] = {}
        self._changed_at: dict[str, float] = {}

    # What the parts of the world tell.

    def committed(self, change: Change, before: Match | None, after: Match) -> None:
        """A change is in the store."""
        counts, world, match_id = self.counts, self._world, after.id
        self.host_of[match_id] = after.seats[0].player.id
        self._changed_at[match_id] = world.loop.time()
        world.note(
            "committed",
            match_id,
            lambda: f"{change.from_version} -> {after.version} {after.status} {names(change)}",
        )
        self._unannounced.append((world.loop.time(), match_id, after.version))
        self._rounds.judge(change, after)
        self._commits.judge(change, before, after)
        self._lags.judge(before, after)
        self._replies.committed(before, after)
        self._rematches.committed(before, after)
        self._searches.committed(before, after)
        self._ratings.committed(after)
        self._absences.judge(after)
        counts.changes += 1
        counts.ended += after.status not in LIVE
        for event in change.events:
            match event:
                case AnswerAccepted():
                    counts.answers += 1
                case PlayerAbsent():
                    counts.absences += 1
                case PlayerReturned():
                    counts.returns += 1
                case PlayerForfeited():
                    counts.forfeits += 1
                    self._absences.judge_forfeit(before, after, event.seat)

    def moved(self, before: Match, after: Match) -> None:
        """The first beat after an outage has moved a match's clocks."""
        self.counts.moved += 1
        self._commits.moved(after)
        self._rounds.moved(after)
        self._world.note("moved", after.id, lambda: f"{before.version} -> {after.version} due {clock(after.due_at)}")

    def came(self, client: "Client") -> None:
        """A player has a connection."""
        self._absences.came(client)
        self._searches.came(client)
        self._world.note(
            "came", client.match_id or client.player.id, lambda: f"{client.player.id} to node {client.node.number}"
        )

    def went(self, client: "Client") -> None:
        """A player has lost the connection."""
        self._absences.went(client)
        self._searches.went(client)
        self._world.note("went", client.match_id or client.player.id, lambda: client.player.id)

    def announced(self, node: Node, decision: Decision) -> None:
        """A node tells players of a decision."""
        match_id = decision.match.id
        self.host_of[match_id] = decision.match.seats[0].player.id
        self._world.note(
            "announced", match_id, lambda: f"node {node.number}: {names(decision)} v{decision.match.version}"
        )
        stored = self._world.model.events.get(match_id, ())
        for event in decision.events:
            if event not in stored:
                self._break(Invariant.ANNOUNCED_IS_STORED, match_id, f"node {node.number} announced {event}")
        versions = self._announced.setdefault(match_id, set())
        for version in {event.version for event in decision.events}:
            if version in versions:
                self._break(Invariant.ANNOUNCED_ONCE, match_id, f"version {version} again")
            versions.add(version)

    def arrived(self, node: Node, request: Request) -> None:
        """A command has reached a node."""
        self.counts.commands += 1
        self.host_of.setdefault(request.player.id, request.player.id)
        self._world.note(
            "arrived", match_of(request) or request.player.id, lambda: f"node {node.number}: {asked(request)}"
        )
        self._replies.arrived(node, request)
        self._rematches.arrived(request)
        self._searches.arrived(request)
        self._lags.arrived(request)

    def settled(self, node: Node, request: Request, reply: Reply) -> None:
        """A command is acknowledged or refused."""
        whose = reply.match.id if isinstance(reply, Decision) else match_of(request) or request.player.id
        self._world.note("settled", whose, lambda: f"node {node.number}: {asked(request)}: {outcome(reply)}")
        self._replies.judge(request, reply)
        self._searches.settled(request, reply)

    def heard(self, client: "Client", connection: Connection | None, decision: Decision) -> None:
        """An announcement has reached a player."""
        known = client.match.version if client.match else 0
        self._world.note("heard", decision.match.id, lambda: f"{client.player.id} (at {known}): {names(decision)}")
        assert connection is not None
        for event in decision.events:
            key = (decision.match.id, event)
            if key in connection.heard:
                self._break(Invariant.HEARD_IN_ORDER, decision.match.id, f"{client.player.id} heard {event} again")
            connection.heard.add(key)

    def gap(self, client: "Client") -> None:
        """A player has missed something, and reads it."""
        self.counts.gaps += 1
        self._world.note("gap", client.match_id, lambda: f"{client.player.id} reads the whole state")

    def same_match(self, client: "Client", first: Match, again: Reply | None) -> None:
        """A creation was sent again with its request id."""
        if isinstance(again, Decision) and again.match.id != first.id:
            self._break(Invariant.ONE_MATCH_A_REQUEST, first.id, f"{client.player.id} made {again.match.id} too")

    def company_is_done(self, clients: Sequence["Client"]) -> None:
        """Some people have seen the end, or given up."""
        for client in clients:
            self.end_is_known(client)

    def end_is_known(self, client: "Client") -> None:
        """A player has seen the end of a match, or given it up."""
        if client.match is None or client.match_id is None or client.match_id not in self._world.model.matches:
            return
        stored = self._world.model.matches[client.match_id]
        index = stored.seat_of(client.player.id)
        if index is not None and client.over and _result(client.match, index) != _result(stored, index):
            told = f"{_result(client.match, index)} where the store has {_result(stored, index)}"
            self._break(Invariant.RESULTS_AGREE, stored.id, f"{client.player.id} knows {told}")

    def fault(self, detail: str) -> None:
        """Something failed that no fault of the plan explains."""
        self._break(Invariant.NO_FAULT_OF_OURS, None, detail)

    def tick(self) -> None:
        """Look whether something that must happen has not."""
        now = self._world.loop.time()
        self._replies.look()
        self._rematches.look()
        self._searches.look()
        self._ratings.look()
        self._check_announced(now)
        self._check_clocks(now)
        self._health.look()
        if now - self._health.one_well_since >= SWEEP_WITHIN_S:
            self._check_swept(now)
            self._absences.look()

    def finished(self) -> None:
        """All pairs are gone, and all sweeping is done."""
        for match in self._world.model.matches.values():
            if match.status in LIVE:
                self._break(Invariant.EVERY_MATCH_ENDS, match.id, f"still {match.status}")
                return
        self._searches.finished()
        self._ratings.finished()

    # What must hold between its parts.

    def _check_swept(self, now: float) -> None:
        model = self._world.model
        overdue_at = self._world.now_ms() - int(SWEEP_WITHIN_S * 1000)
        for tick in model.find_ticks(overdue_at, 20):
            if now - self._changed_at[tick.id] >= SWEEP_WITHIN_S:
                self._break(Invariant.ENDS_IN_TIME, tick.id, f"still {tick.status}, though a round has to open")
        for due in model.find_due(overdue_at - MARGIN_MS, 20):
            if now - self._changed_at[due.id] >= SWEEP_WITHIN_S:  # who is back may leave one that was due long ago
                detail = f"still {due.status}, due at {clock(model.matches[due.id].due_at)}"
                self._break(Invariant.ENDS_IN_TIME, due.id, detail)

        for due in model.find_ticks(self._world.now_ms() - int(SWEEP_WITHIN_S * 1000), 20):
            if now - self._changed_at[due.id] >= SWEEP_WITHIN_S:
                detail = f"still {due.status}, and its time was {clock(model.matches[due.id].tick_at or 0)}"
                self._break(Invariant.HAPPENS_IN_TIME, due.id, detail)

    def _check_announced(self, now: float) -> None:
        if now - self._health.all_well_since < SETTLED_WITHIN_S:
            return
        while self._unannounced and self._unannounced[0][0] < now - SETTLED_WITHIN_S:
            at, match_id, version = self._unannounced.popleft()
            # What a node had sent before it died may have come to a frozen store long before it is done.
            known = self._world.crashed_at > at - 60 or version in self._announced.get(match_id, ())
            if not known:
                self._break(Invariant.STORED_IS_ANNOUNCED, match_id, f"version {version}, committed at {at:.3f}")

    def _check_clocks(self, now: float) -> None:
        """Two nodes that have beaten on well lines since anything was wrong have one time."""
        if now - self._health.all_well_since < _CLOCKS_AGREE_WITHIN_S:
            return
        if now - self._world.stepped_at < _CLOCKS_AGREE_WITHIN_S:
            return
        apart = [node.clock.now() for node in self._world.nodes]
        if max(apart) - min(apart) > CLOCKS_DIFFER_MS:
            self._break(Invariant.CLOCKS_AGREE, None, f"they are {max(apart) - min(apart)} ms apart")

    def _break(self, invariant: Invariant, match_id: str | None, detail: str) -> None:
        self._world.breaks(invariant, match_id, detail)


def _result(match: Match, index: int) -> tuple[Status, str | None, Outcome, int, int]:
    theirs = match.seats[1 - index].score if len(match.seats) == 2 else 0
    return match.status, match.end_reason, match.outcome(index), match.seats[index].score, theirs
