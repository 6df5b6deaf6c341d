"""The store as a small model: what PostgreSQL does with each query, in dicts. `test_store_model` compares the two.

One call is one statement: all of it happens, or nothing.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.absence import Absence
from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.drawing import SEEN_ANSWERS
from pairquiz_server.rules.events import Answer, AnswerAccepted, Event, MatchStarted
from pairquiz_server.rules.match import LIVE, Match, Seat, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.question import topic_key
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.matches import DueMatch
from pairquiz_server.store.nodes import Beat, ClockReading, MovedMatch
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import Returned, SeatTaken
from pairquiz_server.store.questions import FoundTopic, StoredQuestion
from pairquiz_server.store.rows import Change
from pairquiz_server.store.seen import LastAnswers

Moved = Callable[[Match, Match], None]
"""Hears of each match whose clocks a beat has moved, as it was before and as it is now."""
Committed = Callable[[Change, Match | None, Match], None]
"""Hears of each change that is committed: the change, the match as it was stored before, and as it is now."""


SILENT_MS = 1500
"""A node that has given no sign of life for so long may be dead."""


class DuplicateKeyError(Exception):
    """A row is there already. A fault of ours: the statement has done nothing."""


class _LastBatch(Struct, frozen=True):
    """A node's last batch that is committed, the number up to which none is any more, and what did not move."""

    number: int
    closed: int
    stuck: frozenset[str]


