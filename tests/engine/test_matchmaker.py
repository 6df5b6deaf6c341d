"""Who looks for somebody is brought together, once, whatever the others do and whoever dies."""

import asyncio
from random import Random
from uuid import uuid4

import asyncpg
import pytest

from pairquiz_server.engine import matchmaker
from pairquiz_server.engine.searches import Search
from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.pairing import pair_up
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from pairquiz_server.store.blocks import Blocks
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.seekers import FRONT
from tests.engine.desk import Desk
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    RULES,
    HandClock,
    Node,
    add_topic,
    person,
    running_node,
    unreachable_database,
)

PLAYERS = (ALICE, BOB, CAROL, DAVE)


@pytest.fixture
async def desk(node: Node) -> Desk:
    return await Desk(node).open()


@pytest.fixture
async def other_desk(other_node: Node) -> Desk:
    return await Desk(other_node).open()


def ids(*players: Player) -> frozenset[str]:
    return frozenset(player.id for player in players)


async def rate(desk: Desk, player: Player, rating: float, *, topic_id: int = 0, deviation: float = 50) -> None:
    await desk.database.fetch(
        "INSERT INTO pairquiz.players VALUES ($1, 'user', $2, NULL, 1) ON CONFLICT DO NOTHING",
        player.id,
        player.display_name,
    )
    await desk.database.fetch(
        "INSERT INTO pairquiz.ratings VALUES ($1, $2, $3, $4, 0.06, 9, 1)", player.id, topic_id, rating, deviation
    )


async def refused(desk: Desk, player: Player, **wishes: object) -> str:
    with pytest.raises(Refused) as refusal:
        await desk.find(player, **wishes)  # type: ignore[arg-type]
    return refusal.value.code


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
        await rate(desk, ALICE, 1900)
        await rate(desk, ALICE, 1600, topic_id=topic.id)
        await rate(desk, BOB, 1610)
        await desk.find(ALICE)
        await desk.find(BOB)
        await desk.rounds()
        (match,) = desk.paired()
        assert match.ratings == (1600, 1610)

    async def test_what_is_too_far_away_comes_nearer_with_the_wait(self, desk: Desk) -> None:
        await rate(desk, ALICE, 1500)
        await rate(desk, BOB, 1900)
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
        await rate(desk, CAROL, 1600)
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
        await rate(desk, ALICE, 1500)
        await desk.find(ALICE)
        await desk.database.fetch("UPDATE pairquiz.players SET display_name = 'Ada' WHERE id = 'alice'")
        await desk.find(BOB)
        await desk.rounds()
        assert desk.paired()[0].seats[0].player.display_name == "Ada"


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
        await rate(desk, ALICE, 1000)
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
        assert await refused(desk, ALICE) == "draining"
        await desk.rounds()
        assert await desk.queue() == []

    async def test_an_unknown_topic_or_one_with_too_few_questions_is_refused(self, desk: Desk) -> None:
        await add_topic(desk.node, "Small", 3)
        assert await refused(desk, ALICE, topic="Nothing of the kind") == "not_enough_questions"
        assert await refused(desk, ALICE, topic="Small", question_count=4) == "not_enough_questions"
        assert await desk.find(ALICE, topic="Small", question_count=3) is False

    async def test_who_is_in_too_many_matches_looks_for_no_other_one(self, node: Node) -> None:
        desk = await Desk(node, live_matches_max=2).open()
        await node.waiting()
        await desk.find(ALICE)
        await node.waiting()
        assert await desk.find(ALICE) is True  # looks already
        await desk.searches.cancel("alice")
        assert await refused(desk, ALICE) == "too_many_sessions"
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
            assert await refused(desk, ALICE) == "storage_unavailable"
            with pytest.raises(Refused) as refusal:
                await desk.searches.cancel("alice")
            assert refusal.value.code is Code.STORAGE_UNAVAILABLE

    async def test_a_node_that_others_have_buried_refuses_until_it_is_back(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await Nodes(desk.database).enter(desk.id, desk.node.clock.now())
        await desk.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", desk.id)
        assert await desk.queue() == []
        assert await refused(desk, BOB) == "storage_unavailable"
        await Nodes(desk.database).enter(desk.id, desk.node.clock.now())
        desk.searches.forgotten()
        desk.node.clock.at += 1_000
        await desk.find(BOB)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}


