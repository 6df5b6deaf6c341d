"""Rematches: who wants one, and the match that is made once both do, exactly one whatever fails.

A request is a row of its own, which both players' requests lock; whoever finds that both have asked makes the match.
The match names the one that it follows, and the database takes no second one of that name. Where whoever had to make
it has died, a repeat of a request does it, or any node, a moment later.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from uuid import uuid4

import structlog
from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.draws import Draws
from pairquiz_server.engine.pace import Pace
from pairquiz_server.engine.submission import Collision, Outcome, Settle, Submission, Told
from pairquiz_server.engine.turns import Turns
from pairquiz_server.engine.waiting import PATIENCE_S
from pairquiz_server.engine.writing import RETRY_PAUSE_S
from pairquiz_server.rules import rematch
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.decision import seat_of_player
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.rematch import Prospect, Standing
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.rematches import Noted, RematchRows

log = structlog.get_logger("pairquiz.rematch")

REMINDS_AFTER_MS = 10_000
"""Who asks again sooner reminds nobody."""
SEEN_WITHIN_MS = 5000
"""A request as young as this counts whether or not its player is seen to be connected: that may not be written yet."""
MAKING_S = 2 * PATIENCE_S
"""So long after a request its match is still begun: behind a slow line, what comes before may take as long."""
MENDS_EVERY_S = 2.0
MENDS_AFTER_MS = 5000
"""Until then whoever has to make a rematch may still be at it: longer than anybody waits for the database."""
MENDS_FOR_MS = 60_000
"""What nobody could make until then, because the topic has shrunk or a player plays too much, nobody tries again."""

Check = Callable[[str], None]
"""Lets a player pass who may play. Raises `Refused`."""
Tell = Callable[[Match, int], None]
"""Tells the player of a seat that the other one asks for a rematch. Never waits."""


class RematchRules(Struct, frozen=True, kw_only=True):
    """For how long after a match's end a rematch may be asked for, and how it begins. No limit is 0."""

    hold_ms: int = 600_000
    start_delay_ms: int = 3000
    ready_ttl_ms: int = 600_000
    live_matches_max: int = 0


