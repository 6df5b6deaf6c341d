"""What a connection hears first: who it is, what time it is, which matches wait, and how each of them stands."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from pairquiz_server.engine.game import Game
from pairquiz_server.protocol import events, frames, views
from pairquiz_server.protocol.versions import PROTOCOL_VERSION
from pairquiz_server.rules.match import Match
from pairquiz_server.web.sockets.connections import Connection, Connections

STATES_MAX = 20
"""The states of more matches are told to whoever asks for them."""
STATES_BYTES = 1 << 18
"""Nor are more bytes of states told unasked, beside the first one: a match of fifty long questions has 400 KB, and who
is told more than may wait for a client (`limits.send_queue_bytes`) is cut, and comes back to the same."""


class Welcome:
    """Welcomes the connections of one process, which is in `region`."""

    def __init__(self, game: Game, connections: Connections, region: str) -> None:
        self._game = game
        self._connections = connections
        self._region = region

    def say(self, connection: Connection, matches: Sequence[Match]) -> None:
        """Welcome a connection of a player whose live matches these are; what was sent to it before follows.

        Who counts as away in a match hears of it when that is over, a moment later.
        """
        identity, now = connection.identity, self._game.now()
        player_id = identity.player.id
        seated = [(match, match.seat_of(player_id) or 0) for match in matches]
        welcome = events.Welcome(
            user_id=player_id,
            server_time=now,
            protocol=PROTOCOL_VERSION,
            region=self._region,
            sessions=[views.session(match, seat) for match, seat in seated],
            guest_token=identity.guest_token,
        )
        connection.welcome(frames.event("welcome", welcome), *_states(seated, now))
        if identity.guest_token:
            connection.identity = replace(identity, guest_token=None)  # the client keeps it from now on

    async def live_matches(self, player_id: str) -> list[Match]:
        """Return the live matches of somebody who is connected here, and hears of them from now on.

        Raises `Refused` (`storage_unavailable`).
        """
        matches = await self._game.live_matches(player_id)
        for match in matches:
            self._connections.follow(player_id, match.id, version=match.version, live=True)
        return matches


def within_limit(states: Iterable[bytes]) -> Iterator[bytes]:
    """Go through the packets of states as long as they are not too many bytes to be told unasked: one always is."""
    size = 0
    for number, packet in enumerate(states):
        size += len(packet)
        if number and size > STATES_BYTES:
            return
        yield packet


def _states(seated: Sequence[tuple[Match, int]], now: int) -> list[bytes]:
    """Return the packets of the latest matches' states, each as the player of a seat sees it; the latest comes last."""
    states = (
        frames.event("quiz_state", views.quiz_state(match, seat, now))
        for match, seat in reversed(seated[-STATES_MAX:])
        if match.seats[seat].absence is None
    )
    return list(within_limit(states))[::-1]
