"""Which questions players have seen lately: read once, and kept in memory for as long as this node knows it all.

A node is told of every answer that it commits itself, and of no other one. So while another node serves the same
database, each draw reads anew (docs/decisions/0018).
"""

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import chain
from operator import attrgetter, itemgetter

from msgspec import Struct

from pairquiz_server.engine.together import Together
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.drawing import SEEN_ANSWERS
from pairquiz_server.rules.events import Answer, MatchStarted, PlayerJoined, PlayersPaired
from pairquiz_server.rules.match import LIVE, Match, Seat
from pairquiz_server.store.seen import LastAnswers

KEPT_PLAYERS = 20_000
"""So many players' last answers are kept; each takes 3 KB at most."""
_question_id, _arrived_at, _last = attrgetter("question_id"), attrgetter("arrived_at"), itemgetter(1)
_OPPONENT_CAME = (PlayerJoined, PlayersPaired)
NEVER = None
"""The solitude of a node that does not know whether it is alone."""

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, LastAnswers]]]
Cached = Callable[[str], Match | None]
Solitude = Callable[[], int | None]
"""Names the time for which no other node has served, None while one does."""


class _Kept(Struct, eq=False):
    """A player's last answers: which questions, and when, the latest at the end. All that this node does not know of
    was before `solitude` began.

    `running` are matches that have started since these were read: what was answered in them is not in here yet.
    `reading` is there while they are just being read.
    """

    solitude: int
    questions: "array[int]"
    times: "array[int]"
    running: set[str]
    reading: asyncio.Future[LastAnswers] | None = None

    def add(self, answers: Sequence[Answer]) -> None:
        """Take the answers of a match that is over, which stand in the order in which they were given."""
        questions, times = self.questions, self.times
        overlaps = bool(times and answers) and answers[0].arrived_at < times[-1]
        questions.extend(map(_question_id, answers))
        times.extend(map(_arrived_at, answers))
        if overlaps:  # two matches at a time
            ordered = sorted(zip(times, questions, strict=True))
            self.questions = questions = array("q", [question_id for _, question_id in ordered])
            self.times = times = array("q", [at for at, _ in ordered])
        if len(questions) > SEEN_ANSWERS:
            del questions[:-SEEN_ANSWERS]
            del times[:-SEEN_ANSWERS]


class Seen:
    """What the players of one process have seen. Raises `StorageUnavailable` where that must be read and cannot be."""

    def __init__(self, read: Read, cached: Cached, solitude: Solitude = lambda: NEVER) -> None:
        self._cached = cached
        self._solitude = solitude
        self._reading = Together(read)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def at_hand(self, players: Collection[str]) -> dict[int, int] | None:
        """Return which questions any of the players has seen, and when last; None where that has to be read."""
        solitude = self._solitude()
        seen: dict[int, int] = {}
        for player_id in players:
            kept = self._kept.get(player_id)
            if kept is None or kept.reading or kept.solitude != solitude:
                return None
            seen = _latest(seen, dict(zip(kept.questions, kept.times, strict=True)))
            for match_id in kept.running:
                match = self._cached(match_id)
                seat = None if match is None else match.seat_of(player_id)
                if match is None or seat is None:
                    return None
                seen = _latest(seen, {answer.question_id: answer.arrived_at for answer in match.seats[seat].answers})
            self._kept.move_to_end(player_id)
        return seen

    async def of(self, players: Collection[str]) -> dict[int, int]:
        """Return what `at_hand` does, read by one query for all who have to be read."""
        under_way = [kept.reading for player_id in players if (kept := self._kept.get(player_id)) and kept.reading]
        if under_way:
            await asyncio.gather(*map(asyncio.shield, under_way), return_exceptions=True)
            if (known := self.at_hand(players)) is not None:
                return known
        seen: dict[int, int] = {}
        for last in await asyncio.gather(*[self._read(player_id) for player_id in players]):
            seen = _latest(seen, dict(last.answers))
        return seen

    def watch(self, decision: Decision) -> None:
        """Follow what was committed: who has an opponent will need to be known, and who has played has seen more."""
        match = decision.match
        if match.status not in LIVE:
            if match.started_at is not None:
                self._end(match)
            return
        for event in decision.events:
            if isinstance(event, MatchStarted):
                for seat in match.seats:
                    if (kept := self._kept.get(seat.player.id)) is not None:
                        kept.running.add(match.id)
            elif isinstance(event, _OPPONENT_CAME) and match.ghost is None:  # else nothing is drawn
                self._prepare(match.seats)

    def _end(self, match: Match) -> None:
        for seat in match.seats:
            kept = self._kept.get(seat.player.id)
            if kept is None:
                continue
            if not kept.reading and match.id in kept.running:
                kept.running.discard(match.id)
                kept.add(seat.answers)
            else:  # nobody knows which of its answers were there when these were read
                del self._kept[seat.player.id]

    def _prepare(self, seats: Sequence[Seat]) -> None:
        """Read what will be needed when their match starts, and wait for nothing."""
        solitude = self._solitude()
        if solitude is None:
            return  # it would have to be read again
        for seat in seats:
            player_id = seat.player.id
            kept = self._kept.get(player_id)
            if kept is None or kept.solitude != solitude:
                self._read(player_id).add_done_callback(_failed)  # whoever needs it tries again, and is told
            else:
                self._kept.move_to_end(player_id)

    def _read(self, player_id: str) -> asyncio.Future[LastAnswers]:
        """Begin to read a player's last answers, and to note what happens meanwhile."""
        reading = asyncio.ensure_future(self._ask(player_id))
        solitude = self._solitude()
        if solitude is None:
            self._kept.pop(player_id, None)
            return reading
        kept = self._kept[player_id] = _Kept(solitude, array("q"), array("q"), set(), reading)
        self._kept.move_to_end(player_id)
        while len(self._kept) > KEPT_PLAYERS:
            self._kept.popitem(last=False)
        reading.add_done_callback(lambda done: self._take(player_id, kept, done))
        return reading

    async def _ask(self, player_id: str) -> LastAnswers:
        return await self._reading.ask(player_id) or LastAnswers()

    def _take(self, player_id: str, kept: _Kept, reading: asyncio.Future[LastAnswers]) -> None:
        """Keep what was read, where nothing can be missing in it."""
        if self._kept.get(player_id) is not kept:
            return
        if _failed(reading) or reading.result().playing:
            del self._kept[player_id]
            return
        for question_id, at in reading.result().answers:
            kept.questions.append(question_id)
            kept.times.append(at)
        kept.reading = None


def _latest(seen: dict[int, int], more: dict[int, int]) -> dict[int, int]:
    """Return when each question was seen last, by either."""
    return dict(sorted(chain(seen.items(), more.items()), key=_last)) if seen else more


def _failed(reading: asyncio.Future[LastAnswers]) -> bool:
    return reading.cancelled() or reading.exception() is not None
