"""What is told to players outside of any match's events, to all their connections at every node."""

from collections.abc import Sequence

from pairquiz_server.engine.rater import Rated
from pairquiz_server.protocol import frames, records
from pairquiz_server.web.announce import Elsewhere
from pairquiz_server.web.sockets.connections import Connections

_NO_VERSION = 0
"""It is no change of the match, so nobody's knowledge of the match moves by it, whether or not that is over."""


class News:
    """Tells players what became of their ratings. `elsewhere` is None where this is the only node."""

    def __init__(self, connections: Connections, elsewhere: Elsewhere | None = None) -> None:
        self._connections = connections
        self._elsewhere = elsewhere

    def tell(self, rated: Sequence[Rated]) -> None:
        """Tell each player of the rating after a match, encoded if anybody hears it. Never waits."""
        for one in rated:
            elsewhere = self._elsewhere if self._elsewhere and self._elsewhere.concerns(one.player_id) else None
            if not elsewhere and not self._connections.present(one.player_id):
                continue
            packet = frames.event("rating_changed", records.rating_changed(one))
            self._connections.tell(one.player_id, one.match_id, packet, version=_NO_VERSION, live=True)
            if elsewhere:
                elsewhere.tell(one.player_id, one.match_id, packet, version=_NO_VERSION, live=True)
