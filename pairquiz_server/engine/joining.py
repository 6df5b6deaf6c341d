"""How a player takes the free seat of a match: it is found, and the player is not in too many."""

from collections.abc import Callable

from pairquiz_server.engine.caller import Caller, Work, asking, collided
from pairquiz_server.engine.codes import normal_code
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.reads import Reads
from pairquiz_server.engine.submission import Outcome, Submission
from pairquiz_server.engine.turns import Turns
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
        turns: Turns,
    ) -> None:
        self._matches = matches
        self._reads = reads
        self._submit = submit
        self._rules = rules
        self._live_here = live_here
        self._turns = turns

    def join(self, caller: Caller, *, match_id: str | None, join_code: str | None) -> Work:
        """Take the free seat of a match, found by its id or by its code in any spelling."""
        if match_id is None:
            return asking(caller, self._join_by_code(caller, join_code))
        if self._join_at_once(caller, match_id):
            return None
        return asking(caller, self._join_unless_full(caller, match_id))

    def _join_at_once(self, caller: Caller, match_id: str) -> bool:
        """Join where it is certain that the player is not in too many live matches; tell whether it is.

        It is, where nothing else can bring the player one before this is settled, but for a search, which brings one.
        """
        player_id, command = caller.player.id, self._join_of(caller, match_id)
        most = self._rules.live_matches_max
        if not most:
            caller.command = command
            self._submit(caller)
            return True
        live = self._live_here(player_id)
        if live is None or live + 1 >= most or not self._turns.take_at_once(player_id):
            return False

        def settle(outcome: Outcome) -> None:
            self._turns.give_back(player_id)
            caller.hear(outcome)

        self._submit(caller.told(command, settle))
        return True

    async def _join_unless_full(self, caller: Caller, match_id: str) -> None:
        most, player_id = self._rules.live_matches_max, caller.player.id
        async with self._turns.of(player_id):
            _, live = await self._matches.find_before_creation(player_id, None, most)
            if live >= most and (await self._reads.load(match_id)).seat_of(player_id) is None:  # else a duplicate
                raise Refused(Code.TOO_MANY_SESSIONS)
            await collided(caller, self._join_of(caller, match_id), self._submit)

    async def _join_by_code(self, caller: Caller, join_code: str | None) -> None:
        found, code = None, normal_code(join_code or "")
        if code:  # where two were brought together there is none
            found = await self._matches.find_by_code(code, caller.player.id)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        if not self._join_at_once(caller, found):
            await self._join_unless_full(caller, found)

    def _join_of(self, caller: Caller, match_id: str) -> JoinMatch:
        return JoinMatch(match_id=match_id, player=caller.player, ready_ttl_ms=self._rules.ready_ttl_ms)
