"""Who has to go: the banned and those who are being erased, at every node within a second or two.

Each node reads by itself, from the database alone, what was written since its last look; so a ban by the operator's
command needs no node, and a node that was away needs no other one. Who has to go is refused from then on, is cut by
the edge, and leaves live matches as players do: through the committer.
"""

import asyncio
from collections.abc import Callable, Collection

import structlog

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.commands import LeaveMatch
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.bans import BanRow, Bans
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.presence import PresenceRows

log = structlog.get_logger("pairquiz.departures")

LOOK_EVERY_S = 1.0
LOOKS_AFTER = 5
"""So often their matches are looked for: what was under way at the cut is committed or refused within three seconds."""

Cut = Callable[[str, Refused], None]
"""Ends all connections that a player has here, with the reason why; never waits."""


class Departures:
    """Keeps, for one node, who may not play now. `cut` hears of each player once for each reason to go."""

    def __init__(self, bans: Bans, seats: PresenceRows, committer: Committer, clock: Clock, cut: Cut) -> None:
        self._bans = bans
        self._seats = seats
        self._committer = committer
        self._clock = clock
        self._cut = cut
        self._seen = 0
        self._banned: dict[bytes, float] = {}
        self._erasing: frozenset[str] = frozenset()
        self._wished: set[str] = set()
        self._leaving: dict[str, int] = {}
        self._pace = Pace()

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Look each second, until `stop`."""
        await self._pace.repeat(LOOK_EVERY_S, self.look, "departures")

    def check(self, player_id: str) -> None:
        """Let a player pass who may play. Raises `Refused` (`forbidden`)."""
        self.check_ban(player_id)
        if player_id in self._erasing:
            raise erased()

    def check_ban(self, player_id: str) -> None:
        """Let a player pass who is not banned. Raises `Refused` (`forbidden`)."""
        until = self._banned.get(self._bans.digest(player_id)) if self._banned else None
        if until is not None and until > _monotonic():
            raise _banned(until)

    def erase(self, player_id: str) -> None:
        """Know, before the next look, of an erasure that was just wished here."""
        self._erasing |= {player_id}
        self._wished.add(player_id)
        self._go(player_id, erased())

    async def look(self) -> None:
        """Read what was written since the last look, and let go who has to. Raises `StorageUnavailable`."""
        self._wished.clear()
        try:
            look = await self._bans.look(self._seen)
        except StorageUnavailable:
            self._seen = 0  # behind the next answer may be another cluster, whose transactions count from elsewhere
            raise
        if self._seen == 0:
            self._banned.clear()
        self._seen = look.seen
        for row in look.bans:
            self._note(row)
        # What was wished here meanwhile may have come too late for it.
        fresh, self._erasing = look.erasing - self._erasing, look.erasing | self._wished
        for player_id in fresh:
            self._go(player_id, erased())
        await self._leave_matches()

    def _note(self, row: BanRow) -> None:
        digest = bytes.fromhex(row.digest)
        if row.left_ms is not None and row.left_ms <= 0:
            self._banned.pop(digest, None)
            return
        until = float("inf") if row.left_ms is None else _monotonic() + row.left_ms / 1000
        self._banned[digest] = until
        if row.player_id is not None:
            self._go(row.player_id, _banned(until))

    def _go(self, player_id: str, why: Refused) -> None:
        self._leaving[player_id] = LOOKS_AFTER
        self._cut(player_id, why)

    async def _leave_matches(self) -> None:
        """Let those who go leave the live matches that they are seen in, for as long as one may still appear."""
        leaving = list({*self._leaving, *self._erasing})
        if not leaving:
            return
        await leave_matches(leaving, self._seats, self._committer, self._clock)
        self._leaving = {player_id: looks - 1 for player_id, looks in self._leaving.items() if looks > 1}


async def leave_matches(players: Collection[str], seats: PresenceRows, committer: Committer, clock: Clock) -> None:
    """Let players leave all their live matches: the other has won, or a match that has not begun is abandoned.

    A match that the player has completed goes on to its end, as ever. Raises `StorageUnavailable`.
    """
    now = clock.now()
    asked = [
        committer.ask(LeaveMatch(match_id=seat.match_id, player_id=seat.player_id), now)
        for seat in await seats.find_seats(list(players))
    ]
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(outcome, Refused) and outcome.retry:
            raise StorageUnavailable(outcome.message)
        if isinstance(outcome, BaseException) and not isinstance(outcome, Refused):
            raise outcome


def _banned(until: float) -> Refused:
    if until == float("inf"):
        return Refused(Code.FORBIDDEN, "You may not play here any more: the operator has banned you")
    hours = max(int((until - _monotonic()) / 3600), 0)
    wait = f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours >= 2 else "a while"
    return Refused(Code.FORBIDDEN, f"The operator has banned you: you may play again in {wait}")


def erased() -> Refused:
    """Say why somebody is refused who is being erased."""
    return Refused(
        Code.FORBIDDEN, "All that is stored about you is being erased: come back in a minute, and you are somebody new"
    )


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
