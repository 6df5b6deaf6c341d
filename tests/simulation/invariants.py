"""What must hold whatever goes wrong; checked at every commit, announcement, acknowledgement, and in the end."""

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import (
    Answer,
    AnswerAccepted,
    MatchStarted,
    PlayerAbsent,
    PlayerForfeited,
    PlayerJoined,
    PlayerReturned,
)
from pairquiz_server.rules.match import LIVE, Match, Outcome, Seat, Status
from pairquiz_server.store.rows import Change
from tests.simulation.node import EPOCH_MS, LAG_ALLOWANCE, MARGIN_MS, PATIENCE, Node, Reply, Request

if TYPE_CHECKING:
    from tests.simulation.client import Client
    from tests.simulation.node import Connection
    from tests.simulation.player import Pair
    from tests.simulation.world import World

SWEEP_WITHIN_S = 4.0
"""What a sweeper waited for when all was well again, its longest sleep, a look at the store and a write."""
SETTLED_WITHIN_S = 10.0
"""A command that has reached a node has a reply by then, unless the node dies."""
KNOWN_WITHIN_S = 25.0
"""A player's coming and going is marked by then, also by those who look for mistakes."""
_CLOCKS_DIFFER_MS = 60
"""A beat brings the game's clock; what its answer was on the way, a node that had been behind stays behind."""
_NOTED_WITHIN_S = 0.25
"""A node whose line is well has noted by then who came to it: that is before the sweeper's margin is over."""
_NOTED_AFTER_ILLNESS_S = 6.0
"""What a node had begun on an ill line may take it so long to give up, and only then it says who came meanwhile.
Nobody else can know of a player who came to a node that the store does not hear."""
_SLACK_S = 0.25 + _CLOCKS_DIFFER_MS / 1000
_CLOCKS_AGREE_WITHIN_S = 4.0
"""Two beats, and a step of the database's clock that is too small to be told from time that passes."""
_BRIEFLY_S = 1.5
"""Who is there for so short a time may not have been seen."""


class Invariant(StrEnum):
    """What must hold."""

    ANNOUNCED_IS_STORED = "what is announced is in the store"
    ANNOUNCED_ONCE = "a change is announced once"
    STORED_IS_ANNOUNCED = "what is in the store is announced, unless a node has died"
    ACKNOWLEDGED_IS_STORED = "what is acknowledged is in the store"
    ONE_REPLY = "a command has one reply"
    EVERY_REPLY = "every command that reached a living node is settled"
    REFUSED_CHANGED_NOTHING = "what is refused for good has changed nothing"
    ONE_MATCH_A_REQUEST = "a request id makes one match"
    VERSIONS_RISE = "versions rise by one a change"
    OVER_IS_OVER = "a match that is over changes no more"
    ANSWER_STANDS = "an answer in the store stays as it is"
    ANSWER_COUNTS_ONCE = "an answer counts once"
    POINTS_ARE_THE_RULES = "points are those of the rules for the time of arrival"
    CREDIT_IS_BOUNDED = "an answer is credited the lag of its line, as far as the cap and the player's bank go"
    SCORE_IS_SUM = "a score is the sum of the points"
    HEARD_IN_ORDER = "a connection hears each change of a node once, and in order"
    ENDS_IN_TIME = "a match that is due is ended in time"
    NOT_ENDED_EARLY = "no match is ended before it is due"
    EVERY_MATCH_ENDS = "every match ends"
    RESULTS_AGREE = "both players' results are those of the store"
    NOBODY_LOSES_BY_OUTAGE = "no match's or absence's time runs while there is no service"
    WHO_CAME_IN_TIME_STAYS = "nobody forfeits who came back in time to a node that the store hears"
    CLOCKS_AGREE = "the clocks of nodes agree"
    NOBODY_THERE_IS_AWAY = "whoever is there for long is not away, and the other way round"
    BUDGET_HOLDS = "no absence is allowed more than the budget leaves"
    NO_FAULT_OF_OURS = "nothing fails by a fault of ours"


class Break(Struct, frozen=True):
    """An invariant that did not hold: for which match, when (seconds of virtual time), and how."""

    invariant: Invariant
    match_id: UUID | None
    at: float
    detail: str


class Counts(Struct):
    """What a run has seen; a run that has seen nothing has shown nothing."""

    commands: int = 0
    changes: int = 0
    answers: int = 0
    credited: int = 0
    refusals: int = 0
    unavailable: int = 0
    duplicates: int = 0
    conflicts: int = 0
    lost_commits: int = 0
    gaps: int = 0
    absences: int = 0
    returns: int = 0
    forfeits: int = 0
    moved: int = 0
    ended: int = 0


