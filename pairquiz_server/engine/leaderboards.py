"""Lists of the best: of all time by rating, and of the week by the points of the league.

Who is at the top is read at most every two seconds, however many ask; where the one who asks stands is read each time.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.reads import asked
from pairquiz_server.engine.recent import Recent
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.question import topic_fault, topic_key
from pairquiz_server.rules.weeks import begins_at, week_of
from pairquiz_server.store.ratings import OVERALL
from pairquiz_server.store.standings import BY_RATING, Board, FoundTopic, Placed, Standings

ALL = "all"
"""What stands for all topics together, in the place of a topic's name."""
TOP_USUAL = 20
KEPT_S = 2.0
BOARDS_KEPT = 200
"""So many lists are remembered: those that were asked for last. A topic's name is as many bytes as a few entries."""


class Entry(Struct, frozen=True):
    """Somebody's place. Who are equal have the same rank, and the next one's counts all of them."""

    rank: int
    display_name: str
    score: int
    matches: int
    you: bool = False


class Yours(Struct, frozen=True):
    """Where the one who asks stands, among those who are `around`; while not `listed`, at the rank of such a rating."""

    rank: int
    score: int
    matches: int
    listed: bool
    around: list[Entry]


class Leaderboard(Struct, frozen=True):
    """A list: its topic (None for all together), when its week begins and ends (None for all time), how many have a
    place in it, the best, and where the one who asks stands (None for who has played nothing that counts)."""

    topic: str | None
    begins_at: int | None
    ends_at: int | None
    players: int
    entries: list[Entry]
    you: Yours | None


class _Top(Struct, frozen=True):
    players: int
    best: list[Placed]


class Leaderboards:
    """The lists of one process. Every method raises `Refused` (`storage_unavailable`, …)."""

    def __init__(self, standings: Standings, clock: Clock) -> None:
        self._standings = standings
        self._clock = clock
        self._topics: dict[str, FoundTopic] = {}
        self._tops: dict[Board, Recent[_Top]] = {}

    async def show(self, topic: str, *, weekly: bool, limit: int | None, player_id: str | None) -> Leaderboard:
        """Return the best of a topic (or `all`), this week or of all time. Raises `Refused` (`not_found`)."""
        found = await self._topic(topic)
        week = week_of(self._clock.now()) if weekly else BY_RATING
        board = Board(OVERALL if found is None else found.id, week)
        top = await asked(self._top(board).get())
        best = top.best[: limit or TOP_USUAL]
        you = await self._yours(board, player_id) if player_id is not None else None
        return Leaderboard(
            topic=None if found is None else found.name,
            begins_at=begins_at(week) if weekly else None,
            ends_at=begins_at(week + 1) if weekly else None,
            players=top.players,
            entries=[_entry(placed, rank, player_id) for placed, rank in zip(best, _ranks(best), strict=True)],
            you=you,
        )

    async def _topic(self, name: str) -> FoundTopic | None:
        """Return a topic by its name in any case, None for `all`."""
        key = topic_key(name) if topic_fault(name) is None else ""
        if key == ALL:
            return None
        found = self._topics.get(key)
        if found is None and key:
            found = await asked(self._standings.topic(key))
        if found is None:
            raise Refused(Code.NOT_FOUND, f"There is no such topic: name one of GET /api/topics/, or {ALL!r}")
        self._topics.pop(key, None)
        self._topics[key] = found
        _trim(self._topics)
        return found

    def _top(self, board: Board) -> Recent[_Top]:
        async def read() -> _Top:
            return _Top(await self._standings.size(board), await self._standings.top(board))

        recent = self._tops.pop(board, None) or Recent(read, KEPT_S)
        self._tops[board] = recent
        _trim(self._tops)
        return recent

    async def _yours(self, board: Board, player_id: str) -> Yours | None:
        if board.week == BY_RATING:
            kept = await asked(self._standings.own_rating(player_id, board.topic_id))
            if kept is None:
                return None
            score, matches, listed = kept.rating.shown, kept.matches, not kept.rating.provisional
        else:
            points = await asked(self._standings.own_points(player_id, board))
            if points is None:
                return None
            score, matches, listed = points.points, points.matches, True
        near = await asked(self._standings.around(player_id, board, score))
        ranks = await asked(self._standings.ranks(board, [score, *(placed.score for placed in near)]))
        around = [_entry(placed, ranks[placed.score], player_id) for placed in near]
        return Yours(ranks[score], score, matches, listed, around)


def _entry(placed: Placed, rank: int, player_id: str | None = None) -> Entry:
    return Entry(rank, placed.display_name, placed.score, placed.matches, placed.player_id == player_id)


def _ranks(best: Iterable[Placed]) -> list[int]:
    """Rank the best, who stand in their order: the first of equals gives all of them its place."""
    ranks: list[int] = []
    before = None
    for place, placed in enumerate(best, start=1):
        ranks.append(ranks[-1] if placed.score == before else place)
        before = placed.score
    return ranks


def _trim(kept: dict[Any, Any]) -> None:
    while len(kept) > BOARDS_KEPT:
        del kept[next(iter(kept))]
