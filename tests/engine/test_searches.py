"""Whoever looks for an opponent stands in the queue once, and out of it once they do not look any more."""

import asyncio

import pytest

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.nodes import Nodes
from tests.engine.desk import Desk, ids
from tests.engine.stage import ALICE, BOB, CAROL, HandClock, Node, add_topic, running_node, unreachable_database


class TestSearch:
    async def test_the_same_wishes_again_are_a_duplicate_and_the_wait_goes_on(self, desk: Desk) -> None:
        await desk.find(ALICE)
        desk.node.clock.at += 7_000
        assert await desk.find(ALICE) is True
        await desk.rounds()
        ((player_id, news),) = desk.news
        assert (player_id, news.waited_ms, news.seeking) == ("alice", 7_000, 1)
        assert news.rating_range == 50 + 350 + 7 * 20

    async def test_other_wishes_take_their_place_and_the_wait_begins_anew(self, desk: Desk) -> None:
        await desk.find(ALICE)
        desk.node.clock.at += 7_000
        assert await desk.find(ALICE, topic="History") is False
        await desk.rounds()
        assert [news.waited_ms for _, news in desk.news] == [0]
        await desk.find(BOB)
        await desk.rounds()
        assert desk.pairs() == set()
        await desk.find(BOB, topic=" HISTORY ")
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}

    async def test_a_player_who_asks_again_at_another_node_is_there_from_now_on(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        await desk.find(ALICE)
        assert await other_desk.find(ALICE) is True
        desk.searches.went("alice", Cause.CLOSED)
        await desk.rounds()
        assert await desk.queue() == ["alice"]
        other_desk.searches.went("alice", Cause.CLOSED)
        await other_desk.rounds()
        assert await desk.queue() == []

    async def test_a_player_has_one_search_however_many_ask_at_once(self, desk: Desk, other_desk: Desk) -> None:
        asked = await asyncio.gather(*(place.find(ALICE) for place in (desk, other_desk) for _ in range(5)))
        assert sorted(asked) == [False] + [True] * 9
        await desk.rounds(2, later_ms=3000)
        assert (desk.pairs(), await desk.queue()) == (set(), ["alice"])

    async def test_it_is_told_every_two_seconds_and_counts_who_looks_for_the_same(self, desk: Desk) -> None:
        await desk.rate(ALICE, 1000)
        await desk.find(ALICE)
        await desk.find(BOB)
        await desk.find(CAROL, topic="History")
        await desk.rounds(4, later_ms=500)
        assert sorted((player_id, news.seeking) for player_id, news in desk.news) == [
            ("alice", 2),
            ("bob", 2),
            ("carol", 1),
        ]
        await desk.rounds(later_ms=1000)
        assert len(desk.news) == 6

    async def test_who_cancels_is_not_found(self, desk: Desk) -> None:
        await desk.find(ALICE)
        assert await desk.searches.cancel("alice") is True
        assert await desk.searches.cancel("alice") is False
        await desk.find(BOB)
        await desk.rounds()
        assert (desk.pairs(), await desk.queue()) == (set(), ["bob"])

    async def test_who_cancels_at_another_node_is_forgotten_here(self, desk: Desk, other_desk: Desk) -> None:
        await desk.find(ALICE)
        assert await other_desk.searches.cancel("alice") is True
        await desk.rounds()
        assert (desk.news, desk.searches.idle) == ([], True)

    async def test_who_goes_is_taken_out_and_who_comes_again_at_once_is_in(self, desk: Desk) -> None:
        await desk.find(ALICE)
        desk.searches.went("alice", Cause.CONNECTION_LOST)
        desk.searches.went("alice", Cause.CONNECTION_LOST)
        assert await desk.find(ALICE) is False
        await desk.rounds()
        assert await desk.queue() == ["alice"]
        desk.searches.went("alice", Cause.CLOSED)
        await desk.rounds()
        assert (await desk.queue(), desk.searches.idle) == ([], True)

    async def test_who_goes_while_the_entry_is_written_is_not_left_behind(self, desk: Desk) -> None:
        desk.gone.add("alice")
        assert await desk.refused(ALICE) == "draining"
        await desk.rounds()
        assert await desk.queue() == []

    async def test_an_unknown_topic_or_one_with_too_few_questions_is_refused(self, desk: Desk) -> None:
        await add_topic(desk.node, "Small", 3)
        assert await desk.refused(ALICE, topic="Nothing of the kind") == "not_enough_questions"
        assert await desk.refused(ALICE, topic="Small", question_count=4) == "not_enough_questions"
        assert await desk.find(ALICE, topic="Small", question_count=3) is False

    async def test_who_is_in_too_many_matches_looks_for_no_other_one(self, node: Node) -> None:
        desk = await Desk(node, live_matches_max=2).open()
        await node.waiting()
        await desk.find(ALICE)
        await node.waiting()
        assert await desk.find(ALICE) is True  # looks already
        await desk.searches.cancel("alice")
        assert await desk.refused(ALICE) == "too_many_sessions"
        assert await desk.queue() == []

    async def test_it_ends_where_its_topic_has_shrunk(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        await desk.find(ALICE)

        async def shrunk(topic: str, count: int) -> None:
            return None

        monkeypatch.setattr(desk.searches, "_find_topic", shrunk)
        monkeypatch.setattr(desk.matchmaker, "_find_topic", shrunk)
        await desk.rounds(2)
        assert [(player_id, why.code) for player_id, why in desk.ended] == [("alice", "not_enough_questions")]
        assert (await desk.queue(), desk.searches.idle) == ([], True)

    async def test_nothing_is_found_while_the_database_is_away(self, clock: HandClock) -> None:
        async with unreachable_database() as away, running_node(away, clock) as node:
            desk = Desk(node)
            assert await desk.refused(ALICE) == "storage_unavailable"
            with pytest.raises(Refused) as refusal:
                await desk.searches.cancel("alice")
            assert refusal.value.code is Code.STORAGE_UNAVAILABLE

    async def test_a_node_that_others_have_buried_refuses_until_it_is_back(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await Nodes(desk.database).enter(desk.id, desk.node.clock.now())
        await desk.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", desk.id)
        assert await desk.queue() == []
        assert await desk.refused(BOB) == "storage_unavailable"
        await Nodes(desk.database).enter(desk.id, desk.node.clock.now())
        desk.searches.forgotten()
        desk.node.clock.at += 1_000
        await desk.find(BOB)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}
