"""Who looks for an opponent at one node: they come into the queue, and out of it when they cancel or go.

The queue is the database's; here is what the node has to know of its own people, and the way back to them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID, uuid4

from msgspec.structs import replace

from pairquiz_server.engine.caller import Why
from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.search import FindTopic, Hearers, Search, SearchNews
from pairquiz_server.engine.together import Together
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.errors import Code, Refused, not_enough_questions
from pairquiz_server.rules.pairing import Wishes, accepted_difference
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.seekers import Entered, Entry, Seekers, Seen


class Searches:
    """The searches of one node. `woken` hears when there is something new to do for whoever pairs.

    In a player's turn, of `turns`, the player's matches are counted, of which a search is one.
    """

    def __init__(
        self,
        seekers: Seekers,
        find_topic: FindTopic,
        clock: Clock,
        node: UUID,
        rules: GameRules,
        hearers: Hearers,
        *,
        turns: Turns | None = None,
    ) -> None:
        self._seekers = seekers
        self._find_topic = find_topic
        self._clock = clock
        self._node = node
        self._rules = rules
        self._hearers = hearers
        self._own: dict[str, Search] = {}
        self._left: set[str] = set()
        self._shut: Why | None = None
        self._drained = False
        self._forgotten: set[str] = set()
        self._taking_out = asyncio.Lock()
        self._turns = turns or Turns()
        self._entering = Together(self._enter)
        self.woken: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        """Return how many look for somebody here."""
        return len(self._own)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do: nobody looks, and nobody has to be taken out."""
        return not (self._own or self._left)

    @property
    def longest_s(self) -> float:
        """For how long the longest search here goes on; 0 where nobody looks."""
        now = self._clock.now()
        return max((search.waited_ms(now) for search in self._own.values()), default=0) / 1000

    def of(self, player_id: str) -> Search | None:
        """Return a player's search, if it is this node's."""
        return self._own.get(player_id)

    def all(self) -> Sequence[Search]:
        """Return all searches of this node."""
        return list(self._own.values())

    async def find(
        self,
        player: Player,
        *,
        topic: str,
        question_count: int | None = None,
        time_limit_s: int | None = None,
        pace: Pace | None = None,
        scoring: ScoringProfile | None = None,
        accept_ghost: bool = False,
    ) -> bool:
        """Look for an opponent; tell whether the player did already, for the same.

        Other wishes take the place of those before, and the wait begins anew. While a match is being made for the
        player it is announced in a moment; where nothing comes of it, the player looks on, and here. Raises `Refused`.
        """
        count = question_count or self._rules.question_count
        try:
            if self._shut is not None:
                raise self._shut()
            found = await self._find_topic(topic, count)
            if found is None or found.available < count:
                raise not_enough_questions(topic, 0 if found is None else found.available, count)
            wishes = Wishes(
                topic_id=found.id,
                question_count=count,
                time_limit_s=time_limit_s or self._rules.time_limit_s,
                pace=pace or Pace.FREE,
                scoring=scoring or self._rules.scoring.profile,
            )
            async with self._turns.of(player.id):
                return await self._begin(
                    found.name, Entry(player=player, ticket=uuid4(), wishes=wishes, accept_ghost=accept_ghost)
                )
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    async def cancel(self, player_id: str) -> bool:
        """Look no more; tell whether the player did.

        Whether a cancellation or a pairing was first, the row's lock decides: of a match that is being made the player
        hears all the same. Raises `Refused`.
        """
        try:
            async with self._turns.of(player_id):
                looked, cancelled = self._own.pop(player_id, None) is not None, False
                try:
                    cancelled = await self._seekers.cancel(player_id)
                finally:
                    if looked and not cancelled:
                        self._see_out(player_id)
                return cancelled
        except StorageUnavailable:
            raise Refused(Code.STORAGE_UNAVAILABLE) from None

    def came(self, player_id: str) -> None:
        """Hear that a player is here; whoever came back has to ask again."""

    def went(self, player_id: str, cause: Cause) -> None:
        """End the search of a player who is not here any more."""
        if self._own.pop(player_id, None) is not None:
            self._see_out(player_id)

    def found(self, players: Iterable[str]) -> None:
        """Note that players have an opponent. Who has begun to look anew meanwhile, looks on."""
        for player_id in players:
            if (search := self._own.get(player_id)) is not None and search.paired:
                del self._own[player_id]

    def forgotten(self) -> None:
        """Write all searches anew: others took this node for dead."""
        self._forgotten.update(self._own)
        self.woken()

    def close(self) -> None:
        """Refuse new searches from now on (`draining`)."""
        self._shut = _draining
        self._drained = True

    def pause(self, why: Why | None) -> None:
        """Refuse new searches until further notice, and let go who looks here, with the reason why; None ends that.

        Who has an opponent already gets the match.
        """
        if self._drained:
            return
        self._shut = why
        if why is None:
            return
        for player_id, search in list(self._own.items()):
            if not search.paired:
                del self._own[player_id]
                self._see_out(player_id)
                self._hearers.end(player_id, why())

    async def leave(self) -> None:
        """Take all searches of this node out of the queue. Raises `StorageUnavailable`."""
        self._own.clear()
        self._left.clear()
        await self._seekers.leave_all(self._node)

    async def tidy(self) -> None:
        """Take those out of the queue who went. Raises `StorageUnavailable`."""
        await self._restore()
        await self._take_out()

    async def look(self) -> None:
        """Look how searches go, and tell. One that is not there any more has ended elsewhere.

        Raises `StorageUnavailable`.
        """
        before = dict(self._own)
        seen = await self._seekers.look(self._node)
        short = await self._too_short(before.values())
        for player_id, search in before.items():
            if self._own.get(player_id) is search:
                self._tell(search, seen.get(player_id), short.get((search.topic, search.entry.wishes.question_count)))

    async def _too_short(self, searches: Iterable[Search]) -> Mapping[tuple[str, int], Refused]:
        """Return which topics, for so many questions, have shrunk since somebody asked for them."""
        short: dict[tuple[str, int], Refused] = {}
        for name, count in {(search.topic, search.entry.wishes.question_count) for search in searches}:
            found = await self._find_topic(name, count)
            if found is None or found.available < count:
                short[name, count] = not_enough_questions(name, 0 if found is None else found.available, count)
        return short

    def _tell(self, search: Search, seen: Seen | None, short: Refused | None) -> None:
        player_id = search.player.id
        if search.paired:
            return  # whoever makes the match says what becomes of it
        if seen is None or seen.ticket != search.entry.ticket:
            del self._own[player_id]
            self._hearers.look_after(player_id)
        elif short is not None and not seen.paired:
            del self._own[player_id]
            self._see_out(player_id)
            self._hearers.end(player_id, short)
        elif not seen.paired:
            waited_ms = search.waited_ms(self._clock.now())
            accepted = accepted_difference(search.entry.deviation, waited_ms)
            self._hearers.search(player_id, SearchNews(waited_ms, round(accepted), seen.seeking))

    async def _begin(self, topic: str, entry: Entry) -> bool:
        player_id = entry.player.id
        left = player_id in self._left
        if left:
            await self._take_out()
            self._left.discard(player_id)  # an entry that stays, for a match, is the new search's from now on
        try:
            entered = await self._write(entry)
        except StorageUnavailable:
            if left:
                self._see_out(player_id)
            raise
        if entered.ticket is None:
            raise Refused(Code.TOO_MANY_SESSIONS)
        assert entered.rating is not None
        assert entered.deviation is not None
        assert entered.since is not None
        stands = replace(
            entry,
            ticket=entered.ticket,
            rating=entered.rating,
            deviation=entered.deviation,
            since=entered.since,
        )
        before = self._own.get(player_id)
        self._own[player_id] = Search(stands, topic, paired=entered.paired and before is not None and before.paired)
        if self._shut is not None or not self._hearers.present(player_id):  # gone, while that was written
            self.went(player_id, Cause.CLOSED)
            raise (self._shut or _draining)()
        self.woken()
        return entered.paired or entered.ticket != entry.ticket

    async def _write(self, entry: Entry) -> Entered:
        entered = await self._entering.ask(entry)
        if entered is not None and entered.made is not None:
            # Whoever has made it has told of it, and is about to do this; or has died.
            await self._seekers.finish([str(entered.made)])
            entered = await self._entering.ask(entry)
        if entered is None or not entered.known:
            raise StorageUnavailable("others took this node for dead, and do not know yet that it is not")
        return entered

    def _see_out(self, player_id: str) -> None:
        self._left.add(player_id)
        self.woken()

    async def _restore(self) -> None:
        """Write anew who looked when others took this node for dead; who may have a match, not before that is known."""
        self._forgotten &= self._own.keys()
        lost = [one.entry for one in self.all() if one.player.id in self._forgotten and not one.paired]
        if lost:
            await self._seekers.restore(self._node, lost)
            self._forgotten.difference_update(entry.player.id for entry in lost)

    async def _take_out(self) -> None:
        """Take those out of the queue who went. Who asks again meanwhile waits for it, and comes behind.

        For whom a match is being made stays, and this node does not rest until it is made or they are let go: whoever
        has to make it may be dead, and nobody else looks here.
        """
        async with self._taking_out:
            left = list(self._left)
            if left:
                stay = await self._seekers.leave(self._node, left)
                self._left.difference_update(set(left) - stay)

    async def _enter(self, entries: Sequence[Entry]) -> dict[Entry, Entered]:
        by_id = {entry.player.id: entry for entry in entries}
        entered = await self._seekers.enter(self._node, self._clock.now(), entries, self._rules.live_matches_max)
        return {by_id[player_id]: one for player_id, one in entered.items()}


def _draining() -> Refused:
    return Refused(Code.DRAINING)
