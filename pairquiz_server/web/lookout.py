"""What other nodes have done and nobody tells: while Redis is away, or there is none, PostgreSQL is asked for it.

It costs one query a second for all players of this node, and nothing where this is the only node or Redis is heard.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from pairquiz_server.engine.game import Game
from pairquiz_server.engine.pace import Pace
from pairquiz_server.rules.errors import Refused
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.web.catch_up import CatchUp
from pairquiz_server.web.sockets.connections import Connections

log = structlog.get_logger("pairquiz.lookout")

LOOK_EVERY_S = 1.0
PLAYERS_AT_ONCE = 1000
"""Commands need the database too."""


class Lookout:
    """Looks for what this node's players have not heard of, while it is `needed`.

    `told` waits until all that this node itself has written by now is told: only what is left is another one's.
    """

    def __init__(
        self,
        game: Game,
        connections: Connections,
        catch_up: CatchUp,
        *,
        needed: Callable[[], bool],
        told: Callable[[], Awaitable[None]],
    ) -> None:
        self._game = game
        self._connections = connections
        self._catch_up = catch_up
        self._needed = needed
        self._told = told
        self._pace = Pace()
        self._catching_up = False

    def stop(self) -> None:
        """Let `run` return after its round."""
        self._pace.stop()

    async def run(self) -> None:
        """Look once a second, until `stop`."""
        await self._pace.repeat(LOOK_EVERY_S, self._look_if_needed, "lookout")

    async def catch_up(self) -> None:
        """Look once, however long the database is away."""
        self._catching_up = True
        try:
            while True:
                try:
                    await self.look()
                except (Refused, StorageUnavailable):
                    await asyncio.sleep(LOOK_EVERY_S)
                else:
                    return
        finally:
            self._catching_up = False

    async def look(self) -> int:
        """Tell players what they have not heard of; return how many states were told.

        Raises `StorageUnavailable` and `Refused` (`storage_unavailable`).
        """
        states, players = 0, list(self._connections.players())
        for first in range(0, len(players), PLAYERS_AT_ONCE):
            known = {player_id: self._known(player_id) for player_id in players[first : first + PLAYERS_AT_ONCE]}
            unheard = await self._game.unheard(known)
            if unheard:
                await self._told()
            for player_id, matches in unheard.items():
                states += await self._catch_up.tell(player_id, matches)
        return states

    def _known(self, player_id: str) -> dict[str, int]:
        """Return the versions that all connections of a player know; nothing is known of what has a gap."""
        known = dict(self._connections.followed(player_id))
        return known | dict.fromkeys(self._connections.gaps(player_id) & known.keys(), 0)

    async def _look_if_needed(self) -> None:
        if not self._needed():
            if not self._catching_up:  # else they are what is looked for
                self._connections.forget_gaps()
            return
        try:
            states = await self.look()
        except Refused:
            return  # the next look finds it
        if states:
            log.debug("looked_out", states=states)
