"""Ghosts for those who found nobody: a real recorded run of somebody of like skill, which plays the second seat."""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.search import Search
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import GHOST_ID, Player, PlayerKind
from pairquiz_server.rules.runs import recorded
from pairquiz_server.rules.terms import Ghost, Origin
from pairquiz_server.store.ghosts import Runs, Wanted
from pairquiz_server.store.matches import Matches

CANDIDATES = 3
"""A run may go between being found and being read: then the next one is taken."""

PairAlone = Callable[[Search, Callable[[str, Player], PairPlayers]], Awaitable[bool]]
"""Takes a seeker out of the queue for the match (of this id) that is made; tells whether it was."""


class Offer(Struct, frozen=True):
    """A run that somebody may be brought together with: what was recorded, of which seat, of how strong a player."""

    match: Match
    ghost: Ghost
    rating: float


class Ghosts:
    """Finds recorded runs for those who look for an opponent. Nobody is invented."""

    def __init__(self, runs: Runs, matches: Matches, rules: GameRules, pair_alone: PairAlone) -> None:
        self._runs = runs
        self._matches = matches
        self._rules = rules
        self._pair_alone = pair_alone

    async def meet(self, search: Search) -> None:
        """Let who has looked for long enough play against the run that fits best. Raises `StorageUnavailable`."""
        entry, wishes = search.entry, search.entry.wishes
        offer = await self.find(
            Wanted(
                player=entry.player,
                topic_id=wishes.topic_id,
                question_count=wishes.question_count,
                time_limit_s=wishes.time_limit_s,
                pace=wishes.pace,
                scoring=wishes.scoring,
                rating=entry.rating,
            )
        )
        if offer is None:
            return
        found, ratings = offer, (round(entry.rating), round(offer.rating))

        def make(match_id: str, player: Player) -> PairPlayers:
            command = duel(found.match, found.ghost, player, Origin.GHOST, self._rules, match_id)
            return replace(command, ratings=ratings)

        await self._pair_alone(search, make)

    async def find(self, wanted: Wanted) -> Offer | None:
        """Return the run that fits best, None where there is none. Raises `StorageUnavailable`."""
        if not self._rules.record_runs:
            return None
        found = await self._runs.find(wanted, CANDIDATES)
        matches = await self._matches.load([run.ghost.match_id for run in found]) if found else {}
        for run in found:
            match = matches.get(run.ghost.match_id)
            if match is not None and recorded(match, run.ghost.seat) is not None:
                return Offer(match, run.ghost, run.rating)
        return None


def duel(match: Match, ghost: Ghost, player: Player, origin: Origin, rules: GameRules, match_id: str) -> PairPlayers:
    """Return the command that opens a player's match against what was recorded in `match`, by the same terms."""
    name = match.seats[ghost.seat].player.display_name
    return PairPlayers(
        match_id=match_id,
        players=(player, Player(GHOST_ID, PlayerKind.GHOST, name)),
        origin=origin,
        topic=Topic(match.topic_id, match.topic, match.question_count),
        question_count=match.question_count,
        time_limit_s=match.time_limit_s,
        scoring=match.scoring,
        pace=match.pace,
        start_delay_ms=rules.start_delay_ms,
        ready_ttl_ms=rules.ready_ttl_ms,
        ghost=ghost,
    )
