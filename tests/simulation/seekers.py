"""The queue of those who look for an opponent: its tables as a small model, and a node's way to it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.rules.pairing import NOBODY, Pair, Seeker, Wishes
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.rating import START_DEVIATION, START_RATING
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.ratings import OVERALL, Standing
from pairquiz_server.store.ratings import Place as RatingPlace
from pairquiz_server.store.seekers import Entered, Entry, Place, Queued, Seen, Unfinished
from tests.simulation.line import Line
from tests.simulation.model import Model


class Row(Struct):
    """An entry as it stands, at which node, and the match that is being made for it since a time."""

    entry: Entry
    node: UUID
    match_id: str | None = None
    paired_at: int | None = None

    @property
    def wishes(self) -> Wishes:
        return self.entry.wishes

    def seeker(self, met: tuple[str, ...] = (), blocked: frozenset[str] = NOBODY) -> Seeker:
        entry = self.entry
        return Seeker(
            player_id=entry.player.id,
            ticket=entry.ticket,
            wishes=entry.wishes,
            rating=entry.rating,
            deviation=entry.deviation,
            since=entry.since,
            met=met,
            blocked=blocked,
        )


class Queue:
    """What PostgreSQL does with each query of store/seekers and store/blocks, in dicts beside a model's matches.

    `marked` hears of each pair that is marked. `lost` has the players and matches of the marked entries that went with
    their node: nobody can know any more that they were marked.
    """

    def __init__(
        self,
        model: Model,
        ratings: Mapping[RatingPlace, Standing],
        marked: Callable[[str, Pair], None] = lambda *_: None,
    ) -> None:
        self._model = model
        self._ratings = ratings
        self._marked = marked
        self.rows: dict[str, Row] = {}
        self.met: dict[str, tuple[str, ...]] = {}
        self.blocks: dict[tuple[str, str], None] = {}
        self.lost: set[tuple[str, str]] = set()
        model.buried = self._buried
        model.seeks = self._seeks

    def enter(self, node: UUID, now: int, entries: Sequence[Entry], live_max: int) -> dict[str, Entered]:
        known = node in self._model.nodes
        return {entry.player.id: self._enter(node, now, entry, live_max, known=known) for entry in entries}

    def cancel(self, player_id: str) -> bool:
        row = self.rows.get(player_id)
        if row is None or row.match_id is not None:
            return False
        del self.rows[player_id]
        return True

    def leave(self, node: UUID, players: Sequence[str]) -> set[str]:
        there = {player_id for player_id in players if (row := self.rows.get(player_id)) and row.node == node}
        stay = {player_id for player_id in there if self.rows[player_id].match_id is not None}
        for player_id in there - stay:
            del self.rows[player_id]
        return stay

    def leave_all(self, node: UUID) -> None:
        self.leave(node, list(self.rows))

    def restore(self, node: UUID, entries: Sequence[Entry]) -> None:
        if node in self._model.nodes:
            for entry in entries:
                self.rows.setdefault(entry.player.id, Row(entry, node))

    def read_queue(self, behind: Place, limit: int) -> list[Queued]:
        looking = [
            (_order(row.wishes), row.entry.rating, player_id)
            for player_id, row in self.rows.items()
            if row.match_id is None and self._model.lives(row.node)
        ]
        front = (_order(behind.wishes), behind.rating, behind.player_id)
        stretch = sorted(place for place in looking if place > front)
        return [
            Queued(row.seeker(self.met.get(player_id, ()), self._blocked(player_id)), row.node)
            for _, _, player_id in stretch[:limit]
            if (row := self.rows[player_id])
        ]

    def mark(self, pairs: Mapping[str, Pair], now: int) -> dict[str, dict[str, Player]]:
        tickets = {seeker.ticket for pair in pairs.values() for seeker in pair}
        free = {
            seeker.player_id
            for pair in pairs.values()
            for seeker in pair
            if (row := self.rows.get(seeker.player_id)) and row.match_id is None and row.entry.ticket in tickets
        }
        marked: dict[str, dict[str, Player]] = {}
        for match_id, pair in pairs.items():
            first, second = (seeker.player_id for seeker in pair)
            if {first, second} <= free and not self._are_apart(first, second):
                marked[match_id] = {player_id: self._mark(player_id, match_id, now) for player_id in (first, second)}
                self._marked(match_id, pair)
        return marked

    def claim(self, player_id: str, ticket: UUID, match_id: str, now: int) -> Player | None:
        row = self.rows.get(player_id)
        if row is None or row.entry.ticket != ticket or row.match_id is not None:
            return None
        return self._mark(player_id, match_id, now)

    def finish(self, matches: Sequence[str]) -> None:
        gone = {player_id: row.match_id for player_id, row in self.rows.items() if row.match_id in matches}
        for player_id, match_id in gone.items():
            del self.rows[player_id]
            match = self._model.matches.get(match_id or "")
            seat = None if match is None else match.seat_of(player_id)
            if match is not None and match.origin is Origin.SEARCH and seat is not None:
                opponent = match.seats[1 - seat].player.id
                self.met[player_id] = (opponent, *self.met.get(player_id, ()))[:2]

    def release(self, matches: Sequence[str], node: UUID, looking: Sequence[str]) -> None:
        for player_id, row in list(self.rows.items()):
            if row.match_id in matches and row.node == node:
                row.match_id = row.paired_at = None
                if player_id not in looking:
                    del self.rows[player_id]

    def find_standing(self, seekers: Mapping[str, int]) -> set[str]:
        marks = [row.match_id for row in self.rows.values()]
        return {one for one, players in seekers.items() if one in self._model.matches or marks.count(one) == players}

    def find_unfinished(self, node: UUID, before: int) -> list[Unfinished]:
        left = {
            row.match_id
            for row in self.rows.values()
            if row.node == node and row.paired_at is not None and row.paired_at < before
        }
        rows = sorted(
            (row for row in self.rows.values() if row.match_id in left),
            key=lambda row: (row.entry.since, row.entry.player.id),
        )
        return [
            Unfinished(
                row.match_id or "",
                row.match_id in self._model.matches,
                self._model.topic_name(row.wishes.topic_id),
                row.seeker(),
                self._called(row.entry.player),
            )
            for row in rows
        ]

    def look(self, node: UUID) -> dict[str, Seen]:
        seeking = [row.wishes for row in self.rows.values() if row.match_id is None and self._model.lives(row.node)]
        return {
            player_id: Seen(row.entry.ticket, row.match_id is not None, seeking.count(row.wishes))
            for player_id, row in self.rows.items()
            if row.node == node
        }

    def block(self, player_id: str, blocked_id: str) -> bool:
        """Let two players find each other no more."""
        new = (player_id, blocked_id) not in self.blocks
        self.blocks[player_id, blocked_id] = None
        return new

    def _enter(self, node: UUID, now: int, entry: Entry, live_max: int, *, known: bool) -> Entered:
        player_id = entry.player.id
        live = self._count_live(player_id, live_max)
        row = self.rows.get(player_id)
        made = None if row is None or row.match_id not in self._model.matches else UUID(row.match_id)
        nothing = Entered(known, live, None, None, None, None, made)
        if not known or (live_max and live >= live_max and row is None):
            return nothing
        rating, deviation = self._strength(player_id, entry.wishes.topic_id)
        fresh = replace(entry, rating=rating, deviation=deviation, since=now)
        if row is None:
            row = self.rows[player_id] = Row(fresh, node)
        else:
            same = (row.wishes, row.entry.accept_ghost) == (entry.wishes, entry.accept_ghost)
            row.node = node
            row.entry = row.entry if same else replace(fresh, player=row.entry.player)
        entry = row.entry
        paired = row.match_id is not None
        return Entered(known, live, entry.ticket, entry.rating, entry.deviation, entry.since, made, paired)

    def _count_live(self, player_id: str, count_to: int) -> int:
        seats = [self._model.matches[one].seat_of(player_id) for one in self._model.find_live(player_id)]
        return sum(min(seats.count(seat), count_to) for seat in (0, 1))

    def _strength(self, player_id: str, topic_id: int) -> tuple[float, float]:
        for place in ((player_id, topic_id), (player_id, OVERALL)):
            if place in self._ratings:
                rating = self._ratings[place].rating
                return rating.rating, rating.deviation
        return START_RATING, START_DEVIATION

    def _mark(self, player_id: str, match_id: str, now: int) -> Player:
        row = self.rows[player_id]
        row.match_id, row.paired_at = match_id, now
        return self._called(row.entry.player)

    def _called(self, player: Player) -> Player:
        known = self._model.player(player.id)
        return replace(player, display_name=(known or player).display_name, label=None)

    def _seeks(self, player_id: str) -> bool:
        """Tell whether a player looks, and the match is not made yet."""
        row = self.rows.get(player_id)
        return row is not None and row.match_id not in self._model.matches

    def _are_apart(self, first: str, second: str) -> bool:
        """Tell whether one of two has blocked the other."""
        return (first, second) in self.blocks or (second, first) in self.blocks

    def _blocked(self, player_id: str) -> frozenset[str]:
        return frozenset(other for one, other in self.blocks if one == player_id and other in self.rows)

    def _buried(self, node: UUID) -> None:
        """The entries of a node go with it."""
        for player_id, row in list(self.rows.items()):
            if row.node == node:
                del self.rows[player_id]
                if row.match_id is not None:
                    self.lost.add((player_id, row.match_id))


class SeekerLine:
    """Stands where `store.seekers.Seekers` stands, at the end of a node's line."""

    def __init__(self, line: Line, queue: Queue) -> None:
        self._line = line
        self._queue = queue

    def __getattr__(self, name: str) -> Any:
        """Return what carries a query of this name over the line."""
        work = getattr(self._queue, name)

        async def carry(*arguments: object) -> Any:
            return await self._line.carry(partial(work, *arguments))

        return carry


def _order(wishes: Wishes) -> tuple[int, ...]:
    """Return where wishes stand in the order of their columns: words go by the order of their type."""
    pace, scoring = list(Pace).index(wishes.pace), list(ScoringProfile).index(wishes.scoring)
    return wishes.topic_id, wishes.question_count, wishes.time_limit_s, pace, scoring
