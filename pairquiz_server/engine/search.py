"""A search for an opponent, what is told of it, and the ways to whoever looks."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from pairquiz_server.rules.commands import Topic
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.player import Player
from pairquiz_server.store.seekers import Entry

FindTopic = Callable[[str, int], Awaitable[Topic | None]]
"""Returns a topic by any spelling, for a match of so many questions. Raises `StorageUnavailable`."""


class Search(Struct, eq=False):
    """Somebody's search at this node; `paired` while a match is being made for it. Times are in milliseconds."""

    entry: Entry
    topic: str
    paired: bool = False
    ghost_asked_at: int = 0

    @property
    def player(self) -> Player:
        """Who looks."""
        return self.entry.player

    def waited_ms(self, now: int) -> int:
        """Return for how long."""
        return max(now - self.entry.since, 0)


class SearchNews(Struct, frozen=True):
    """How a search goes: for how long, how far an opponent may be from the own rating, how many look for the same."""

    waited_ms: int
    rating_range: int
    seeking: int


class Hearers(Struct, frozen=True):
    """The ways back to players of this node; none waits.

    `search` tells how a search goes, `end` that it is over without an opponent, `look_after` lets a player have the
    matches of which nothing was heard here; `present` tells whether a player is connected.
    """

    search: Callable[[str, SearchNews], None]
    end: Callable[[str, Refused], None]
    look_after: Callable[[str], None]
    present: Callable[[str], bool]