class Rematches:
    """The rematches that one process sees to, beside other nodes. `check` says who may play."""

    def __init__(
        self,
        rows: RematchRows,
        matches: Matches,
        draws: Draws,
        committer: Committer,
        clock: Clock,
        rules: RematchRules,
        *,
        check: Check,
        tell: Tell,
        turns: Turns | None = None,
    ) -> None:
        self._rows = rows
        self._matches = matches
        self._draws = draws
        self._committer = committer
        self._clock = clock
        self._rules = rules
        self._check = check
        self._tell = tell
        self._turns = turns or Turns()
        self._pace = Pace()

    def stop(self) -> None:
        """Make none any more that is not asked for just now, and let `run` return: others do what is left."""
        self._pace.stop()

    async def run(self) -> None:
        """Mend and forget, until `stop`."""
        await self._pace.repeat(MENDS_EVERY_S, self.mend, "rematches")

    async def request(self, caller: Submission, player_id: str, match_id: str) -> None:
        """Ask for a rematch, and make it where the other has asked too.

        The caller is told of the old match while the other has not asked, and else of the new one; a repeat is a
        duplicate. Raises `Refused` and `StorageUnavailable`.
        """
        began = asyncio.get_running_loop().time()
        match = await self._load(match_id)
        seat = seat_of_player(match, player_id)
        standing = await self._rows.look(match_id)
        if standing.next_id is not None:
            caller.settle(Decision(await self._load(standing.next_id), duplicate=True))
            return
        self._require_askable(match, seat, standing, caller.arrived_at)
        noted = await self._note(match, seat, caller.arrived_at, began + PATIENCE_S)
        if None in noted.asked:
            stands = noted.asked[seat] == caller.arrived_at  # else it is an earlier one that does
            caller.settle(Decision(match, duplicate=noted.earlier_at is not None or not stands))
            if stands and noted.earlier_at != caller.arrived_at:
                self._tell(match, 1 - seat)
        else:
            await self._make(match, caller.arrived_at, caller.settle, until=began + MAKING_S)

    async def prospect(self, match: Match, seat: int) -> Prospect | None:
        """Return what a player may know of a match's rematch, None where there is none and will be none.

        Raises `Refused` (`storage_unavailable`).
        """
        if rematch.closes_at(match, self._rules.hold_ms) is None:
            return None
        try:
            standing = await self._rows.look(match.id)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        if standing.next_id is None:
            try:
                self._require_askable(match, seat, standing, self._clock.now())
            except Refused:
                return None
        return rematch.prospect(match, standing, self._rules.hold_ms)

    async def mend(self) -> None:
        """Make what both want and nobody has made, and forget requests that hold no longer.

        Raises `StorageUnavailable`.
        """
        now = self._clock.now()
        for match_id in await self._rows.find_agreed(now - MENDS_FOR_MS, now - MENDS_AFTER_MS):
            if self._pace.stopped:
                return
            with suppress(Refused):  # a repeat of the request would be told so
                match, standing = await self._load(match_id), await self._rows.look(match_id)
                agreed_at = max(at or 0 for at in standing.asked)
                for seat in (0, 1):
                    self._require_askable(match, seat, standing, agreed_at)
                await self._make(match, now, _noted, until=asyncio.get_running_loop().time() + MAKING_S)
        await self._rows.forget(now - self._rules.hold_ms)

    async def _note(self, match: Match, seat: int, now: int, until: float) -> Noted:
        """Write a request down, and again while its answer is lost, `until` (the loop's clock) nobody waits any more.

        It is the same one then, because it is of the same time.
        """
        lost = False
        while True:
            try:
                noted = await self._rows.ask(
                    match.id,
                    seat,
                    now,
                    match.seats[1 - seat].player.id,
                    stands_after=now - REMINDS_AFTER_MS,
                    needs_presence_before=now - SEEN_WITHIN_MS,
                )
            except StorageUnavailable:
                if asyncio.get_running_loop().time() >= until:
                    raise
            else:
                return Noted(noted.asked, None) if lost and noted.earlier_at == now else noted
            lost = True
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _make(self, match: Match, now: int, told: Settle, *, until: float) -> None:
        """Make the rematch of a match, and tell of it; where another node was faster, of what that one has made.

        `until` (the loop's clock) the players' turn and what the match needs are waited for. Raises `Refused` and
        `StorageUnavailable`; the requests stay.
        """
        while True:
            async with AsyncExitStack() as turn:
                try:
                    async with asyncio.timeout_at(until):
                        await turn.enter_async_context(self._turns.of(*(seat.player.id for seat in match.seats)))
                        command = await self._command(match)
                except TimeoutError:
                    raise StorageUnavailable("the players' turn did not come in time") from None
                if not await self._collided(command, now, told):
                    return
            standing = await self._rows.look(match.id)
            if standing.next_id is not None:
                told(Decision(await self._load(standing.next_id), duplicate=True))
                return

    async def _command(self, match: Match) -> PairPlayers:
        rules = self._rules
        if rules.live_matches_max:
            for seat in match.seats:
                _, live = await self._matches.find_before_creation(seat.player.id, None, rules.live_matches_max)
                if live >= rules.live_matches_max:
                    raise Refused(Code.TOO_MANY_SESSIONS, "One of you has too many sessions that are not over")
        topic = await self._draws.topic(match.topic, match.question_count) or Topic(0, match.topic, 0)
        delay_ms, ttl_ms = rules.start_delay_ms, rules.ready_ttl_ms
        return rematch.follow(match, str(uuid4()), topic, start_delay_ms=delay_ms, ready_ttl_ms=ttl_ms)

    async def _collided(self, command: PairPlayers, now: int, told: Settle) -> bool:
        """Submit a command and wait until it is settled; return whether the match that it follows has a rematch."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def settle(outcome: Outcome) -> None:
            try:
                if not isinstance(outcome, Collision):
                    told(outcome)
            finally:
                if not done.done():  # whoever asked may have gone; the command stands
                    done.set_result(isinstance(outcome, Collision))

        self._committer.submit(Told(command=command, arrived_at=now, tell=settle))
        return await done

    def _require_askable(self, match: Match, seat: int, standing: Standing, now: int) -> None:
        """Let the player of a seat ask for a rematch: also, the other one may play. Raises `Refused`."""
        rematch.require_askable(match, seat, standing, now, self._rules.hold_ms)
        try:
            self._check(match.seats[1 - seat].player.id)
        except Refused:
            raise Refused(Code.OPPONENT_UNAVAILABLE) from None

    async def _load(self, match_id: str) -> Match:
        found = await self._matches.load([match_id])
        if match_id not in found:
            raise Refused(Code.NOT_FOUND)
        return found[match_id]


def _noted(outcome: Outcome) -> None:
    """Note in the log what nobody else waits for."""
    if isinstance(outcome, Decision) and not outcome.duplicate:
        log.info("rematch_mended", session_id=outcome.match.previous_id)
