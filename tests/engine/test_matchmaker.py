"""Who looks for somebody is brought together, once: with whom, and with whom not."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from pairquiz_server.engine import matchmaker
from pairquiz_server.engine.search import Search
from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.pairing import pair_up
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.seekers import FRONT
from tests.engine.desk import Desk, ids
from tests.engine.stage import ALICE, BOB, CAROL, DAVE, RULES, Node, person


class TestPair:
    async def test_two_who_look_for_the_same_get_a_match_that_starts_by_itself(self, desk: Desk) -> None:
        assert await desk.find(ALICE, question_count=3) is False
        await desk.rounds()
        assert await desk.queue() == ["alice"]
        await desk.find(BOB, question_count=3)
        await desk.rounds()
        (match,) = desk.paired()
        assert [seat.player for seat in match.seats] == [ALICE, BOB]
        assert (match.status, match.origin, match.question_count) == (Status.READY, Origin.SEARCH, 3)
        assert (match.tick_at, match.ratings) == (desk.node.clock.now() + RULES.start_delay_ms, (1500, 1500))
        assert await desk.node.stored(match) == match
        assert await desk.queue() == await desk.marked() == []
        assert desk.searches.idle

    async def test_they_need_not_be_at_the_same_node(self, desk: Desk, other_desk: Desk) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await other_desk.rounds()
        assert other_desk.pairs() == {ids(ALICE, BOB)}
        assert desk.searches.of("alice") is not None
        await desk.rounds()
        assert (desk.looked_after, desk.searches.idle) == (["alice"], True)
        assert desk.pairs() == set()

    async def test_other_wishes_do_not_meet(self, desk: Desk) -> None:
        for player, wishes in (
            (ALICE, {}),
            (BOB, {"time_limit_s": 20}),
            (CAROL, {"pace": Pace.ROUNDS}),
            (DAVE, {"scoring": ScoringProfile.PRACTICE}),
            (person("erin"), {"topic": "History"}),
        ):
            await desk.find(player, **wishes)  # type: ignore[arg-type]
        await desk.rounds(3, later_ms=60_000)
        assert desk.pairs() == set()

    async def test_the_topics_rating_counts_before_the_one_over_all(self, desk: Desk) -> None:
        topic = await desk.node.game.draws.topic("General", 5)
        assert topic is not None
        await desk.rate(ALICE, 1900)
        await desk.rate(ALICE, 1600, topic_id=topic.id)
        await desk.rate(BOB, 1610)
        await desk.find(ALICE)
        await desk.find(BOB)
        await desk.rounds()
        (match,) = desk.paired()
        assert match.ratings == (1600, 1610)

    async def test_what_is_too_far_away_comes_nearer_with_the_wait(self, desk: Desk) -> None:
        await desk.rate(ALICE, 1500)
        await desk.rate(BOB, 1900)
        await desk.find(ALICE)
        await desk.find(BOB)
        await desk.rounds()
        assert desk.pairs() == set()
        await desk.rounds(later_ms=20_000)
        assert desk.pairs() == {ids(ALICE, BOB)}

    async def test_not_the_same_opponent_a_third_time_where_there_is_a_choice(self, desk: Desk) -> None:
        for _ in range(2):
            await desk.find(ALICE)
            await desk.find(BOB)
            await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}
        await desk.rate(CAROL, 1600)
        for player in (ALICE, BOB, CAROL):
            await desk.find(player)
        await desk.rounds()
        latest = desk.paired()[-1]
        assert latest.seat_of("carol") is not None
        left = BOB if latest.seat_of("alice") is not None else ALICE
        other = BOB if left is ALICE else ALICE
        await desk.find(other)
        await desk.rounds()
        assert desk.paired()[-1].seat_of(left.id) is not None

    @pytest.mark.parametrize("who", [0, 1])
    async def test_who_blocked_whom_is_all_the_same_and_also_while_both_look(self, desk: Desk, who: int) -> None:
        match = await desk.node.started()
        await desk.find(ALICE)
        await desk.find(BOB)
        blocking, blocked = (ALICE, BOB)[:: 1 if who == 0 else -1]
        assert await Blocks(desk.database).block(blocking.id, blocked.id, match.created_at)
        assert not await Blocks(desk.database).block(blocking.id, blocked.id, match.created_at)
        await desk.rounds(3, later_ms=60_000)
        assert desk.pairs() == set()
        assert await Blocks(desk.database).unblock(blocking.id, blocked.id)
        assert not await Blocks(desk.database).unblock(blocking.id, blocked.id)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}

    async def test_a_block_between_the_look_and_the_mark_counts(self, desk: Desk) -> None:
        match = await desk.node.started()
        await desk.find(ALICE)
        await desk.find(BOB)
        queue = await desk.seekers.read_queue(FRONT, 10)
        await Blocks(desk.database).block("bob", "alice", match.created_at)
        (pair,) = pair_up([queued.seeker for queued in queue], desk.node.clock.now())
        assert await desk.seekers.mark({str(uuid4()): pair}, 1) == {}
        assert await desk.queue() == ["alice", "bob"]

    async def test_nobody_is_paired_whose_node_is_silent(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        last_beat = "(SELECT game_at FROM pairquiz.heartbeat)"
        await desk.database.fetch(f"UPDATE pairquiz.nodes SET beaten_at = {last_beat} - 1501")
        await desk.rounds(3)
        assert desk.pairs() == set()
        await desk.database.fetch(f"UPDATE pairquiz.nodes SET beaten_at = {last_beat} - 1500")
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}

    async def test_nobody_is_paired_or_counted_whose_node_has_just_died(
        self, desk: Desk, other_desk: Desk, database_url: str
    ) -> None:
        """Its last beat is no older than others'; its session is gone."""
        session = await asyncpg.connect(database_url)
        await desk.database.fetch(
            "UPDATE pairquiz.nodes SET session_pid = $1 WHERE id = $2", session.get_server_pid(), other_desk.id
        )
        await other_desk.find(BOB)
        assert [queued.seeker.player_id for queued in await desk.seekers.read_queue(FRONT, 10)] == [BOB.id]
        await session.close()
        async with asyncio.timeout(20):
            while await desk.database.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", session.get_server_pid()):
                pass
        await desk.find(ALICE)
        await desk.rounds(2, later_ms=2_000)
        assert desk.pairs() == set()
        assert [news.seeking for _, news in desk.news] == [1, 1]
        await desk.find(CAROL)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, CAROL)}

    async def test_who_wants_something_else_between_the_look_and_the_mark_is_not_paired(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        queue = await desk.seekers.read_queue(FRONT, 10)
        (pair,) = pair_up([queued.seeker for queued in queue], desk.node.clock.now())
        await desk.find(BOB, topic="History")
        assert await desk.seekers.mark({str(uuid4()): pair}, 1) == {}
        assert await desk.queue() == ["alice", "bob"]

    async def test_a_long_queue_is_paired_in_stretches(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(matchmaker, "STRETCH", 8)
        monkeypatch.setattr(matchmaker, "OVERLAP", 2)
        players = [person(f"p{number:02}") for number in range(40)]
        await asyncio.gather(*(desk.find(player) for player in players))
        await desk.rounds()
        assert len(desk.pairs()) == 20
        assert await desk.queue() == []

    async def test_who_chose_another_name_meanwhile_is_called_so(self, desk: Desk) -> None:
        await desk.rate(ALICE, 1500)
        await desk.find(ALICE)
        await desk.database.fetch("UPDATE pairquiz.players SET display_name = 'Ada' WHERE id = 'alice'")
        await desk.find(BOB)
        await desk.rounds()
        assert desk.paired()[0].seats[0].player.display_name == "Ada"


class TestEnd:
    async def test_a_node_that_stops_refuses_and_leaves_nobody_behind(self, desk: Desk, other_desk: Desk) -> None:
        await other_desk.find(CAROL, topic="History")
        running = asyncio.create_task(desk.matchmaker.run())
        await desk.find(ALICE)
        desk.matchmaker.stop()
        await running
        assert await desk.queue() == ["carol"]
        assert await desk.refused(ALICE) == "draining"

    async def test_a_node_where_nobody_looks_asks_nothing(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(desk.database), "fetch", None)
        await desk.rounds(3, later_ms=10_000)

    async def test_a_new_search_wakes_whoever_pairs(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        found = asyncio.Event()
        monkeypatch.setattr(desk.node, "announce", lambda decision, origin: found.set())
        running = asyncio.create_task(desk.matchmaker.run())
        await desk.find(ALICE)
        await desk.find(BOB)
        async with asyncio.timeout(20):
            await found.wait()
        desk.matchmaker.stop()
        await running


class TestGhost:
    async def test_who_takes_a_ghost_and_waited_long_enough_is_asked_for_one(self, node: Node) -> None:
        asked: list[str] = []
        recorded = await node.started()

        async def ghost(search: Search) -> None:
            asked.append(search.player.id)
            found = await node.game.draws.topic(search.topic, 5)
            assert found is not None

            def make(match_id: str, player: Player) -> PairPlayers:
                return PairPlayers(
                    match_id=match_id,
                    players=(player, BOB),
                    origin=Origin.GHOST,
                    topic=found,
                    question_count=5,
                    time_limit_s=30,
                    scoring=RULES.scoring,
                    pace=Pace.FREE,
                    start_delay_ms=3000,
                    ready_ttl_ms=1000,
                    ghost=Ghost(recorded.id, 1),
                )

            assert await desk.matchmaker.pair_alone(search, make)
            assert not await desk.matchmaker.pair_alone(search, make)

        desk = await Desk(node, ghost=ghost).open()
        await desk.find(ALICE, accept_ghost=True)
        await desk.find(CAROL, topic="History")
        await desk.rounds(2, later_ms=2_000)
        assert asked == []
        await desk.rounds(later_ms=2_000)
        assert asked == ["alice"]
        assert [match.origin for match in desk.paired()] == [Origin.GHOST]
        assert await desk.queue() == ["carol"]

    async def test_one_for_whom_there_is_none_looks_on_and_is_asked_for_now_and_then(self, node: Node) -> None:
        asked: list[str] = []

        async def ghost(search: Search) -> None:
            asked.append(search.player.id)

        desk = await Desk(node, ghost=ghost).open()
        await desk.find(ALICE, accept_ghost=True)
        await desk.rounds(10, later_ms=1_000)
        assert asked == ["alice"] * 2
        assert await desk.queue() == ["alice"]
