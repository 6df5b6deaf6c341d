"""What players are shown: matches and topics, as PostgreSQL has them."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from pairquiz_server.engine.recent import Recent
from pairquiz_server.engine.together import Together
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.store.matches import Matches
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.questions import Questions, TopicCount

LOADED_AT_ONCE = 500
"""So many matches of those who come back are read at once. Who has joined thousands costs the others time, no more."""
TOPICS_KEPT_S = 2.0
"""Anybody may ask for the topics, and each time all questions would be counted."""

T = TypeVar("T")


async def asked(answer: Awaitable[T]) -> T:
    """Return the store's answer. Raises `Refused` (`storage_unavailable`)."""
    try:
        return await answer
    except StorageUnavailable:
        raise Refused(Code.STORAGE_UNAVAILABLE) from None


class Reads:
    """What the players of one process are shown. Nothing here changes anything."""

    def __init__(self, matches: Matches, questions: Questions) -> None:
        self._matches = matches
        self._topics = Recent(questions.list_topics, TOPICS_KEPT_S)
        self._live = Together(self._read_live)

    async def find(self, match_id: str) -> Match | None:
        """Return a match, whoever asks, None where there is none. Raises `StorageUnavailable`."""
        return (await self._matches.load([match_id])).get(match_id)

    async def load(self, match_id: str) -> Match:
        """Return a match, whoever asks. Raises `Refused` (`not_found`) and `StorageUnavailable`."""
        found = await self.find(match_id)
        if found is None:
            raise Refused(Code.NOT_FOUND)
        return found

    async def view(self, player_id: str, match_id: str) -> Match:
        """Return a match for one of its players.

        Raises `Refused` (`not_found`, `not_a_player`, `storage_unavailable`).
        """
        match = await asked(self.load(match_id))
        if match.seat_of(player_id) is None:
            raise Refused(Code.NOT_A_PLAYER)
        return match

    async def live_matches(self, player_id: str) -> list[Match]:
        """Return a player's live matches, the oldest first. Raises `Refused` (`storage_unavailable`)."""
        return list(await asked(self._live.ask(player_id)) or ())

    async def unheard(self, known: Mapping[str, Mapping[str, int]]) -> dict[str, list[Match]]:
        """Return, by player, what has moved since and what is live and not known at all.

        `known` has all players who are asked for: which matches each knows, and in which version. Raises
        `StorageUnavailable`.
        """
        return await self._read(await self._matches.find_unheard(known))

    async def topics(self) -> Sequence[TopicCount]:
        """Return all topics with how many questions each has, as of a moment ago.

        Raises `Refused` (`storage_unavailable`).
        """
        return await asked(self._topics.get())

    async def _read_live(self, players: Sequence[str]) -> dict[str, list[Match]]:
        return await self._read(await self._matches.find_live_of(players))

    async def _read(self, of_players: Mapping[str, Sequence[str]]) -> dict[str, list[Match]]:
        every = list({match_id for ids in of_players.values() for match_id in ids})
        found: dict[str, Match] = {}
        for first in range(0, len(every), LOADED_AT_ONCE):
            found |= await self._matches.load(every[first : first + LOADED_AT_ONCE])
        return {
            player_id: [found[match_id] for match_id in ids if match_id in found]
            for player_id, ids in of_players.items()
        }