class TestCrossing:
    async def test_a_cancel_that_comes_after_the_pairing_is_too_late_and_the_match_is_told(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        async with desk.making():
            assert await desk.marked() == ["alice", "bob"]
            assert await desk.searches.cancel("alice") is False
        assert desk.pairs() == {ids(ALICE, BOB)}
        assert await desk.marked() == []

    async def test_who_asks_again_while_the_match_is_made_gets_that_one_alone(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        async with desk.making():
            assert await desk.find(ALICE) is True
            assert await desk.find(ALICE, topic="History") is True
            assert await other_desk.find(BOB) is True
            await other_desk.rounds()
        await other_desk.rounds()
        assert (desk.pairs(), other_desk.pairs()) == ({ids(ALICE, BOB)}, set())
        assert (await desk.queue(), desk.searches.idle) == ([], True)

    async def test_who_goes_while_the_match_is_made_has_it(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        async with desk.making():
            desk.searches.went("alice", Cause.CLOSED)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}
        assert desk.searches.idle

    async def test_nodes_that_pair_the_same_queue_at_once_pair_nobody_twice(self, desk: Desk, other_desk: Desk) -> None:
        players = [person(f"p{number:02}") for number in range(60)]
        for _ in range(3):
            await asyncio.gather(
                *((desk, other_desk)[number % 2].find(player) for number, player in enumerate(players))
            )
            await asyncio.gather(*(place.rounds(3) for place in (desk, other_desk)))
        told = [*desk.paired(), *other_desk.paired()]
        assert len({match.id for match in told}) == len(told) == 3 * 30
        assert await desk.queue() == await desk.marked() == []

    @pytest.mark.parametrize("seed", range(4))
    async def test_whatever_players_and_nodes_do_at_once_everybody_has_one_opponent(
        self, desk: Desk, other_desk: Desk, seed: int
    ) -> None:
        """Each asks until found, now here and now there, cancels, goes and comes back; then nobody is left over."""
        random = Random(seed)
        players = [person(f"p{number:02}") for number in range(20)]
        rounds = asyncio.create_task(self._pair_until_stopped(desk, other_desk))

        async def live(player: Player) -> None:
            for _ in range(random.randrange(4)):
                place = random.choice((desk, other_desk))
                await place.find(player, topic=random.choice(("General", "History")))
                if random.random() < 0.4:
                    await random.choice((desk, other_desk)).searches.cancel(player.id)
                if random.random() < 0.3:
                    place.searches.went(player.id, Cause.CLOSED)

        await asyncio.gather(*map(live, players))
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
        for place in (desk, other_desk):
            await place.rounds(2, later_ms=6_000)
        held: dict[str, list[str]] = {}
        query = "SELECT id, player1_id, player2_id FROM pairquiz.matches"
        for record in await desk.database.fetch(query):
            assert record["player1_id"] != record["player2_id"]
            for key in ("player1_id", "player2_id"):
                held.setdefault(record[key], []).append(str(record["id"]))
        told = {match.id for match in (*desk.paired(), *other_desk.paired())}
        assert {match_id for matches in held.values() for match_id in matches} == told
        assert await desk.marked() == []
        by_topic = await desk.database.fetch("SELECT topic_id FROM pairquiz.seekers")
        assert len(by_topic) == len({record["topic_id"] for record in by_topic}), "two who could meet were left"

    async def _pair_until_stopped(self, *desks: Desk) -> None:
        while True:
            await asyncio.gather(*(desk.rounds() for desk in desks))
            await asyncio.sleep(0)


class TestHalfDone:
    async def marked_by_somebody_who_died(self, *desks: Desk) -> str:
        """Mark Alice and Bob as one would who has died since."""
        queue = await desks[0].seekers.read_queue(FRONT, 10)
        (pair,) = pair_up([queued.seeker for queued in queue], desks[0].node.clock.now())
        match_id = str(uuid4())
        assert await desks[0].seekers.mark({match_id: pair}, desks[0].node.clock.now())
        return match_id

    async def test_another_makes_the_match_that_was_marked_and_makes_it_once(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        match_id = await self.marked_by_somebody_who_died(desk)
        await other_desk.rounds(later_ms=4_000)
        assert other_desk.pairs() == set(), "whoever has marked them may still be at it"
        await other_desk.rounds(later_ms=2_000)
        assert [match.id for match in other_desk.paired()] == [match_id]
        await desk.rounds(2, later_ms=2_000)
        assert (desk.pairs(), await desk.marked(), desk.searches.idle) == (set(), [], True)
        assert desk.looked_after == ["alice"]

    async def test_both_make_it_at_once_and_it_is_one(self, desk: Desk, other_desk: Desk) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        match_id = await self.marked_by_somebody_who_died(desk)
        desk.node.clock.at += 6_000
        await asyncio.gather(desk.rounds(), other_desk.rounds())
        assert [match.id for match in (*desk.paired(), *other_desk.paired())] == [match_id]
        assert await desk.marked() == []

    async def test_one_that_was_made_already_is_only_tidied_up(self, desk: Desk) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        match_id = await self.marked_by_somebody_who_died(desk)
        await desk.node.paired(match_id=match_id)
        await desk.rounds(later_ms=6_000)
        assert [match.id for match in desk.paired()] == [match_id]
        assert await desk.marked() == []
        assert await desk.database.fetchval("SELECT count(*) FROM pairquiz.encounters") == 2

    async def test_who_was_paired_with_somebody_of_a_node_that_died_looks_on(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await self.marked_by_somebody_who_died(other_desk)
        await desk.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", other_desk.id)
        await desk.rounds(later_ms=6_000)
        assert (await desk.queue(), await desk.marked()) == (["alice"], [])
        await desk.find(CAROL)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, CAROL)}

    async def test_a_nodes_death_leaves_no_entry_behind(self, desk: Desk, other_desk: Desk) -> None:
        await other_desk.find(BOB)
        await desk.find(ALICE, topic="History")
        now = desk.node.clock.now()
        await Nodes(desk.database).beat(desk.id, now + 9_000, 60_000, after_silence=False)
        await Nodes(desk.database).bury(5_000)
        assert await desk.queue() == ["alice"]

    @pytest.mark.parametrize("cut", ["cut_before", "cut_after"])
    async def test_a_commit_whose_answer_is_lost_makes_one_match(self, desk: Desk, cut: str) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        setattr(desk.node.matches, cut, True)
        round_ = asyncio.create_task(desk.matchmaker.round())
        await desk.node.matches.resolved.wait()
        setattr(desk.node.matches, cut, False)
        await round_
        await desk.rounds(2)
        assert await desk.database.fetchval("SELECT count(*) FROM pairquiz.matches") == 1
        assert await desk.queue() == await desk.marked() == []

    async def test_a_pair_whose_topic_shrank_in_that_moment_looks_on(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        ask = desk.node.committer.ask

        async def too_few(command: PairPlayers, arrived_at: int) -> object:
            raise Refused(Code.NOT_ENOUGH_QUESTIONS)

        monkeypatch.setattr(desk.node.committer, "ask", too_few)
        await desk.rounds()
        assert (await desk.queue(), await desk.marked()) == (["alice", "bob"], [])
        monkeypatch.setattr(desk.node.committer, "ask", ask)
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, BOB)}


class TestEnd:
    async def test_a_node_that_stops_refuses_and_leaves_nobody_behind(self, desk: Desk, other_desk: Desk) -> None:
        await other_desk.find(CAROL, topic="History")
        running = asyncio.create_task(desk.matchmaker.run())
        await desk.find(ALICE)
        desk.matchmaker.stop()
        await running
        assert await desk.queue() == ["carol"]
        assert await refused(desk, ALICE) == "draining"

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
