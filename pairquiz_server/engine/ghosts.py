"""Ghosts for those who found nobody: a real recorded run of somebody of like skill, which plays the second seat."""

from collections.abc import Callable
from uuid import uuid4

from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import GameRules
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.ghosts import recorded
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import GHOST_ID, Player, PlayerKind
from pairquiz_server.rules.terms import Ghost, Origin
from pairquiz_server.store.ghosts import Runs, Wanted
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable

CANDIDATES = 3
"""A run may go between being found and being read: then the next one is taken."""


class Ghosts:
    """Brings players together with recorded runs. Nobody is invented: where there is no run, there is no match."""

    def __init__(
        self, runs: Runs, matches: Matches, committer: Committer, now: Callable[[], int], rules: GameRules
    ) -> None:
        self._runs = runs
        self._matches = matches
        self._committer = committer
        self._now = now
        self._rules = rules

    async def meet(self, wanted: Wanted) -> Match | None:
        """Make a seeker's match against the run that fits best, and return it; None where there is none.

        Raises `Refused` (`storage_unavailable`, `draining`).
        """
        if not self._rules.record_runs:
            return None
        try:
            ghosts = await self._runs.find(wanted, CANDIDATES)
            matches = await self._matches.load([ghost.match_id for ghost in ghosts]) if ghosts else {}
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        for ghost in ghosts:
            match = matches.get(ghost.match_id)
            if match is not None and recorded(match, ghost.seat) is not None:
                command = duel(match, ghost, wanted.player, Origin.GHOST, self._rules)
                outcome = await self._committer.ask(command, self._now())
                return outcome.match if isinstance(outcome, Decision) else None
        return None


def duel(match: Match, ghost: Ghost, player: Player, origin: Origin, rules: GameRules) -> PairPlayers:
    """Return the command that opens a player's match against what was recorded in `match`, by the same terms."""
    name = match.seats[ghost.seat].player.display_name
    return PairPlayers(
        match_id=str(uuid4()),
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
