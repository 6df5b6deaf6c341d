"""Rates: takes matches that are over, in the order of their end, and writes what each has meant for its players.

It works after the game, never in its way: what it reads is committed, and no player's command waits for it. Every node
has one, and one of them at a time works: it holds a row of the database, for some seconds from each of its looks.
That a match counts once is not owed to this, but to its row in `results`, which is written by the same statement as all
that follows from it.

A match may be committed after others that ended later: its end was decided when its command arrived. So each look goes
back a little, and now and then a long way, over what is done with already.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.fairness import LEAGUE_POINTS, Worth, weight_of
from pairquiz_server.rules.match import Outcome
from pairquiz_server.rules.rating import PERIOD_MS, Rating, Result, rate
from pairquiz_server.rules.weeks import week_of
from pairquiz_server.store.ratings import OVERALL, OverMatch, Place, RatingRows, ResultRow, Standing, WeekRow

log = structlog.get_logger("pairquiz.rater")

WORK_EVERY_S = 1.0
LEASE_S = 5.0
"""So long after the one who rates has died, another does."""
BATCH = 500
BACK_MS = 10_000
"""How far each look goes back; commands are answered within three seconds."""
FAR_BACK_MS = 3600 * 1000
FAR_BACK_EVERY_S = 60.0
"""Who was frozen with a decided batch for longer than the hour has lost its matches to the others long before."""
NEWS_MS = 60_000
"""Nobody is told what a match has meant that ended longer ago than that, as after an update of the server."""
_SCORES = {Outcome.WON: 1.0, Outcome.DRAW: 0.5, Outcome.LOST: 0.0}
_TURN = 8
"""After so many matches the loop's other work has its turn: they take a millisecond."""


class Rated(Struct, frozen=True):
    """What a match has meant for one of its players: the ratings before and after it, in the topic and over all."""

    player_id: str
    match_id: str
    topic: str
    weight: float
    before: Rating
    after: Rating
    overall_before: Rating
    overall_after: Rating
    ghost: bool


