"""What players come back to: how strong they are, what they have played, and how they stand against each other.

Written by the rater a moment after a match; here it is only read.
"""

from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.reads import asked
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.player import PLAYER_ID_MAX, PlayerKind
from pairquiz_server.rules.rating import Rating
from pairquiz_server.store.ratings import OVERALL
from pairquiz_server.store.results import PastMatch, Results, Tally

PAGE_MAX = 100
PAGE_USUAL = 20
LATEST = (1 << 62, "ffffffff-ffff-ffff-ffff-ffffffffffff")
"""The place before the first page."""


class Form(Struct, frozen=True):
    """How strong a player is now, from so many rated matches, and how often they have won, lost and drawn in all."""

    rating: Rating = Rating()
    rated: int = 0
    tally: Tally = Tally()


class Record(Struct, frozen=True):
    """A player's form over all, and in each topic that the player has played, by its name."""

    overall: Form
    topics: tuple[tuple[str, Form], ...]


class Person(Struct, frozen=True):
    """What everybody may know of a player."""

    display_name: str
    record: Record


class Page(Struct, frozen=True):
    """Some of a player's past matches, and the place of the last one where more follow: when it ended, and its id."""

    matches: list[PastMatch]
    after: tuple[int, str] | None


class Duel(Struct, frozen=True):
    """How a player stands against the other of a match."""

    session_id: str
    opponent: Person
    tally: Tally


class Memory:
    """What one process remembers for its players. Every method raises `Refused` (`storage_unavailable`, …)."""

    def __init__(self, results: Results, game: Game, clock: Clock) -> None:
        self._results = results
        self._game = game
        self._clock = clock

    async def record(self, player_id: str) -> Record:
        """Return how a player has done; who has played nothing has the rating of everybody who begins."""
        now = self._clock.now()
        standings = {one.topic_id: one for one in await asked(self._results.ratings(player_id))}
        tallies = {one.topic_id: one for one in await asked(self._results.tally(player_id))}
        names = {number: one.topic for number, one in (standings | tallies).items()}
        forms = {
            number: Form(
                rating=found.standing.at(now) if (found := standings.get(number)) else Rating(),
                rated=found.standing.matches if found else 0,
                tally=tallies[number].tally if number in tallies else Tally(),
            )
            for number in {OVERALL, *names}
        }
        whole = Tally(
            sum(one.tally.won for one in tallies.values()),
            sum(one.tally.lost for one in tallies.values()),
            sum(one.tally.draw for one in tallies.values()),
        )
        topics = sorted((name, forms[number]) for number, name in names.items() if name is not None)
        return Record(Form(forms[OVERALL].rating, forms[OVERALL].rated, whole), tuple(topics))

    async def person(self, player_id: str) -> Person:
        """Return what everybody may know of a player. Raises `Refused` (`not_found`)."""
        known = 1 <= len(player_id) <= PLAYER_ID_MAX and "\0" not in player_id
        name = await asked(self._results.person(player_id)) if known else None
        if name is None:
            raise Refused(Code.NOT_FOUND, "There is no such player")
        return Person(name, await self.record(player_id))

    async def history(self, player_id: str, after: tuple[int, str] | None, limit: int | None) -> Page:
        """Return a page of a player's past matches, the latest first."""
        limit = limit or PAGE_USUAL
        found = await asked(self._results.page(player_id, *(after or LATEST), limit + 1))
        matches = found[:limit]
        return Page(matches, (matches[-1].ended_at, matches[-1].id) if len(found) > limit else None)

    async def against(self, player_id: str, session_id: str) -> Duel:
        """Return how a player stands against the opponent of a match.

        Raises `Refused` (`not_found`, `not_a_player`, `wrong_state`).
        """
        match = await self._game.view(player_id, session_id)
        seat = match.seat_of(player_id)
        assert seat is not None  # a stranger's match is refused
        if len(match.seats) < 2:
            raise Refused(Code.WRONG_STATE, "Nobody has joined this session yet")
        if match.ghost is not None:
            raise Refused(
                Code.WRONG_STATE, "A recorded run was your opponent in this session, and nobody who was there"
            )
        other = match.seats[1 - seat].player
        if other.kind is PlayerKind.ERASED:
            raise Refused(Code.NOT_FOUND, "Your opponent of this session is somebody who was erased")
        person = await self.person(other.id)
        return Duel(match.id, person, await asked(self._results.against(player_id, other.id)))
