"""Makes the matches of those who were paired: by a command, under the id by which the two are marked in the queue.

Whoever makes it again, makes no second one. So what a node has left half done, because it died or lost an answer,
another one finishes, and no pair is torn apart by it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.search import FindTopic, Search
from pairquiz_server.engine.searches import Searches
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.pairing import Pair
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.terms import Origin
from pairquiz_server.store.seekers import Seekers, Unfinished

log = structlog.get_logger("pairquiz.matchmaker")

UNFINISHED_MS = 5000
"""Who has made nothing of what it marked for so long is dead, or has lost the answer."""


class Making(Struct, frozen=True):
    """A match that is to be made for two players, of whom the first has waited for longer."""

    match_id: str
    pair: Pair
    players: tuple[Player, Player]
    topic: Topic


class Makings:
    """The matches that one node is making. Every method raises `StorageUnavailable`, and can be called again."""

    def __init__(
        self,
        seekers: Seekers,
        searches: Searches,
        find_topic: FindTopic,
        committer: Committer,
        clock: Clock,
        node: UUID,
        rules: GameRules,
    ) -> None:
        self._seekers = seekers
        self._searches = searches
        self._find_topic = find_topic
        self._committer = committer
        self._clock = clock
        self._node = node
        self._rules = rules
        self._under_way: dict[str, PairPlayers] = {}
        self._made: set[str] = set()

    @property
    def idle(self) -> bool:
        """Whether all is made, and whoever has a match is out of the queue."""
        return not (self._under_way or self._made)

    async def go_on(self) -> None:
        """Make what may be made or not, because nobody has said, and take out who has a match."""
        await self._take_out()
        if self._under_way:
            await self._give_up()
            await self._make(list(self._under_way))

    async def make(self, makings: Sequence[Making]) -> None:
        """Make the matches of pairs that are marked."""
        for making in makings:
            self._under_way[making.match_id] = self._command(making)
            for player in making.players:
                if (search := self._searches.of(player.id)) is not None:
                    search.paired = True
        await self._make([making.match_id for making in makings])

    async def make_alone(self, search: Search, command: PairPlayers) -> bool:
        """Make the match of one who is marked, and plays with nobody of the queue; tell whether it was made."""
        match_id = command.match_id
        search.paired = True
        self._under_way[match_id] = command
        await self._make([match_id])
        search.paired = match_id in self._under_way
        return not search.paired

    async def mend(self) -> None:
        """Do what somebody has left half done for players of this node.

        Of two entries with the same match, the match is made, by the wishes of who has waited for longer: by these they
        were paired, also where the other one has asked for something else since. Where one is left, the other went with
        its node, and with it whoever could still make the match: that player looks on.
        """
        entries: dict[str, list[Unfinished]] = {}
        for entry in await self._seekers.find_unfinished(self._node, self._clock.now() - UNFINISHED_MS):
            if entry.match_id not in self._under_way:
                entries.setdefault(entry.match_id, []).append(entry)
        if entries:
            log.warning("pairs_left_half_done", matches=len(entries))
            await self._finish(entries)

    async def _give_up(self) -> None:
        """Make those no more whose players may have found somebody else since.

        Where this node was taken for dead, its entries went, and who was marked with them was let go. Between this look
        and the write there is no time for that: nobody waits so long for a write.
        """
        seekers = {match_id: 2 if command.ghost is None else 1 for match_id, command in self._under_way.items()}
        standing = await self._seekers.find_standing(seekers)
        for match_id in seekers:
            if match_id not in standing:
                log.warning("pair_not_matched", reason="let go")
                self._let_go(self._under_way.pop(match_id))

    async def _finish(self, entries: Mapping[str, Sequence[Unfinished]]) -> None:
        makings: list[Making] = []
        released: list[str] = []
        for match_id, of_match in entries.items():
            if of_match[0].made:
                self._made.add(match_id)
                continue
            topic = await self._find_topic(of_match[0].topic, of_match[0].seeker.wishes.question_count)
            if len(of_match) == 2 and topic is not None:
                first, second = of_match
                pair, players = (first.seeker, second.seeker), (first.player, second.player)
                makings.append(Making(match_id, pair, players, topic))
            else:
                released.append(match_id)
        if released:
            await self._release(released)
        await self.make(makings)
        await self._take_out()

    async def _make(self, matches: Sequence[str]) -> None:
        """Make matches. One that may be made or not, because nobody has said, is made again in the next round."""
        now = self._clock.now()
        asked = [self._committer.ask(self._under_way[match_id], now) for match_id in matches]
        refused: list[str] = []
        for match_id, outcome in zip(matches, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            if isinstance(outcome, Refused):
                if not outcome.retry or outcome.code is Code.INTERNAL:
                    log.warning("pair_not_matched", reason=outcome.code)
                    refused.append(match_id)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:  # also a `Collision`: somebody has made it already
                self._made.add(match_id)
                self._searches.found(player.id for player in self._under_way.pop(match_id).players)
        if refused:
            await self._release(refused)
            for match_id in refused:
                self._let_go(self._under_way.pop(match_id))
        await self._take_out()

    async def _release(self, matches: Sequence[str]) -> None:
        """Let players of this node look on, if they do: who went or cancelled was kept for the match alone."""
        looking = [search.player.id for search in self._searches.all()]
        await self._seekers.release(matches, self._node, looking)

    def _let_go(self, command: PairPlayers) -> None:
        for player in command.players:
            if (search := self._searches.of(player.id)) is not None:
                search.paired = False

    async def _take_out(self) -> None:
        """Take those out of the queue whose matches are made."""
        if self._made:
            made = list(self._made)
            await self._seekers.finish(made)
            self._made.difference_update(made)

    def _command(self, making: Making) -> PairPlayers:
        first, second = making.pair
        wishes = first.wishes
        return PairPlayers(
            match_id=making.match_id,
            players=making.players,
            origin=Origin.SEARCH,
            topic=making.topic,
            question_count=wishes.question_count,
            time_limit_s=wishes.time_limit_s,
            scoring=replace(self._rules.scoring, profile=wishes.scoring),
            pace=wishes.pace,
            start_delay_ms=self._rules.start_delay_ms,
            ready_ttl_ms=self._rules.ready_ttl_ms,
            ratings=(round(first.rating), round(second.rating)),
        )
