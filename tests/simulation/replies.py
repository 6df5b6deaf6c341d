"""What must hold of the reply to a command: there is one, what it acknowledges is stored, what it refuses is not."""

from collections import deque
from typing import TYPE_CHECKING

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import PlayerJoined
from pairquiz_server.rules.match import Match
from tests.simulation.connection import Reply, Request
from tests.simulation.invariants import Counts, Invariant
from tests.simulation.node import Node
from tests.simulation.series import Rematches
from tests.simulation.telling import asked, match_of

if TYPE_CHECKING:
    from tests.simulation.world import World

SETTLED_WITHIN_S = 10.0
"""A command that has reached a node has a reply by then, unless the node dies."""


class Replies:
    """Judges what commands are answered."""

    def __init__(self, world: "World", counts: Counts, rematches: Rematches) -> None:
        self._world = world
        self._rematches = rematches
        self._counts = counts
        self._waiting: deque[tuple[float, Request, Node]] = deque()
        self._requests: dict[tuple[str, str], str] = {}
        self._refused: dict[tuple[str, str], list[tuple[int, int | str, int]]] = {}

    def arrived(self, node: Node, request: Request) -> None:
        self._waiting.append((self._world.loop.time() + SETTLED_WITHIN_S, request, node))

    def look(self) -> None:
        """Look for commands that nobody has answered."""
        now = self._world.loop.time()
        while self._waiting and self._waiting[0][0] < now:
            _, request, node = self._waiting.popleft()
            if node.alive and not request.replies:
                detail = f"node {node.number} is silent on {asked(request)}"
                self._break(Invariant.EVERY_REPLY, match_of(request), detail)

    def judge(self, request: Request, outcome: Reply) -> None:
        match_id = outcome.match.id if isinstance(outcome, Decision) else match_of(request)
        request.replies += 1
        if request.replies > 1:
            self._break(Invariant.ONE_REPLY, match_id, f"{asked(request)} has {request.replies}")
        if isinstance(outcome, Decision):
            self._check_acknowledged(request, outcome)
        elif isinstance(outcome, bool):
            return
        elif outcome.code is Code.INTERNAL:
            self._break(Invariant.NO_FAULT_OF_OURS, match_id, f"{asked(request)}: {outcome}")
        elif outcome.retry:
            self._counts.unavailable += 1
        else:
            self._check_refused(request, outcome)

    def committed(self, before: Match | None, after: Match) -> None:
        """Look whether an answer that is in the store now had been refused."""
        for index, seat in enumerate(after.seats):
            refused = self._refused.get((after.id, seat.player.id))
            if not refused:
                continue
            known = len(before.seats[index].answers) if before and index < len(before.seats) else 0
            for answer in seat.answers[known:]:
                if (answer.question_id, answer.chosen, answer.arrived_at) in refused:
                    detail = f"{seat.player.id} was refused {answer}"
                    self._break(Invariant.REFUSED_CHANGED_NOTHING, after.id, detail)

    def _check_acknowledged(self, request: Request, decision: Decision) -> None:
        stored = self._world.model.matches.get(decision.match.id)
        match_id = decision.match.id
        if stored is None or decision.match.version > stored.version:
            self._break(
                Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{asked(request)}: version {decision.match.version}"
            )
            return
        events = self._world.model.events[match_id]
        for event in decision.events:
            if event not in events:
                self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{asked(request)}: {event}")
        self._counts.duplicates += decision.duplicate
        index = stored.seat_of(request.player.id)
        if index is None:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{request.player.id} has no seat")
        elif request.verb == "submit_answer":
            self._check_locked(request, stored, index)
        elif request.verb == "create" and request.wishes["request_id"] is not None:
            first = self._requests.setdefault((request.player.id, request.wishes["request_id"]), match_id)
            if first != match_id:
                self._break(Invariant.ONE_MATCH_A_REQUEST, match_id, f"{asked(request)} had made {first}")
        elif request.verb == "request_rematch":
            self._rematches.acknowledged(request, decision.match)
        elif request.verb == "start" and stored.started_at is None:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, match_id, f"{asked(request)}: not started")

    def _check_locked(self, request: Request, stored: Match, index: int) -> None:
        wish = request.wishes
        answer = stored.seats[index].answer_to(wish["question_id"])
        place = stored.place_of(wish["question_id"])
        chosen = (
            wish["answer"]
            if isinstance(wish["answer"], int) or place is None
            else stored.questions[place].options.index(wish["answer"])
        )
        if answer is None or answer.chosen != chosen:
            self._break(Invariant.ACKNOWLEDGED_IS_STORED, stored.id, f"{asked(request)}: the store has {answer}")

    def _check_refused(self, request: Request, refusal: Refused) -> None:
        self._counts.refusals += 1
        match_id = match_of(request)
        if match_id is None:
            return
        stored = self._world.model.matches.get(match_id)
        events = self._world.model.events.get(match_id, ())
        if request.verb == "submit_answer" and stored is not None:
            wish = request.wishes
            place = stored.place_of(wish["question_id"])
            if place is None or not (isinstance(wish["answer"], str) or wish["answer"] in range(4)):
                return
            question = stored.questions[place]
            chosen = wish["answer"] if isinstance(wish["answer"], int) else question.options.index(wish["answer"])
            index = stored.seat_of(request.player.id)
            standing = stored.seats[index].answer_to(question.id) if index is not None else None
            if standing is not None and standing.chosen == chosen:
                self._break(
                    Invariant.REFUSED_CHANGED_NOTHING, match_id, f"{asked(request)}: {refusal.code}, but {standing}"
                )
            key = (match_id, request.player.id)
            self._refused.setdefault(key, []).append((question.id, chosen, request.arrived_at))
        elif request.verb == "join" and any(isinstance(event, PlayerJoined) for event in events):
            assert stored is not None
            if stored.seat_of(request.player.id) == 1:
                self._break(
                    Invariant.REFUSED_CHANGED_NOTHING, match_id, f"{asked(request)}: {refusal.code}, but seated"
                )

    def _break(self, invariant: Invariant, match_id: str | None, detail: str) -> None:
        self._world.breaks(invariant, match_id, detail)
