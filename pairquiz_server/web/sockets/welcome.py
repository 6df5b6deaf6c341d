"""What a connection hears first: who it is, what time it is, and which matches wait."""

from msgspec.structs import replace

from pairquiz_server.engine.game import Game
from pairquiz_server.protocol import PROTOCOL_VERSION, events, frames, views
from pairquiz_server.web.sockets.connections import Connection, Connections


class Welcome:
    """Welcomes the connections of one process, which is in `region`."""

    def __init__(self, game: Game, connections: Connections, region: str) -> None:
        self._game = game
        self._connections = connections
        self._region = region

    def say(self, connection: Connection, sessions: list[events.Session]) -> None:
        """Welcome a connection; what was sent to it before follows. `sessions` are the matches that wait."""
        identity = connection.identity
        welcome = events.Welcome(
            user_id=identity.player.id,
            server_time=self._game.now(),
            protocol=PROTOCOL_VERSION,
            region=self._region,
            sessions=sessions,
            guest_token=identity.guest_token,
        )
        connection.welcome(frames.event("welcome", welcome))
        if identity.guest_token:
            connection.identity = replace(identity, guest_token=None)  # the client keeps it from now on

    async def sessions(self, player_id: str) -> list[events.Session]:
        """Return the live matches of somebody who is connected here, and hears of them from now on.

        Raises `Refused` (`storage_unavailable`).
        """
        matches = await self._game.live_matches(player_id)
        for match in matches:
            self._connections.follow(player_id, match.id, version=match.version, live=True)
        return [views.session(match, match.seat_of(player_id) or 0) for match in matches]