class Model:
    """The matches and questions of one database; `completed` are the matches with results, by their end.

    `buried` hears of each node that is taken for dead: what refers to its row goes with it. `seeks` tells whether a
    player looks for an opponent.
    `answers_are_unique` stands for the primary key of the answers, `rematches_are_unique` for the index of rematches.
    """

    def __init__(
        self,
        bank: dict[Topic, Sequence[StoredQuestion]],
        *,
        committed: Committed = lambda *_: None,
        moved: Moved = lambda *_: None,
        now: Callable[[], int] = lambda: 0,
        game_now: Callable[[], int] = lambda: 0,
        answers_are_unique: bool = True,
        rematches_are_unique: bool = True,
    ) -> None:
        self._game_now = game_now
        self.matches: dict[str, Match] = {}
        self.events: dict[str, list[Event]] = {}
        self.conflicts = 0
        self._bank = {topic.id: bank[topic] for topic in bank}
        self._questions = {question.id: question for questions in bank.values() for question in questions}
        self._topics = {topic_key(topic.name): topic for topic in bank}
        self._committed = committed
        self._moved = moved
        self._now = now
        self.nodes: dict[UUID, int] = {}
        self.presence: dict[str, dict[UUID, int]] = {}
        self.noted_at: dict[str, int] = {}
        self.game_at: int | None = None
        self.buried: Callable[[UUID], None] = lambda _: None
        self.seeks: Callable[[str], bool] = lambda _: False
        self._sessions: dict[UUID, bool] = {}
        """Whether the session stands by which a node has given its last sign of life."""
        self._beaten_at: int | None = None
        self._answers_are_unique = answers_are_unique
        self._rematches_are_unique = rematches_are_unique
        self.followers: dict[str, str] = {}
        self._batches: dict[UUID, _LastBatch] = {}
        self._players: dict[str, Player] = {}
        self._waiting: dict[str, str] = {}
        self._joined: dict[tuple[str, str], list[str]] = {}
        self._requests: dict[tuple[str, str], str] = {}
        self._requested: list[tuple[int, str]] = []
        self._due: list[tuple[int, str]] = []
        self._ticking: dict[str, int] = {}
        self._live: dict[str, list[str]] = {}
        self._seats: dict[str, list[str]] = {}
        self.completed: list[tuple[int, str]] = []

    def save(self, changes: Iterable[Change], node: UUID | None = None, number: int = 0) -> frozenset[str]:
        """Move the matches that stand where their change began; return the ids of the others.

        Where a node numbers its batches, one whose number is closed does nothing. Raises `StorageUnavailable` then.
        """
        if node is None:
            return self._save(changes)
        if node not in self._batches or self._batches[node].closed >= number:
            raise StorageUnavailable("the store does not know this node's last batch")
        stuck = self._save(changes)
        self._batches[node] = _LastBatch(number, number, stuck)
        return stuck

    def register(self, node: UUID) -> None:
        self._batches.setdefault(node, _LastBatch(0, 0, frozenset()))

    def resolve(self, node: UUID, number: int) -> frozenset[str] | None:
        """Tell what became of a node's batch, and close its number."""
        last = self._batches.get(node, _LastBatch(0, 0, frozenset()))
        self._batches[node] = replace(last, closed=max(last.closed, number))
        return last.stuck if last.number == number else None

    def _save(self, changes: Iterable[Change]) -> frozenset[str]:
        ordered = sorted(changes, key=lambda change: change.match.id)
        stuck = {change.match.id for change in ordered if change.from_version and not self._stands(change)}
        # The statement moves before it opens: a code that a move gives up can be had by a creation of the same batch.
        free = {
            change.match.join_code
            for change in ordered
            if self._waiting.get(change.match.join_code) == change.match.id
            and change.match.id not in stuck
            and change.match.status is not Status.WAITING
        }
        codes: set[str] = set()
        requests: set[tuple[str, str]] = set()
        followed: set[str] = set(self.followers) if self._rematches_are_unique else set()
        for change in ordered:
            match = change.match
            if change.from_version:
                continue
            waits, request = match.status is Status.WAITING, _request(match)
            code = match.join_code
            code_is_taken = code in codes or (code in self._waiting and code not in free)
            request_is_taken = request in requests or request in self._requests
            is_followed = self._rematches_are_unique and match.previous_id in followed
            if match.id in self.matches or (waits and code_is_taken) or request_is_taken or is_followed:
                stuck.add(match.id)
                continue
            if match.previous_id is not None:
                followed.add(match.previous_id)
            if waits:
                codes.add(code)
            if request is not None:
                requests.add(request)
        self.conflicts += len(stuck)
        moving = [change for change in ordered if change.match.id not in stuck]
        if self._answers_are_unique:
            for change in moving:
                self._require_new_answers(change)
        for change in sorted(moving, key=lambda change: change.from_version == 0):
            before = self.matches.get(change.match.id)
            after = self._stored(change, before)
            self._put(before, after)
            self.events.setdefault(after.id, []).extend(change.events)
            self._committed(change, before, after)
        return frozenset(stuck)

    def live(self) -> list[tuple[int, str]]:
        """Return all live matches, by the time at which they are due, with their ids."""
        return self._due

    def load(self, ids: Sequence[str]) -> dict[str, Match]:
        return {match_id: self.matches[match_id] for match_id in ids if match_id in self.matches}

    def find_by_code(self, code: str, player_id: str) -> str | None:
        if code in self._waiting:
            return self._waiting[code]
        joined = self._joined.get((player_id, code), [])
        return max(joined, key=lambda match_id: self.matches[match_id].created_at, default=None)

    def find_before_creation(self, player_id: str, request_id: str | None, count_to: int) -> tuple[str | None, int]:
        earlier = None if request_id is None else self._requests.get((player_id, request_id))
        created = [self.matches[one].seats[0].player.id == player_id for one in self.find_live(player_id)]
        live = min(sum(created), count_to) + min(len(created) - sum(created), count_to)
        return earlier, live + self.seeks(player_id)

    def find_live(self, player_id: str) -> list[str]:
        return sorted(self._live.get(player_id, ()), key=lambda match_id: (self.matches[match_id].created_at, match_id))

    def find_live_of(self, players: Sequence[str]) -> dict[str, list[str]]:
        return {player_id: live for player_id in players if (live := self.find_live(player_id))}

    def find_due(self, at: int, limit: int) -> list[DueMatch]:
        due = self._due[: min(bisect_right(self._due, at, key=lambda one: one[0]), limit)]
        return [DueMatch(match_id, self.matches[match_id].status) for _, match_id in due]

    def next_due(self, after: int) -> int | None:
        place = bisect_right(self._due, after, key=lambda one: one[0])
        return self._due[place][0] if place < len(self._due) else None

    def find_ticks(self, at: int, limit: int) -> list[DueMatch]:
        ticking = sorted((tick_at, match_id) for match_id, tick_at in self._ticking.items() if tick_at <= at)
        return [DueMatch(match_id, self.matches[match_id].status) for _, match_id in ticking[:limit]]

    def next_tick(self, after: int) -> int | None:
        return min((tick_at for tick_at in self._ticking.values() if tick_at > after), default=None)

    def forget_requests(self, before: int) -> None:
        place = bisect_left(self._requested, before, key=lambda one: one[0])
        for _, match_id in self._requested[:place]:
            match = self.matches[match_id]
            request = _request(match)
            assert request is not None
            del self._requests[request]
            self.matches[match_id] = replace(match, request_id=None)
        del self._requested[:place]

    def player(self, player_id: str) -> Player | None:
        """Return a player as stored: a guest becomes a row with the first match."""
        return self._players.get(player_id)

    def topic_name(self, topic_id: int) -> str:
        return next(topic.name for topic in self._topics.values() if topic.id == topic_id)

    def find_topic(self, name: str) -> FoundTopic | None:
        topic = self._topics.get(topic_key(name))
        return topic and FoundTopic(topic.id, topic.name, [question.id for question in self._bank[topic.id]])

    def read(self, ids: Iterable[int]) -> dict[int, StoredQuestion]:
        return {number: self._questions[number] for number in ids}

    # The queries of store.nodes.

    def read_clock(self) -> ClockReading:
        return ClockReading(self.game_at, self._beaten_at, self._now())

    def enter(self, node: UUID, now: int) -> None:
        if self.game_at is None:
            self.game_at, self._beaten_at = now, self._now()
        self.nodes[node] = now

    def beat(self, node: UUID, now: int, overlooked_ms: int, expected_at: int | None = None) -> Beat:
        assert self.game_at is not None
        assert self._beaten_at is not None
        gap_ms = now - self.game_at if now - self.game_at > overlooked_ms else 0
        database_at = self._now()
        if expected_at is not None and database_at - expected_at > 1000:
            return Beat(
                self.game_at, 0, node in self.nodes, [], database_at, late=True, alone=not {*self.nodes} - {node}
            )
        passed_ms = database_at - self._beaten_at
        carried_on = self.game_at + (passed_ms if 0 <= passed_ms <= 700 else 0)
        self.game_at, self._beaten_at = max(carried_on, now), database_at
        beating = list(self.nodes) if gap_ms else [one for one in (node,) if one in self.nodes]
        self.nodes |= dict.fromkeys(beating, self.game_at)
        if node in beating:
            self._sessions[node] = True
        moved = [self._move(match_id, gap_ms, self.game_at) for _, match_id in list(self._due)] if gap_ms else []
        alone = not {*self.nodes} - {node}
        moved.sort(key=lambda one: one.id)
        return Beat(self.game_at, gap_ms, node in beating, moved, database_at, alone=alone)

    def session_ends(self, node: UUID) -> None:
        """Let the session be gone by which a node beats."""
        if node in self._sessions:
            self._sessions[node] = False

    def lives(self, node: UUID) -> bool:
        """Tell whether a node has given a sign of life lately, by a session that stands."""
        return self.nodes[node] >= (self.game_at or 0) - SILENT_MS and self._sessions.get(node, True)

    def find_last(self, players: Sequence[str]) -> dict[str, LastAnswers]:
        return {player_id: self._last(player_id) for player_id in players}

    def _last(self, player_id: str) -> LastAnswers:
        had = (self.matches[match_id] for match_id in self._seats.get(player_id, ()))
        began = [match for match in had if match.started_at is not None]
        seats = [seat for match in began for seat in match.seats if seat.player.id == player_id]
        answers = sorted((answer.arrived_at, answer.question_id) for seat in seats for answer in seat.answers)
        playing = any(match.status in LIVE and match.seat_of(player_id) is not None for match in began)
        return LastAnswers([(question_id, at) for at, question_id in answers[-SEEN_ANSWERS:]], playing)

    def goes_on(self, span_ms: int) -> None:
        """Let the last sign of life be so much older."""
        assert self._beaten_at is not None
        self._beaten_at -= span_ms

    def bury(self, silent_ms: int) -> dict[str, int]:
        dead = self._silent(silent_ms)
        left = {
            player: min(nodes[node] for node in dead if node in nodes)
            for player, nodes in sorted(self.presence.items())
            if any(node in nodes for node in dead)
        }
        for node in dead:
            del self.nodes[node]
            self._sessions.pop(node, None)
            self.buried(node)
        for player in left:
            for node in dead:
                self._gone(player, node)
        return left

    def _silent(self, silent_ms: int) -> list[UUID]:
        game_at = self.game_at or 0
        return [node for node, beaten_at in self.nodes.items() if beaten_at < game_at - silent_ms]

    def _move(self, match_id: str, gap_ms: int, now: int) -> MovedMatch:
        before = self.matches[match_id]
        deadline_at = None if before.deadline_at is None else before.deadline_at + gap_ms
        seats = tuple(replace(seat, absence=_anew(seat.absence, now)) for seat in before.seats)
        graces = [seat.absence.reconnect_by for seat in seats if seat.absence and seat.absence.reconnect_by is not None]
        closes_at = None if before.closes_at is None else before.closes_at + gap_ms
        tick_at = None if before.tick_at is None else before.tick_at + gap_ms
        reveals = before.reveals
        if closes_at is not None:
            reveals = (*reveals[:-1], reveals[-1] + gap_ms)
        if before.status is not Status.IN_PROGRESS:
            due_at = before.due_at + gap_ms
        elif before.pace is Pace.ROUNDS:
            due_at = closes_at or (tick_at or 0) + before.time_limit_s * 1000
            due_at = min(due_at, max(graces)) if len(graces) == 2 else due_at
        else:
            assert deadline_at is not None
            due_at = min(deadline_at, max(graces, default=deadline_at))
        after = replace(
            before,
            version=before.version + 1,
            deadline_at=deadline_at,
            tick_at=tick_at,
            closes_at=closes_at,
            reveals=reveals,
            due_at=due_at,
            seats=seats,
            paused_at=now - gap_ms,
            resumed_at=now,
        )
        self._put(before, after)
        self._moved(before, after)
        players: list[str | None] = [seat.player.id for seat in seats]
        comebacks = [seat.absence and seat.absence.reconnect_by for seat in seats]
        if len(seats) == 1:
            players.append(None)
            comebacks.append(None)
        return MovedMatch(
            after.id,
            after.version,
            deadline_at,
            players[0] or "",
            players[1],
            comebacks[0],
            comebacks[1],
            after.reveals or None,
            closes_at,
            tick_at,
        )

    # The queries of store.presence. Their orders are arbitrary in SQL; here they are the same in every process.

    def note(self, node: UUID, came: Mapping[str, int], went: Sequence[str]) -> None:
        for player in went:
            self._gone(player, node)
        if node in self.nodes:
            for player, came_at in came.items():
                self.presence.setdefault(player, {}).setdefault(node, came_at)
                self.noted_at[player] = self._game_now()

    def find_absent(self, players: Sequence[str]) -> list[str]:
        return sorted(player for player in players if player not in self.presence)

    def find_seats(self, players: Sequence[str]) -> list[SeatTaken]:
        return sorted(
            (
                SeatTaken(match_id, seat.player.id, seat.absence is not None)
                for player in dict.fromkeys(players)
                for match_id in self._live.get(player, ())
                for seat in self.matches[match_id].seats
                if seat.player.id == player
            ),
            key=lambda seat: (seat.match_id, seat.player_id),
        )

    def find_returned(self, matches: Sequence[str]) -> list[Returned]:
        return [
            Returned(match_id, seat.player.id, min(in_time))
            for match_id in matches
            for seat in (self.matches[match_id].seats if match_id in self.matches else ())
            if seat.absence is not None
            and seat.absence.reconnect_by is not None
            and (in_time := self.came_by(seat.player.id, self._may_come_until(self.matches[match_id], seat)))
        ]

    def _may_come_until(self, match: Match, seat: Seat) -> int:
        seats = match.seats if match.pace is Pace.ROUNDS else (seat,)
        return max(one.absence.reconnect_by for one in seats if one.absence and one.absence.reconnect_by is not None)

    def came_by(self, player: str, at: int) -> list[int]:
        """Return when somebody came who is there and has come by then: once for each node."""
        return [came_at for came_at in self.presence.get(player, {}).values() if came_at <= at]

    def find_unmarked(self, silent_ms: int) -> list[str]:
        silent = self._silent(silent_ms)
        there = {player for player, nodes in self.presence.items() if any(node in nodes for node in silent)}
        return sorted(
            match_id
            for match_id in {match_id for player in there for match_id in self._live.get(player, ())}
            for match in [self.matches[match_id]]
            if match.status is Status.IN_PROGRESS
            and any(
                seat.player.id in there and seat.absence is not None and seat.absence.reconnect_by is not None
                for seat in match.seats
            )
        )

    def find_mistakes(self) -> list[SeatTaken]:
        return sorted(
            (
                SeatTaken(match_id, seat.player.id, seat.absence is not None)
                for _, match_id in self._due
                for seat in self.matches[match_id].seats
                if seat.completed_at is None and (seat.absence is not None) == (seat.player.id in self.presence)
            ),
            key=lambda seat: (seat.match_id, seat.player_id),
        )

    def _gone(self, player: str, node: UUID) -> None:
        nodes = self.presence.get(player, {})
        nodes.pop(node, None)
        if not nodes:
            self.presence.pop(player, None)

    def _stands(self, change: Change) -> bool:
        """Whether a match is still at the version that a change was decided on."""
        stored = self.matches.get(change.match.id)
        return stored is not None and stored.version == change.from_version

    def _require_new_answers(self, change: Change) -> None:
        stored = self.matches.get(change.match.id)
        seen = {
            (index, answer.question_id)
            for index, seat in enumerate(stored.seats if stored else ())
            for answer in seat.answers
        }
        for event in change.events:
            if isinstance(event, AnswerAccepted):
                key = (event.seat, event.answer.question_id)
                if key in seen:
                    raise DuplicateKeyError(f"answers: {change.match.id} {key}")
                seen.add(key)

    def _stored(self, change: Change, before: Match | None) -> Match:
        """What the rows make of a change: answers and drawn questions come from events alone, and are only added."""
        match = change.match
        seats = tuple(
            replace(seat, player=self._known(seat.player), answers=self._answers(change, before, index))
            for index, seat in enumerate(match.seats)
        )
        drawn = any(isinstance(event, MatchStarted) for event in change.events)
        questions = match.questions if drawn else before.questions if before else ()
        request_id = before.request_id if before else match.request_id
        return replace(match, seats=seats, questions=questions, request_id=request_id)

    def _known(self, player: Player) -> Player:
        return self._players.setdefault(player.id, replace(player, label=None))

    def _answers(self, change: Change, before: Match | None, index: int) -> tuple[Answer, ...]:
        standing = before.seats[index].answers if before and index < len(before.seats) else ()
        new = tuple(
            event.answer for event in change.events if isinstance(event, AnswerAccepted) and event.seat == index
        )
        return (*standing, *new) if new else standing

    def _put(self, before: Match | None, after: Match) -> None:
        self.matches[after.id] = after
        waited = before is not None and before.status is Status.WAITING
        if after.status is Status.WAITING:
            self._waiting[after.join_code] = after.id
        elif waited:
            del self._waiting[after.join_code]
        if before is None and (request := _request(after)) is not None:
            self._requests[request] = after.id
            insort(self._requested, (after.created_at, after.id))
        if before is None and after.previous_id is not None:
            self.followers[after.previous_id] = after.id
        if before is not None and before.status in LIVE:
            del self._due[bisect_left(self._due, (before.due_at, before.id))]
        if after.status in LIVE:
            insort(self._due, (after.due_at, after.id))
        if after.status is Status.COMPLETED:
            assert after.ended_at is not None
            insort(self.completed, (after.ended_at, after.id))
        self._ticking.pop(after.id, None)
        if after.status in LIVE and after.tick_at is not None:
            self._ticking[after.id] = after.tick_at
        for index, seat in enumerate(after.seats):
            self._seat(before, after, index, seat)

    def _seat(self, before: Match | None, after: Match, index: int, seat: Seat) -> None:
        new = before is None or index >= len(before.seats)
        if new and index == 1:
            self._joined.setdefault((seat.player.id, after.join_code), []).append(after.id)
        live = self._live.setdefault(seat.player.id, [])
        if new:
            self._seats.setdefault(seat.player.id, []).append(after.id)
        if after.status not in LIVE:
            if after.id in live:
                live.remove(after.id)
        elif new:
            live.append(after.id)


def _anew(absence: Absence | None, now: int) -> Absence | None:
    """An absence that begins again, with all that it was allowed."""
    if absence is None:
        return None
    by = None if absence.reconnect_by is None else now + absence.reconnect_by - absence.since
    return replace(absence, since=now, reconnect_by=by)


def _request(match: Match) -> tuple[str, str] | None:
    return None if match.request_id is None else (match.seats[0].player.id, match.request_id)
