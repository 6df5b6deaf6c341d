"""What one process has to bring players together, beside a node of the stage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.matchmaker import Ghost, Matchmaker
from pairquiz_server.engine.search import Hearers, SearchNews
from pairquiz_server.engine.searches import Searches
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import PlayersPaired
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.seekers import Seekers
from tests.engine.stage import RULES, Node


class Desk:
    """Where players of one node look for somebody. A round is one when the test says so."""

    def __init__(
        self, node: Node, *, live_matches_max: int = 0, ghost: Ghost | None = None, turns: Turns | None = None
    ) -> None:
        self.node = node
        self.id: UUID = uuid4()
        self.database: Database = node.database
        self.seekers = Seekers(node.database)
        self.news: list[tuple[str, SearchNews]] = []
        self.ended: list[tuple[str, Refused]] = []
        self.looked_after: list[str] = []
        self.gone: set[str] = set()
        rules = replace(RULES, live_matches_max=live_matches_max)
        hearers = Hearers(
            search=lambda player_id, news: self.news.append((player_id, news)),
            end=lambda player_id, why: self.ended.append((player_id, why)),
            look_after=self.looked_after.append,
            present=lambda player_id: player_id not in self.gone,
        )
        clock: Any = node.clock
        self.searches = Searches(self.seekers, node.game.draws.topic, clock, self.id, rules, hearers, turns=turns)
        self.matchmaker = Matchmaker(
            self.seekers,
            self.searches,
            node.game.draws.topic,
            node.committer,
            clock,
            self.id,
            rules,
            ready=node.until_fit,
            ghost=ghost,
            ghost_wait_ms=5000,
        )

    async def open(self) -> "Desk":
        await Nodes(self.database).enter(self.id, self.node.clock.now())
        return self

    async def find(self, player: Player, topic: str = "General", **wishes: Any) -> bool:
        return await self.searches.find(player, topic=topic, **wishes)

    async def refused(self, player: Player, **wishes: Any) -> str:
        """The code of the refusal that a player gets who looks for somebody."""
        with pytest.raises(Refused) as refusal:
            await self.find(player, **wishes)
        return refusal.value.code

    async def rate(self, player: Player, rating: float, *, topic_id: int = 0, deviation: float = 50) -> None:
        """Let a player have a rating, over all or in a topic."""
        await self.database.fetch(
            "INSERT INTO pairquiz.players VALUES ($1, 'user', $2, NULL, 1) ON CONFLICT DO NOTHING",
            player.id,
            player.display_name,
        )
        await self.database.fetch(
            "INSERT INTO pairquiz.ratings VALUES ($1, $2, $3, $4, 0.06, 9, 1)", player.id, topic_id, rating, deviation
        )

    async def rounds(self, count: int = 1, *, later_ms: int = 0) -> None:
        for _ in range(count):
            self.node.clock.at += later_ms
            await self.matchmaker.round()

    def paired(self) -> list[Match]:
        """The matches of which this node has told that two were brought together."""
        return [
            decision.match
            for decision in self.node.told
            if any(isinstance(event, PlayersPaired) for event in decision.events)
        ]

    def pairs(self) -> set[frozenset[str]]:
        return {frozenset(seat.player.id for seat in match.seats) for match in self.paired()}

    async def queue(self) -> list[str]:
        """Who stands in the queue, for whom no match is being made."""
        query = "SELECT player_id FROM pairquiz.seekers WHERE match_id IS NULL ORDER BY player_id"
        return [record["player_id"] for record in await self.database.fetch(query)]

    async def marked(self) -> list[str]:
        """For whom a match is being made."""
        query = "SELECT player_id FROM pairquiz.seekers WHERE match_id IS NOT NULL ORDER BY player_id"
        return [record["player_id"] for record in await self.database.fetch(query)]

    @asynccontextmanager
    async def making(self) -> AsyncIterator["asyncio.Task[None]"]:
        """While inside, a round has marked its pairs and cannot commit their matches."""
        self.node.matches.flowing.clear()
        self.node.matches.began.clear()
        round_ = asyncio.create_task(self.matchmaker.round())
        await self.node.matches.began.wait()
        try:
            yield round_
        finally:
            self.node.matches.flowing.set()
            await round_


def ids(*players: Player) -> frozenset[str]:
    """Who plays one match."""
    return frozenset(player.id for player in players)
