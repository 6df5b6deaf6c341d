"""What this node knows of the other nodes: who is connected to them, by what they publish."""

import math

from pairquiz_server.web.elsewhere.publication import Publication

SILENCE_S = 5.0
"""A node that is silent for so long is forgotten; one that does not hear itself for so long is deaf."""


class _Other:
    """Another node: its last number, when it was heard (the loop's time), and its players, None where unknown."""

    __slots__ = ("heard_at", "number", "players")

    def __init__(self) -> None:
        self.number = 0
        self.heard_at = 0.0
        self.players: set[str] | None = None


class Others:
    """The other nodes. `hearers` are all who heard the last publication, with this node itself."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Other] = {}
        self.hearers = math.inf

    def may_have(self, player_id: str) -> bool:
        """Tell whether a player may be connected to one: else all who hear us have said that they are not."""
        known = 1  # this node, which hears itself
        for other in self._nodes.values():
            if other.players is not None:
                known += 1
                if player_id in other.players:
                    return True
        return self.hearers > known

    def note(self, publication: Publication, now: float) -> bool:
        """Keep who is connected to a node; tell whether all that it has ever said was heard.

        What it said before and we have not heard makes all that we knew of it doubtful.
        """
        other = self._nodes.setdefault(publication.node, _Other())
        follows = publication.number == other.number + 1
        if not follows:
            other.players = None
        other.number = publication.number
        other.heard_at = now
        if publication.players is not None:
            other.players = set(publication.players)
        elif other.players is not None:
            other.players.update(publication.came)
            other.players.difference_update(publication.went)
        return follows

    def know(self, node: str) -> bool:
        """Tell whether it is known who is connected to a node."""
        return self._nodes[node].players is not None

    def forget_silent(self, now: float) -> bool:
        """Forget nodes that are silent; tell whether there were any."""
        silent = [node for node, other in self._nodes.items() if now - other.heard_at > SILENCE_S]
        for node in silent:
            del self._nodes[node]
        return bool(silent)

    def lose(self) -> None:
        """Know nothing of anybody any more."""
        for other in self._nodes.values():
            other.players = None
        self.hearers = math.inf