class Rater:
    """Rates the matches of one database, beside other nodes' raters; `told` hears of what is committed."""

    def __init__(
        self, rows: RatingRows, clock: Clock, node: UUID, worth: Worth, told: Callable[[Sequence[Rated]], None]
    ) -> None:
        self._rows = rows
        self._clock = clock
        self._node = node
        self._worth = worth
        self._told = told
        self._far_at = float("-inf")
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its batch."""
        self._pace.stop()

    async def run(self) -> None:
        """Rate until `stop`."""
        await self._pace.repeat(WORK_EVERY_S, self.work, "rating")

    async def work(self) -> int:
        """Rate all there is, and return how many matches it was. Raises `StorageUnavailable`."""
        total = 0
        while not self._pace.stopped:
            count = await self._batch()
            total += count
            if count < BATCH:
                break
        return total

    async def _batch(self) -> int:
        until = await self._rows.hold(self._node, LEASE_S)
        if until is None:
            return 0
        now = asyncio.get_running_loop().time()
        far = now - self._far_at >= FAR_BACK_EVERY_S
        matches = await self._rows.find(until - (FAR_BACK_MS if far else BACK_MS), BATCH)
        if far and (len(matches) < BATCH or matches[-1].ended_at > until - BACK_MS):
            self._far_at = now  # what is left is within reach of the others
        if not matches:
            return 0
        book = Book(await self._rows.read(_places(matches)), self._worth)
        for count, match in enumerate(matches, start=1):
            book.enter(match)
            if count % _TURN == 0:
                await asyncio.sleep(0)
        written = await self._rows.write(
            self._node,
            LEASE_S,
            until=matches[-1].ended_at,
            results=book.results,
            ratings=book.changed,
            points=book.points(),
        )
        if not written:
            return 0
        log.debug("matches_rated", matches=len(matches), fair=len(book.rated) // 2)
        fresh = self._clock.now() - NEWS_MS
        recent = {match.id for match in matches if match.ended_at >= fresh}
        self._told([rated for rated in book.rated if rated.match_id in recent])
        return len(matches)


class Book:
    """What a batch of matches makes of the ratings that there were before it. One match after the other is entered."""

    def __init__(self, ratings: dict[Place, Standing], worth: Worth) -> None:
        self._ratings = ratings
        self._worth = worth
        self._known: set[tuple[str, tuple[int, ...]]] = set()
        self._runs: dict[tuple[str, int | None], tuple[Rating, Rating]] = {}
        self._week: dict[tuple[int, int, str], tuple[int, int]] = {}
        self.changed: dict[Place, Standing] = {}
        self.results: list[ResultRow] = []
        self.rated: list[Rated] = []

    def enter(self, match: OverMatch) -> None:
        """Enter a match: its results, and where it was fair, the ratings after it."""
        weight = weight_of(match.circumstances, self._worth)
        if match.ghost_match_id is not None:
            self._enter_ghost(match, match.ghost_match_id, weight)
            return
        self._known |= {(player_id, match.questions) for player_id in match.players}
        sides = [self._sides(match, seat) for seat in (0, 1)]
        for seat in (0, 1):
            self._enter_seat(match, seat, weight, sides[seat], sides[1 - seat])

    def points(self) -> list[WeekRow]:
        """Return what is added to the points of weeks."""
        return [
            WeekRow(week, topic_id, player_id, points, matches)
            for (week, topic_id, player_id), (points, matches) in self._week.items()
        ]

    def _enter_ghost(self, match: OverMatch, ghost_match_id: str, weight: float) -> None:
        """Enter a match against a recorded run: for who was there alone, and once for the same questions."""
        known = (match.players[0], match.questions)
        weight = 0.0 if known in self._known else weight
        self._known.add(known)
        ghost = match.ghost or self._runs.get((ghost_match_id, match.ghost_seat)) or self._sides(match, 1)
        self._enter_seat(match, 0, weight, self._sides(match, 0), ghost)

    def _enter_seat(
        self, match: OverMatch, seat: int, weight: float, own: tuple[Rating, Rating], others: tuple[Rating, Rating]
    ) -> None:
        player_id, outcome = match.players[seat], match.outcome(seat)
        row = ResultRow(
            match_id=match.id,
            player=seat + 1,
            player_id=player_id,
            opponent_id=None if match.ghost_match_id else match.players[1 - seat],
            ghost_match_id=match.ghost_match_id,
            topic_id=match.topic_id,
            outcome=outcome,
            ended_at=match.ended_at,
            weight=weight,
        )
        if weight == 0:
            self.results.append(row)
            return
        score = _SCORES[outcome]
        before, overall_before = own
        after = self._rate((player_id, match.topic_id), match.ended_at, Result(others[0], score, weight))
        overall_after = self._rate((player_id, OVERALL), match.ended_at, Result(others[1], score, weight))
        self.results.append(
            replace(
                row,
                rating_before=before.rating,
                rating_after=after.rating,
                deviation=after.deviation,
                overall_before=overall_before.rating,
                overall_after=overall_after.rating,
                overall_deviation=overall_after.deviation,
            )
        )
        self._runs[match.id, seat] = after, overall_after
        ghost = match.ghost_match_id is not None
        self.rated.append(
            Rated(player_id, match.id, match.topic, weight, before, after, overall_before, overall_after, ghost)
        )
        if not ghost:
            self._score(match, player_id, LEAGUE_POINTS[outcome])

    def _sides(self, match: OverMatch, seat: int) -> tuple[Rating, Rating]:
        """Return how strong a player is when the match ends, in its topic and over all."""
        player_id = match.players[seat]
        return self._now((player_id, match.topic_id), match.ended_at), self._now((player_id, OVERALL), match.ended_at)

    def _now(self, place: Place, at: int) -> Rating:
        kept = self._ratings.get(place)
        return Rating() if kept is None else kept.at(at)

    def _rate(self, place: Place, at: int, result: Result) -> Rating:
        kept = self._ratings.get(place) or Standing(Rating(), 0, at)
        rating = rate(kept.rating, [result], max(at - kept.rated_at, 0) / PERIOD_MS)
        self._ratings[place] = self.changed[place] = Standing(rating, kept.matches + 1, max(kept.rated_at, at))
        return rating

    def _score(self, match: OverMatch, player_id: str, points: int) -> None:
        for topic_id in (match.topic_id, OVERALL):
            key = (week_of(match.ended_at), topic_id, player_id)
            before, matches = self._week.get(key, (0, 0))
            self._week[key] = (before + points, matches + 1)


def _places(matches: Iterable[OverMatch]) -> set[Place]:
    return {
        (player_id, topic_id)
        for match in matches
        for player_id in match.players
        for topic_id in (match.topic_id, OVERALL)
    }
