"""Brings together who looks for an opponent. Each node does it for its own people, beside all others, and nobody leads.

A node reads the queue as it lies and locks nothing; the rules say who is to meet whom; one statement then marks, of
these pairs, those of which both still look, each with the match that is to be made. Two nodes that have found the same
player cannot both have marked it. A node marks only pairs with somebody of its own, so that there is always one to whom
the pair matters, and nothing is asked while nobody looks.

What becomes of a pair that is marked, `engine/making` sees to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import structlog

from pairquiz_server.engine.clock import Clock
from pairquiz_server.engine.committer import Committer, Ready, always
from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.making import Making, Makings
from pairquiz_server.engine.pace import Pace
from pairquiz_server.engine.search import FindTopic, Search
from pairquiz_server.engine.searches import Searches
from pairquiz_server.rules.commands import PairPlayers, Topic
from pairquiz_server.rules.pairing import Pair, pair_up
from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.seekers import FRONT, Queued, Seekers

log = structlog.get_logger("pairquiz.matchmaker")

ROUND_S = 0.3
"""So long rests who has looked, while somebody waits: what was too far away comes nearer."""
BREATH_S = 0.02
"""So long at least, however many begin to look meanwhile; and as long as the round took."""
NOBODY_S = 60.0
LOOK_EVERY_MS = 2000
STRETCH = 500
"""So many are read and paired at once: commands wait no longer than that takes, some milliseconds."""
OVERLAP = 20
"""The next stretch begins so many before the end of the last one, or nobody there would meet who stands behind it."""
GHOST_AGAIN_MS = 5000

Ghost = Callable[[Search], Awaitable[None]]
"""Looks for a recorded run to play against, and lets `Matchmaker.pair_alone` make the match where there is one."""


class Matchmaker:
    """Pairs those who look for an opponent at one node, with each other and with those of other nodes."""

    def __init__(
        self,
        seekers: Seekers,
        searches: Searches,
        find_topic: FindTopic,
        committer: Committer,
        clock: Clock,
        node: UUID,
        rules: GameRules,
        *,
        ready: Ready = always,
        ghost: Ghost | None = None,
        ghost_wait_ms: int = 0,
    ) -> None:
        self._seekers = seekers
        self._searches = searches
        self._find_topic = find_topic
        self._clock = clock
        self._node = node
        self._ready = ready
        self._ghost = ghost
        self._ghost_wait_ms = ghost_wait_ms
        self._makings = Makings(seekers, searches, find_topic, committer, clock, node, rules)
        self._looks_at = 0
        self._pace = Pace()
        searches.woken = self._pace.hurry

    def stop(self) -> None:
        """Let nobody look here any more (`draining`), and let `run` return after its round."""
        self._searches.close()
        self._pace.stop()

    async def run(self) -> None:
        """Pair until `stop`; then nobody of this node is left in the queue."""
        loop = asyncio.get_running_loop()
        failing = False
        while not self._pace.stopped:
            began = loop.time()
            try:
                await self.round()
                failing = False
            except StorageUnavailable as error:
                if not failing:
                    log.warning("pairing_failed", reason=str(error))
                failing = True
            except Exception:
                log.exception("pairing_failed")  # a fault of ours must not end all pairing
                failing = True
            if not self._pace.stopped:
                await asyncio.sleep(min(max(loop.time() - began, BREATH_S), ROUND_S))
            await self._pace.rest(ROUND_S if failing or self._busy else NOBODY_S)
        try:
            await self._searches.leave()
        except StorageUnavailable as error:
            log.warning("queue_not_left", reason=str(error))  # the others take this node for dead in a moment

    async def round(self) -> None:
        """Pair all who can be by now. Raises `StorageUnavailable`."""
        if not self._busy:
            return
        await self._ready()
        await self._makings.go_on()
        await self._searches.tidy()
        looks = self._clock.now() >= self._looks_at
        if looks:
            self._looks_at = self._clock.now() + LOOK_EVERY_MS
            await self._makings.mend()
        await self._pair_all()
        await self._ask_for_ghosts()
        if looks:
            await self._searches.look()

    async def _pair_all(self) -> None:
        """Go once through the queue."""
        behind = FRONT
        while len(self._searches):
            stretch = await self._seekers.read_queue(behind, STRETCH)
            await self._pair(stretch)
            if len(stretch) < STRETCH:
                break
            behind = stretch[-OVERLAP].place

    async def pair_alone(self, search: Search, make: Callable[[str, Player], PairPlayers]) -> bool:
        """Take a player out of the queue, for a match (of this id) with nobody of it; tell whether it was made.

        False too where the player does not look any more, or was just paired. Raises `StorageUnavailable`.
        """
        match_id, entry = str(uuid4()), search.entry
        player = await self._seekers.claim(entry.player.id, entry.ticket, match_id, self._clock.now())
        if player is None:
            return False
        return await self._makings.make_alone(search, make(match_id, player))

    @property
    def _busy(self) -> bool:
        return not self._searches.idle or not self._makings.idle

    async def _pair(self, stretch: Sequence[Queued]) -> None:
        """Pair those who stand in a stretch of the queue, as far as they are this node's to pair."""
        now = self._clock.now()
        node_of = {queued.seeker.player_id: queued.node for queued in stretch}
        pairs: dict[str, Pair] = {}
        topics: dict[str, Topic] = {}
        for pair in pair_up((queued.seeker for queued in stretch), now):
            if self._node in {node_of[seeker.player_id] for seeker in pair}:
                topic = await self._topic_of(pair)
                if topic is not None:
                    match_id = str(uuid4())
                    pairs[match_id], topics[match_id] = pair, topic
        if not pairs:
            return
        marked = await self._seekers.mark(pairs, now)
        await self._makings.make(
            [
                Making(match_id, pair, (players[pair[0].player_id], players[pair[1].player_id]), topics[match_id])
                for match_id, pair in pairs.items()
                if (players := marked.get(match_id)) is not None
            ]
        )

    async def _topic_of(self, pair: Pair) -> Topic | None:
        """Return what two will play, None where it cannot be played, or nobody of the two looks here any more."""
        for seeker in pair:
            search = self._searches.of(seeker.player_id)
            if search is not None and search.entry.wishes == seeker.wishes:
                found = await self._find_topic(search.topic, seeker.wishes.question_count)
                enough = found is not None and found.available >= seeker.wishes.question_count
                return found if enough else None
        return None

    async def _ask_for_ghosts(self) -> None:
        """Ask for a recorded run for those who take one, and have waited for nobody long enough."""
        if self._ghost is None:
            return
        now = self._clock.now()
        for search in self._searches.all():
            if not search.entry.accept_ghost or search.paired or search.waited_ms(now) < self._ghost_wait_ms:
                continue
            if now - search.ghost_asked_at >= GHOST_AGAIN_MS:
                search.ghost_asked_at = now
                await self._ghost(search)
