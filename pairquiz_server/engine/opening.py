"""How a player opens a match: what its creation must know is gathered, and it is tried again where it collides."""

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from uuid import uuid4

from msgspec.structs import replace

from pairquiz_server.engine.caller import Caller, Why, Work, asking, collided
from pairquiz_server.engine.codes import JOIN_CODE_LENGTH, new_code
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.reads import Reads
from pairquiz_server.engine.submission import Collision, Outcome, Submission
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.commands import CreateMatch, Creation, Topic
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.scoring import Scoring, ScoringProfile
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.matches import Matches

Gather = Callable[[], Awaitable[Creation | Decision]]
"""Makes a creation, or finds the match that an earlier one has made. Raises `Refused` and `StorageUnavailable`."""


class Opening:
    """Opens matches for the players of one process, unless it is `closed`."""

    def __init__(
        self,
        matches: Matches,
        reads: Reads,
        draws: Draws,
        submit: Callable[[Submission], None],
        rules: GameRules,
        random: Random,
        turns: Turns,
    ) -> None:
        self._matches = matches
        self._reads = reads
        self._draws = draws
        self._submit = submit
        self._rules = rules
        self._random = random
        self._turns = turns
        self._paused: Why | None = None
        self._ended = False
        self.closed = False

    def close(self) -> None:
        """Refuse new matches from now on (`draining`); those that there are go on."""
        self._ended = self.closed = True

    def pause(self, why: Why | None) -> None:
        """Refuse new matches until further notice, and say why; None lets them begin again."""
        self._paused = why
        self.closed = self._ended or why is not None

    def check(self) -> None:
        """Let pass whoever begins something new. Raises `Refused` where it is closed."""
        if self._ended:
            raise Refused(Code.DRAINING)
        if self._paused is not None:
            raise self._paused()

    def create(
        self,
        caller: Caller,
        *,
        topic: str,
        question_count: int | None = None,
        time_limit_s: int | None = None,
        pace: Pace | None = None,
        scoring: ScoringProfile | None = None,
        request_id: str | None = None,
    ) -> Work:
        """Open a match. The same `request_id` again (24 h) finds the match that it made.

        Where a player's creations have to be counted they take turns, so that those at the same instant count each
        other.
        """
        count = question_count or self._rules.question_count

        def of(found: Topic) -> CreateMatch:
            return CreateMatch(
                match_id=str(uuid4()),
                player=caller.player,
                topic=found,
                join_code=new_code(self._random, JOIN_CODE_LENGTH),
                question_count=count,
                time_limit_s=time_limit_s or self._rules.time_limit_s,
                scoring=self._scoring(scoring),
                waiting_ttl_ms=self._rules.waiting_ttl_ms,
                request_id=request_id,
                pace=pace or Pace.FREE,
            )

        if request_id is None and not self._rules.live_matches_max and not self.closed:
            found = self._draws.topic_at_hand(topic, count)
            if found is not None:
                self._open_at_once(caller, partial(of, found))
                return None

        async def gather() -> CreateMatch | Decision:
            most = self._rules.live_matches_max
            live = 0
            if request_id is not None or most:
                earlier, live = await self._matches.find_before_creation(caller.player.id, request_id, most)
                if earlier is not None:
                    return Decision(await self._reads.load(earlier), duplicate=True)
            self._refuse_one_more(live)
            return of(await self._draws.topic(topic, count) or Topic(0, topic, 0))

        return self.open(caller, gather)

    def open(self, caller: Caller, gather: Gather) -> Work:
        """Open the match that `gather` makes, or answer with the one that it finds; gather again where it collides."""
        return asking(caller, self._open_in_turn(caller, gather))

    async def make_sure_of_room(self, player_id: str) -> None:
        """Refuse one more match of a player who is in too many, or while this process stops.

        Raises `Refused` and `StorageUnavailable`.
        """
        most = self._rules.live_matches_max
        _, live = await self._matches.find_before_creation(player_id, None, most) if most else (None, 0)
        self._refuse_one_more(live)

    def _refuse_one_more(self, live: int) -> None:
        self.check()
        if self._rules.live_matches_max and live >= self._rules.live_matches_max:
            raise Refused(Code.TOO_MANY_SESSIONS)

    def _scoring(self, profile: ScoringProfile | None) -> Scoring:
        return replace(self._rules.scoring, profile=profile) if profile else self._rules.scoring

    def _open_at_once(self, caller: Caller, make: Callable[[], CreateMatch]) -> None:
        """Submit a creation, and another one where its join code is taken."""

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, Collision):
                self._open_at_once(caller, make)
            else:
                caller.hear(outcome)

        self._submit(caller.told(make(), settle))

    async def _open_in_turn(self, caller: Caller, gather: Gather) -> None:
        """Gather what a creation must know and submit it; gather again where it collided."""
        async with self._turns.of(caller.player.id):
            while True:
                command = await gather()
                if isinstance(command, Decision):
                    caller.hear(command)
                    return
                if not await collided(caller, command, self._submit):
                    return
