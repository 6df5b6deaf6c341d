"""The state of their matches, for players who may have missed what another node told."""

import asyncio
from collections.abc import Mapping, Sequence

from pairquiz_server.engine.game import Game
from pairquiz_server.metrics import Metrics
from pairquiz_server.protocol import frames, views
from pairquiz_server.protocol.events import QuizState
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import LIVE, Match
from pairquiz_server.web.sockets.connections import Connections
from pairquiz_server.web.sockets.welcome import within_limit

PLAYERS_AT_ONCE = 4
"""Commands need the database's connections too."""
RETRY_S = 1.0


class CatchUp:
    """Sends the players of this node the `quiz_state` of each match that they play, which mends any gap.

    Of very long ones it sends those of the latest, as a welcome does. Of the others the next event shows the gap.
    """

    def __init__(self, game: Game, connections: Connections, metrics: Metrics | None = None) -> None:
        self._game = game
        self._connections = connections
        self._told = (metrics or Metrics()).catch_ups

    async def run(self) -> None:
        """Catch up all who are connected now, however long the database is away."""
        players = list(self._connections.players())
        for start in range(0, len(players), PLAYERS_AT_ONCE):
            await asyncio.gather(*map(self._player, players[start : start + PLAYERS_AT_ONCE]))

    async def look_after(self, player_id: str) -> None:
        """Tell a player of live matches of which nothing was heard here: another node has made them."""
        while self._connections.present(player_id):
            heard = set(self._connections.followed(player_id))
            try:
                matches = await self._game.live_matches(player_id)
                stands = await self._states(player_id, matches)
            except Refused:
                await asyncio.sleep(RETRY_S)
                continue
            heard.update(self._connections.followed(player_id))  # those before, too: one may have ended meanwhile
            self._tell(player_id, [(match, state) for match, state in stands if match.id not in heard])
            return

    async def tell(self, player_id: str, matches: Sequence[Match]) -> int:
        """Tell a player how those matches stand of which not all that is newer was heard; return how many.

        Raises `Refused` (`storage_unavailable`).
        """
        before = dict(self._connections.followed(player_id))
        stands = await self._states(player_id, matches)
        heard, gaps = self._connections.followed(player_id), self._connections.gaps(player_id)
        news = [
            (match, state)
            for match, state in stands
            if (match.id in heard or match.id not in before)  # else its end was told
            and (match.version > (known := heard.get(match.id, 0)) or (match.version == known and match.id in gaps))
        ]
        self._tell(player_id, news)
        return len(news)

    async def _player(self, player_id: str) -> None:
        while self._connections.present(player_id):
            before = dict(self._connections.followed(player_id))
            try:
                matches = await self._matches(player_id)
                stands = await self._states(player_id, matches)
            except Refused:
                await asyncio.sleep(RETRY_S)
                continue
            if not any(self._overtaken(player_id, match, before) for match in matches):
                self._tell(player_id, stands)
                return

    def _overtaken(self, player_id: str, match: Match, before: Mapping[str, int]) -> bool:
        """Return whether something newer of a match was told while it was read.

        What is older than what had been told before it was read, is what a failover has left.
        """
        heard = self._connections.followed(player_id)
        if match.id in before and match.id not in heard:
            return match.status in LIVE  # its end was told
        told = heard.get(match.id, 0)
        return match.version < told != before.get(match.id, 0)

    async def _matches(self, player_id: str) -> list[Match]:
        """Return a player's live matches, the latest last, and then those of whose end the player has not heard.

        Raises `Refused` (`storage_unavailable`).
        """
        heard_of = set(self._connections.followed(player_id))
        matches = await self._game.live_matches(player_id)
        for match_id in sorted(heard_of - {match.id for match in matches}):
            try:
                matches.append(await self._game.view(player_id, match_id))
            except Refused as refusal:
                if refusal.code is Code.STORAGE_UNAVAILABLE:
                    raise  # any other: a failover has forgotten the match
        return matches

    async def _states(self, player_id: str, matches: Sequence[Match]) -> list[tuple[Match, QuizState]]:
        """Return how a player's matches stand, but for those off which the player was taken meanwhile (erased)."""
        stands: list[tuple[Match, QuizState]] = []
        for match in matches:
            if (seat := match.seat_of(player_id)) is not None:
                prospect = await self._game.rematches.prospect(match, seat)
                stands.append((match, views.quiz_state(match, seat, self._game.now(), prospect)))
        return stands

    def _tell(self, player_id: str, stands: Sequence[tuple[Match, QuizState]]) -> None:
        """Tell how matches stand, as far as so much may be told: the last ones, and those of which nothing follows."""
        latest = list(within_limit(frames.event("quiz_state", state) for _, state in reversed(stands)))[::-1]
        self._told.inc(len(latest))
        for (match, _), packet in zip(stands[-len(latest) :], latest, strict=True):
            self._connections.tell_state(player_id, match.id, packet, version=match.version, live=match.status in LIVE)
