"""Challenge links ("beat my 480"): a player's own run, for whoever has its code, whenever they come."""

import secrets
from random import Random
from uuid import uuid4

from msgspec import Struct

from pairquiz_server.engine.caller import Caller, Work
from pairquiz_server.engine.codes import CHALLENGE_CODE_LENGTH, new_code, normal_code
from pairquiz_server.engine.game import Game
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.ghosts import duel
from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.runs import is_unrecorded, recorded
from pairquiz_server.rules.terms import Ghost, Origin
from pairquiz_server.store.ghosts import Runs
from pairquiz_server.store.pool import StorageUnavailable


class Challenge(Struct, frozen=True):
    """A code that leads to a run, what the run has scored, and until when it may be accepted (None for ever)."""

    code: str
    match_id: str
    topic: str
    score: int
    expires_at: int | None
    is_new: bool


class Challenges:
    """The challenges of one process's players."""

    def __init__(self, game: Game, runs: Runs, rules: GameRules, *, random: Random | None = None) -> None:
        self._game = game
        self._runs = runs
        self._rules = rules
        self._random = random or secrets.SystemRandom()

    async def create(self, player: Player, match_id: str) -> Challenge:
        """Return the challenge of a player's own run in a match, the same one while it holds. Raises `Refused`."""
        if not self._rules.record_runs:
            raise Refused(Code.FORBIDDEN, "This server records no runs")
        match = await self._game.view(player.id, match_id)
        seat = match.seat_of(player.id)
        assert seat is not None  # else it could not be viewed
        if match.status in LIVE:
            raise Refused(Code.WRONG_STATE, "The session is not over: play it to its end first")
        if is_unrecorded(match, seat):
            raise Refused(Code.FORBIDDEN, "Nobody was recorded when you played this session, and that stays so")
        if recorded(match, seat) is None:
            raise Refused(Code.WRONG_STATE, "Nothing can be beaten here: nobody has played this session to its end")
        now, ttl_ms = self._game.now(), self._rules.challenge_ttl_ms
        code = new_code(self._random, CHALLENGE_CODE_LENGTH)
        try:
            stored = await self._runs.challenge(
                code,
                Ghost(match.id, seat),
                player.id,
                now=now,
                expires_at=now + ttl_ms if ttl_ms else None,
            )
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        if stored is None:
            raise Refused(Code.FORBIDDEN, "You have refused to be recorded: set_profile {record_runs: true} first")
        score = match.seats[seat].score
        return Challenge(stored.code, match.id, match.topic, score, stored.expires_at, is_new=stored.code == code)

    def accept(self, caller: Caller, *, code: str) -> Work:
        """Play against the run that a code leads to: once, and a repeat finds the same match."""

        async def gather() -> PairPlayers | Decision:
            found = await self._runs.find_challenge(normal_code(code), caller.player.id, self._game.now())
            if found is None or not self._rules.record_runs:
                raise _no_challenge()
            if found.player_id == caller.player.id:
                raise Refused(Code.OWN_MATCH, "This is your own run: send its link to somebody else")
            if found.accepted is not None:
                return Decision(await self._game.load(found.accepted), duplicate=True)
            await self._game.make_sure_of_room(caller.player.id)
            match = await self._game.load(found.ghost.match_id)
            if recorded(match, found.ghost.seat) is None:
                raise _no_challenge()
            return duel(match, found.ghost, caller.player, Origin.CHALLENGE, self._rules, str(uuid4()))

        return self._game.open(caller, gather)


def _no_challenge() -> Refused:
    return Refused(Code.NOT_FOUND, "Challenge not found")
