"""What people may ask about themselves: their name, all that is stored about them, and to be forgotten."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from msgspec import Struct

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.departures import Departures, erased
from pairquiz_server.engine.memory import Memory
from pairquiz_server.engine.reporting import Reporting
from pairquiz_server.engine.together import Together
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.names import name_fault
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.question import tidy
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.players import Players
from pairquiz_server.store.pool import StorageUnavailable

EXPORTS_AT_ONCE = 2
"""Each reads page after page; the connections for reads are for those who play."""

Renamed = Callable[[str, str], None]
"""Hears that a player has another name."""


class Profile(Struct, frozen=True):
    """What a player may know of itself; `known_since` is None where nothing is stored yet (milliseconds).

    `record_runs` tells whether the player's runs may be replayed as ghosts.
    """

    user_id: str
    kind: PlayerKind
    display_name: str
    known_since: int | None
    record_runs: bool = True


class People:
    """The people of one process; `memory` has what they have played, `reporting` takes what they say of questions.

    Every method raises `Refused` (`storage_unavailable`, …).
    """

    def __init__(
        self,
        players: Players,
        erasures: Erasures,
        bans: Bans,
        blocks: Blocks,
        departures: Departures,
        clock: Clock,
        renamed: Renamed,
        memory: Memory,
        reporting: Reporting,
    ) -> None:
        self.memory = memory
        self._players = players
        self._erasures = erasures
        self._bans = bans
        self._blocks = blocks
        self._departures = departures
        self._clock = clock
        self._renamed = renamed
        self.reporting = reporting
        self._exports = 0
        self._meeting = Together(lambda met: players.meet(met, clock.now()))

    def check(self, player_id: str) -> None:
        """Let a player pass who may play. Raises `Refused` (`forbidden`)."""
        self._departures.check(player_id)

    async def profile(self, player: Player) -> Profile:
        """Return a player's profile."""
        try:
            stored = await self._meeting.ask(player.id)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        if stored is None:
            return Profile(player.id, player.kind, player.display_name, None)
        return Profile(player.id, player.kind, stored.display_name, stored.created_at, stored.record_runs)

    async def set_profile(
        self, player: Player, *, display_name: str | None = None, record_runs: bool | None = None
    ) -> Profile:
        """Give a player another name, or let runs be recorded or not, where either is said.

        Raises `Refused` (`invalid_payload`).
        """
        if display_name is None and record_runs is None:
            return await self.profile(player)
        name = None if display_name is None else _name(display_name)
        try:
            stored = await self._players.change(player, self._clock.now(), display_name=name, record_runs=record_runs)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        if stored is None:  # another node has heard of it already
            raise erased()
        if name is not None:
            self._renamed(player.id, name)
        return Profile(player.id, player.kind, stored.display_name, stored.created_at, stored.record_runs)

    async def block(self, match: Match, seat: int) -> bool:
        """Let the player of a seat and the opponent find each other no more; tell whether that is new."""
        blocking, blocked = match.seats[seat].player.id, _opponent(match, seat)
        try:
            return await self._blocks.block(blocking, blocked, self._clock.now())
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    async def unblock(self, match: Match, seat: int) -> bool:
        """Take back what the player of a seat has said against the opponent; tell whether there was anything."""
        blocking, blocked = match.seats[seat].player.id, _opponent(match, seat)
        try:
            return await self._blocks.unblock(blocking, blocked)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    async def erase(self, player_id: str) -> None:
        """Wish that a player is erased; when this returns, the wish stands, and the player is refused here."""
        try:
            await self._erasures.wish(player_id)
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        self._departures.erase(player_id)

    async def export(self, player_id: str) -> AsyncGenerator[bytes]:
        """Yield all that is stored about a player, as the pieces of one JSON object.

        Raises `Refused` (`rate_limited`) while others' exports are read. (`forbidden` does not keep anybody from this.)
        """
        if self._exports >= EXPORTS_AT_ONCE:
            raise Refused(
                Code.RATE_LIMITED, "Others' data is just being exported: ask again in a moment", retry_in_ms=1000
            )
        self._exports += 1
        try:
            async with aclosing(self._players.export(player_id, self._bans.digest(player_id))) as pieces:
                async for piece in pieces:
                    yield piece
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None
        finally:
            self._exports -= 1


def _name(text: str) -> str:
    """Return a name as it is kept. Raises `Refused` (`invalid_payload`)."""
    if wrong := name_fault(text):
        raise Refused(Code.INVALID_PAYLOAD, f"display_name: {wrong}")
    return tidy(text)


def _opponent(match: Match, seat: int) -> str:
    """Return the id of whom a seat plays against. Raises `Refused` (`wrong_state`) where there is nobody."""
    if len(match.seats) < 2:
        raise Refused(Code.WRONG_STATE, "Nobody has joined this session: there is nobody to block")
    opponent = match.seats[1 - seat].player
    if opponent.kind is PlayerKind.ERASED:
        raise Refused(Code.WRONG_STATE, "All that was stored about this player is erased: there is nobody to block")
    if opponent.kind is PlayerKind.GHOST:
        raise Refused(Code.WRONG_STATE, "A ghost plays in this session: there is nobody to block")
    return opponent.id