class Attendance(Struct):
    """When a player last came and went: virtual seconds, and seconds of service."""

    there: bool = False
    node: Node | None = None
    came_ms: int = 0
    came_at: float = 0.0
    went_at: float = 0.0
    away_from_served: float = 0.0
    away_to_served: float = 0.0


class Checker:
    """Looks at everything that happens in a world, and stops it when something must not be."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.counts = Counts()
        self.host_of: dict[UUID, str] = {}
        self._unannounced: deque[tuple[float, UUID, int]] = deque()
        self._announced: dict[UUID, set[int]] = {}
        self._refused: dict[tuple[UUID, str], list[tuple[int, int | str, int]]] = {}
        self._waiting: deque[tuple[float, Request, Node]] = deque()
        self._requests: dict[tuple[str, str], UUID] = {}
        self._ill_at: dict[Node, float] = {}
        self._changed_at: dict[UUID, float] = {}
        self._attendance: dict[str, Attendance] = {}
        self._started: dict[UUID, tuple[float, float]] = {}
        self._lags_ms: dict[tuple[str, int, int], set[int]] = {}

    # What the parts of the world tell.

    def committed(self, change: Change, before: Match | None, after: Match) -> None:
        """A change is in the store."""
        self.counts.changes += 1
        world, match_id = self._world, after.id
        self.host_of[match_id] = after.seats[0].player.id
        self._changed_at[match_id] = world.loop.time()
        if world.noting:
            world.note(
                "committed", match_id, f"{change.from_version} -> {after.version} {after.status} {_names(change)}"
            )
        self._check_versions(change, before, after)
        self._unannounced.append((world.loop.time(), match_id, after.version))
        for index, seat in enumerate(after.seats):
            old = before.seats[index].answers if before and index < len(before.seats) else ()
            if seat.answers[: len(old)] != old:
                self._break(Invariant.ANSWER_STANDS, match_id, f"seat {index} had {old}, and has {seat.answers}")
            for place, answer in enumerate(seat.answers[len(old) :], len(old)):
                self._check_answer(after, index, answer)
                self._check_credit(after, seat, place)
            if len({answer.question_id for answer in seat.answers}) != len(seat.answers):
                self._break(Invariant.ANSWER_COUNTS_ONCE, match_id, f"seat {index}: {_questions(seat.answers)}")
            total = sum(answer.points for answer in seat.answers)
            if seat.score != total:
                self._break(Invariant.SCORE_IS_SUM, match_id, f"seat {index} has {seat.score}, and its answers {total}")
            self._check_absence(after, index, seat)
        for event in change.events:
            if isinstance(event, MatchStarted):
                assert after.started_at is not None
                self._started[match_id] = (self._served(), (world.now_ms() - after.started_at) / 1000)
            elif isinstance(event, PlayerAbsent):
                self.counts.absences += 1
            elif isinstance(event, PlayerReturned):
                self.counts.returns += 1
            elif isinstance(event, PlayerForfeited):
                self._check_forfeit(before, after, event.seat)
        if after.status not in LIVE:
            self.counts.ended += 1
            self._check_fair_end(after)
            if after.end_reason in ("deadline", "nobody_joined", "never_started") and before is not None:
                self._check_end(before, after)

    def moved(self, before: Match, after: Match) -> None:
        """The first beat after an outage has moved a match's clocks."""
        self.counts.moved += 1
        if self._world.noting:
            self._world.note("moved", after.id, f"{before.version} -> {after.version} due {_clock(after.due_at)}")

    def came(self, client: "Client") -> None:
        """A player has a connection."""
        attendance = self._attendance.setdefault(client.player.id, Attendance())
        attendance.there, attendance.came_at = True, self._world.loop.time()
        attendance.node = client.node
        attendance.came_ms = client.node.clock.now()
        attendance.away_to_served = self._served()
        if self._world.noting:
            self._world.note("came", client.match_id, client.player.id)

    def went(self, client: "Client") -> None:
        """A player has lost the connection."""
        attendance, now = self._attendance[client.player.id], self._world.loop.time()
        attendance.there, attendance.went_at = False, now
        if now - attendance.came_at > _BRIEFLY_S:
            attendance.away_from_served = self._served()
        if self._world.noting:
            self._world.note("went", client.match_id, client.player.id)

    def announced(self, node: Node, decision: Decision) -> None:
        """A node tells players of a decision."""
        match_id = decision.match.id
        self.host_of[match_id] = decision.match.seats[0].player.id
        if self._world.noting:
            self._world.note("announced", match_id, f"node {node.number}: {_names(decision)} v{decision.match.version}")
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
        if self._world.noting:
            self._world.note("arrived", _match_of(request), f"node {node.number}: {_told(request)}")
        self._waiting.append((self._world.loop.time() + SETTLED_WITHIN_S, request, node))
        if request.verb == "submit_answer":
            answer = (request.player.id, request.wishes["question_id"], request.arrived_at)
            self._lags_ms.setdefault(answer, set()).add(request.connection.lag_ms)

    def settled(self, node: Node, request: Request, outcome: Reply) -> None:
        """A command is acknowledged or refused."""
        match_id = outcome.match.id if isinstance(outcome, Decision) else _match_of(request)
        if self._world.noting:
            self._world.note("settled", match_id, f"node {node.number}: {_told(request)}: {_outcome(outcome)}")
        request.replies += 1
        if request.replies > 1:
            self._break(Invariant.ONE_REPLY, match_id, f"{_told(request)} has {request.replies}")
        if isinstance(outcome, Decision):
            self._check_acknowledged(request, outcome)
        elif outcome.code is Code.INTERNAL:
            self._break(Invariant.NO_FAULT_OF_OURS, match_id, f"{_told(request)}: {outcome}")
        elif outcome.retry:
            self.counts.unavailable += 1
        else:
            self._check_refused(request, outcome)

    def heard(self, client: "Client", connection: "Connection | None", decision: Decision) -> None:
        """An announcement has reached a player."""
        if self._world.noting:
            known = client.match.version if client.match else 0
            self._world.note("heard", decision.match.id, f"{client.player.id} (at {known}): {_names(decision)}")
        assert connection is not None
        for event in decision.events:
            key = (decision.match.id, event)
            if key in connection.heard:
                self._break(Invariant.HEARD_IN_ORDER, decision.match.id, f"{client.player.id} heard {event} again")
            connection.heard.add(key)

    def gap(self, client: "Client") -> None:
        """A player has missed something, and reads it."""
        self.counts.gaps += 1
        if self._world.noting:
            self._world.note("gap", client.match_id, f"{client.player.id} reads the whole state")

    def same_match(self, client: "Client", first: Match, again: Reply | None) -> None:
        """A creation was sent again with its request id."""
        if isinstance(again, Decision) and again.match.id != first.id:
            self._break(Invariant.ONE_MATCH_A_REQUEST, first.id, f"{client.player.id} made {again.match.id} too")

    def pair_is_done(self, pair: "Pair") -> None:
        """A pair's players have seen the end, or given up."""
        for client in (pair.host, *pair.guests):
            if client.match is None or client.match_id is None or client.match_id not in self._world.model.matches:
                continue
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
        while self._waiting and self._waiting[0][0] < now:
            _, request, node = self._waiting.popleft()
            if node.alive and not request.replies:
                self._break(
                    Invariant.EVERY_REPLY, _match_of(request), f"node {node.number} is silent on {_told(request)}"
                )
        self._check_announced(now)
        self._check_clocks(now)
        for node in self._world.nodes:
            if not self._world.serves(node):
                self._ill_at[node] = now
        well_since = min(self._ill_at.get(node, node.born_at) for node in self._world.nodes)
        if now - well_since < SWEEP_WITHIN_S:
            return
        model = self._world.model
        for due in model.find_due(self._world.now_ms() - int(SWEEP_WITHIN_S * 1000) - MARGIN_MS, 20):
            if now - self._changed_at[due.id] < SWEEP_WITHIN_S:
                continue  # who is back may leave a match that was due long ago
            self._break(
                Invariant.ENDS_IN_TIME, due.id, f"still {due.status}, due at {_clock(model.matches[due.id].due_at)}"
            )

        self._check_attendance(now)

    def finished(self) -> None:
        """All pairs are gone, and all sweeping is done."""
        for match in self._world.model.matches.values():
            if match.status in LIVE:
                self._break(Invariant.EVERY_MATCH_ENDS, match.id, f"still {match.status}")
                return

    # What must hold.

    def _check_versions(self, change: Change, before: Match | None, after: Match) -> None:
        first = before.version if before else 0
        versions = list(dict.fromkeys(event.version for event in change.events))
        if first != change.from_version or versions != list(range(first + 1, after.version + 1)):
            self._break(Invariant.VERSIONS_RISE, after.id, f"{versions} from {first} to {after.version}")
        if before is not None and before.status not in LIVE:
            self._break(Invariant.OVER_IS_OVER, after.id, f"{before.status}, and then {_names(change)}")

    def _check_answer(self, match: Match, index: int, answer: Answer) -> None:
        self.counts.answers += 1
        assert match.started_at is not None
        assert match.deadline_at is not None
        question = match.question(answer.question_id)
        right = question is not None and question.correct == answer.chosen
        span_ms = match.question_count * match.time_limit_s * 1000
        counts_at = answer.judged_at
        if match.resumed_at is not None and match.paused_at is not None and counts_at < match.resumed_at:
            counts_at = min(counts_at + match.resumed_at - match.paused_at, match.resumed_at)
        left_ms = match.deadline_at - counts_at
        # Another node than the one that started the match may be some milliseconds behind it.
        fair = 100 + 50 * min(left_ms, span_ms) // span_ms if right else 0
        # An outage is counted from the last beat before it, which may be older than the match.
        older_ms = max(match.started_at - (match.paused_at or match.started_at), 0)
        in_time = 0 <= left_ms <= span_ms + older_ms + _CLOCKS_DIFFER_MS
        if question is None or answer.correct != right or answer.points != fair or not in_time:
            self._break(
                Invariant.POINTS_ARE_THE_RULES,
                match.id,
                f"seat {index}: {answer} with {left_ms} of {span_ms} ms left is worth {fair}",
            )
        key = (match.id, match.seats[index].player.id)
        if (answer.question_id, answer.chosen, answer.arrived_at) in self._refused.get(key, ()):
            self._break(Invariant.REFUSED_CHANGED_NOTHING, match.id, f"{key[1]} was refused {answer}")

    def _check_credit(self, match: Match, seat: Seat, place: int) -> None:
        """A bank is filled with the questions, and each answer takes from it what is asked for and is there."""
        assert match.started_at is not None
        answer, bank_ms = seat.answers[place], LAG_ALLOWANCE.bank_a_question_ms * match.question_count
        for earlier in seat.answers[:place]:
            bank_ms -= earlier.lag_credit_ms
        ran_ms = answer.arrived_at - match.started_at
        lags_ms = self._lags_ms[seat.player.id, answer.question_id, answer.arrived_at]
        fair = {sorted((0, sorted((lag_ms, LAG_ALLOWANCE.answer_ms, bank_ms, ran_ms))[0]))[1] for lag_ms in lags_ms}
        self.counts.credited += answer.lag_credit_ms > 0
        if answer.lag_credit_ms not in fair or answer.judged_at != answer.arrived_at - answer.lag_credit_ms:
            detail = f"{seat.player.id}: {answer} by a line of {lags_ms} ms, with {bank_ms} ms left, is credited {fair}"
            self._break(Invariant.CREDIT_IS_BOUNDED, match.id, detail)

    def _check_end(self, before: Match, after: Match) -> None:
        assert after.ended_at is not None
        if after.ended_at < before.due_at + MARGIN_MS:
            self._break(
                Invariant.NOT_ENDED_EARLY, after.id, f"at {_clock(after.ended_at)}, due {_clock(before.due_at)}"
            )

    def _check_absence(self, match: Match, index: int, seat: Seat) -> None:
        absence = seat.absence
        allowed_ms = absence.reconnect_by - absence.since if absence and absence.reconnect_by is not None else 0
        by_our_fault = absence is not None and absence.cause is Cause.NODE_LOST
        left_ms = PATIENCE.lost_ms if by_our_fault else PATIENCE.budget_ms - seat.away_ms
        if not 0 <= allowed_ms <= left_ms or seat.away_ms < 0:
            self._break(Invariant.BUDGET_HOLDS, match.id, f"seat {index}: {absence} after {seat.away_ms} ms")

    def _check_forfeit(self, before: Match | None, after: Match, index: int) -> None:
        """Who loses by absence was connected nowhere for so long, while there was service, and did not come in time."""
        self.counts.forfeits += 1
        assert before is not None
        seat = before.seats[index]
        absence = seat.absence
        attendance = self._attendance[seat.player.id]
        to_served = attendance.away_to_served if attendance.there else self._served()
        away_s = to_served - attendance.away_from_served
        if absence is not None and absence.reconnect_by is not None:
            self._check_nobody_came(after, seat, absence.reconnect_by, attendance)
            if attendance.there and attendance.came_ms <= absence.reconnect_by:
                return  # judged above: whoever came in time may only lose where nobody could know
        if absence is None or absence.reconnect_by is None:
            self._break(Invariant.NOBODY_THERE_IS_AWAY, before.id, f"seat {index} forfeits without an absence")
        elif away_s < (absence.reconnect_by - absence.since) / 1000 - _SLACK_S:
            detail = f"{seat.player.id} was away for {away_s:.3f} s of service, with {absence}"
            self._break(Invariant.NOBODY_LOSES_BY_OUTAGE, before.id, detail)

    def _check_nobody_came(self, after: Match, seat: Seat, by: int, attendance: Attendance) -> None:
        assert after.ended_at is not None
        noted_at = self._world.model.noted_at.get(seat.player.id)
        came = self._world.model.came_by(seat.player.id, by)
        if came and noted_at is not None and noted_at < after.ended_at - _CLOCKS_DIFFER_MS:
            detail = f"{seat.player.id} came at {_clock(min(came))}, noted {_clock(noted_at)}, before {_clock(by)}"
            self._break(Invariant.WHO_CAME_IN_TIME_STAYS, after.id, detail)
        node = attendance.node
        if not attendance.there or node is None or not node.alive or attendance.came_ms > by:
            return
        ill_at, now = self._ill_at.get(node, node.born_at), self._world.loop.time()
        known_after = attendance.came_at + _NOTED_WITHIN_S
        if ill_at > attendance.came_at - _NOTED_AFTER_ILLNESS_S:
            known_after = max(attendance.came_at, ill_at) + _NOTED_AFTER_ILLNESS_S
        if now > known_after:
            detail = f"{seat.player.id} came to node {node.number} at {_clock(attendance.came_ms)}, before {_clock(by)}"
            self._break(Invariant.WHO_CAME_IN_TIME_STAYS, after.id, detail)

    def _check_fair_end(self, after: Match) -> None:
        """A match that its deadline ends had all its time while there was service."""
        started = self._started.pop(after.id, None)
        if started is None or after.end_reason != "deadline":
            return
        from_served, lag_s = started
        had_s = self._served() - from_served + lag_s
        if had_s < after.question_count * after.time_limit_s - _SLACK_S:
            detail = f"its players had {had_s:.3f} s of service for {after.question_count} x {after.time_limit_s} s"
            self._break(Invariant.NOBODY_LOSES_BY_OUTAGE, after.id, detail)

    def _check_announced(self, now: float) -> None:
        ill_at = max(self._ill_at.get(node, node.born_at) for node in self._world.nodes)
        if now - ill_at < SETTLED_WITHIN_S:
            return
        while self._unannounced and self._unannounced[0][0] < now - SETTLED_WITHIN_S:
            at, match_id, version = self._unannounced.popleft()
            # What a node had sent before it died may have come to a frozen store long before it is done.
            known = self._world.crashed_at > at - 60 or version in self._announced.get(match_id, ())
            if not known:
                self._break(Invariant.STORED_IS_ANNOUNCED, match_id, f"version {version}, committed at {at:.3f}")

    def _check_clocks(self, now: float) -> None:
        """Two nodes that have beaten on well lines since anything was wrong have one time."""
        if now - max(self._ill_at.get(node, node.born_at) for node in self._world.nodes) < _CLOCKS_AGREE_WITHIN_S:
            return
        if now - self._world.stepped_at < _CLOCKS_AGREE_WITHIN_S:
            return
        apart = [node.clock.now() for node in self._world.nodes]
        if max(apart) - min(apart) > _CLOCKS_DIFFER_MS:
            self._break(Invariant.CLOCKS_AGREE, None, f"they are {max(apart) - min(apart)} ms apart")

    def _check_attendance(self, now: float) -> None:
        well_since = max(self._ill_at.get(node, node.born_at) for node in self._world.nodes)
        if now - well_since < KNOWN_WITHIN_S:
            return
        for _, _, match_id in self._world.model.live():
            match = self._world.model.matches[match_id]
            for seat in match.seats:
                attendance = self._attendance[seat.player.id]
                since = max(attendance.came_at if attendance.there else attendance.went_at, well_since)
                wrong = attendance.there == (seat.absence is not None) and seat.completed_at is None
                if wrong and now - since > KNOWN_WITHIN_S:
                    there = f"there since {since:.3f}" if attendance.there else f"away since {since:.3f}"
                    self._break(
                        Invariant.NOBODY_THERE_IS_AWAY, match_id, f"{seat.player.id}, {there}, has {seat.absence}"
                    )

    def _served(self) -> float:
        return self._world.service.served_s(self._world.loop.time())

    def _check_acknowledged(self, request: Request, decision: Decision) -> None:
        stored = self._world.model.matches.get(decision.match.id)
        match_id = decision.match.id
        if stored is None or decision.match.version > stored.version:
            self._break(
                Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{_told(request)}: version {decision.match.version}"
            )
            return
        events = self._world.model.events[match_id]
        for event in decision.events:
            if event not in events:
                self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{_told(request)}: {event}")
        self.counts.duplicates += decision.duplicate
        index = stored.seat_of(request.player.id)
        if index is None:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{request.player.id} has no seat")
        elif request.verb == "submit_answer":
            self._check_locked(request, stored, index)
        elif request.verb == "create" and request.wishes["request_id"] is not None:
            first = self._requests.setdefault((request.player.id, request.wishes["request_id"]), match_id)
            if first != match_id:
                self._break(Invariant.ONE_MATCH_A_REQUEST, match_id, f"{_told(request)} had made {first}")
        elif request.verb == "start" and stored.started_at is None:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{_told(request)}: not started")

    def _check_locked(self, request: Request, stored: Match, index: int) -> None:
        wish = request.wishes
        answer = stored.seats[index].answer_to(wish["question_id"])
        question = stored.question(wish["question_id"])
        asked = (
            wish["answer"]
            if isinstance(wish["answer"], int) or not question
            else question.options.index(wish["answer"])
        )
        if answer is None or answer.chosen != asked:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, stored.id, f"{_told(request)}: the store has {answer}")

    def _check_refused(self, request: Request, refusal: Refused) -> None:
        self.counts.refusals += 1
        match_id = _match_of(request)
        if match_id is None:
            return
        stored = self._world.model.matches.get(match_id)
        events = self._world.model.events.get(match_id, ())
        if request.verb == "submit_answer" and stored is not None:
            wish = request.wishes
            question = stored.question(wish["question_id"])
            if question is None or not (isinstance(wish["answer"], str) or wish["answer"] in range(4)):
                return
            chosen = wish["answer"] if isinstance(wish["answer"], int) else question.options.index(wish["answer"])
            index = stored.seat_of(request.player.id)
            standing = stored.seats[index].answer_to(question.id) if index is not None else None
            if standing is not None and standing.chosen == chosen:
                self._break(
                    Invariant.REFUSED_CHANGED_NOTHING, match_id, f"{_told(request)}: {refusal.code}, but {standing}"
                )
            key = (match_id, request.player.id)
            self._refused.setdefault(key, []).append((question.id, chosen, request.arrived_at))
        elif request.verb == "join" and any(isinstance(event, PlayerJoined) for event in events):
            assert stored is not None
            if stored.seat_of(request.player.id) == 1:
                self._break(
                    Invariant.REFUSED_CHANGED_NOTHING, match_id, f"{_told(request)}: {refusal.code}, but seated"
                )

    def _break(self, invariant: Invariant, match_id: UUID | None, detail: str) -> None:
        self._world.broken_by(Break(invariant, match_id, self._world.loop.time(), detail))


