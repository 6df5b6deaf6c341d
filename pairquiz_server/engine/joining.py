"""How a player takes the free seat of a match: it is found, and the player is not in too many."""

from collections.abc import Callable

from pairquiz_server.engine.caller import Caller, Work, asking
from pairquiz_server.engine.codes import normal_code
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.reads import Reads
from pairquiz_server.engine.submission import Submission
from pairquiz_server.rules.commands import JoinMatch
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.matches import Matches

LiveHere = Callable[[str], int | None]
"""Says of how many live matches a player has heard who is connected here, None of one who is not."""


class Joining:
    """Seats the players of one process. Who is far from the limit of live matches, the database is not asked about."""

    def __init__(
        self,
        matches: Matches,
        reads: Reads,
        submit: Callable[[Submission], None],
        rules: GameRules,
        live_here: LiveHere,
    ) -> None:
        self._matches = matches
        self._reads = reads
        self._submit = submit
        self._rules = rules
        self._live_here = live_here

    def join(self, caller: Caller, *, match_id: str | None, join_code: str | None) -> Work:
        """Take the free seat of a match, found by its id or by its code in any spelling."""
        if match_id is None:
            return asking(caller, self._join_by_code(caller, join_code))
        if self._may_be_full(caller.player.id):
            return asking(caller, self._join_unless_full(caller, match_id))
        self._join(caller, match_id)
        return None

    def _may_be_full(self, player_id: str) -> bool:
        """Tell whether the database has to say if a player is in so many live matches that it joins no more."""
        most = self._rules.live_matches_max
        if not most:
            return False
        live = self._live_here(player_id)
        return live is None or live >= most

    async def _join_unless_full(self, caller: Caller, match_id: str) -> None:
        most = self._rules.live_matches_max
        _, live = await self._matches.find_before_creation(caller.player.id, None, most)
        if live >= most and (await self._reads.load(match_id)).seat_of(caller.player.id) is None:  # else a duplicate
            raise Refused(Code.TOO_MANY_SESSIONS)
        self._join(caller, match_id)

    async def _join_by_code(self, caller: Caller, join_code: str | None) -> None:
        found, code = None, normal_code(join_code or "")
        if code:  # where two were brought together there is none
            found = await self._matches.find_by_code(code, caller.player.id)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        if self._may_be_full(caller.player.id):
            await self._join_unless_full(caller, found)
        else:
            self._join(caller, found)

    def _join(self, caller: Caller, match_id: str) -> None:
        caller.command = JoinMatch(match_id=match_id, player=caller.player, ready_ttl_ms=self._rules.ready_ttl_ms)
        self._submit(caller)