def _match_of(request: Request) -> UUID | None:
    return request.wishes.get("match_id")


def _result(match: Match, index: int) -> tuple[Status, str | None, Outcome, int, int]:
    theirs = match.seats[1 - index].score if len(match.seats) == 2 else 0
    return match.status, match.end_reason, match.outcome(index), match.seats[index].score, theirs


def _names(told: Change | Decision) -> str:
    return ", ".join(
        f"{type(event).__name__}(seat {event.seat}, question {event.answer.question_id}, {event.answer.points} points)"
        if isinstance(event, AnswerAccepted)
        else type(event).__name__
        for event in told.events
    )


def _questions(answers: tuple[Answer, ...]) -> str:
    return ", ".join(f"question {answer.question_id} ({answer.points})" for answer in answers)


def _told(request: Request) -> str:
    wishes: dict[str, Any] = {name: wish for name, wish in request.wishes.items() if name != "match_id"}
    return f"{request.player.id} {request.verb} {wishes or ''}".strip()


def _outcome(outcome: Reply) -> str:
    if isinstance(outcome, Refused):
        return f"refused, {outcome.code}"
    return f"{'duplicate' if outcome.duplicate else 'done'}, version {outcome.match.version}"


def _clock(at_ms: int) -> str:
    return f"{(at_ms - EPOCH_MS) / 1000:.3f}s"
