"""Two who were paired get one match, whatever the others do meanwhile and whoever dies."""

import asyncio
from collections.abc import Sequence
from random import Random
from uuid import uuid4

import pytest

from pairquiz_server.rules.absence import Cause
from pairquiz_server.rules.commands import PairPlayers
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.pairing import pair_up
from pairquiz_server.rules.player import Player
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import StorageUnavailable
from pairquiz_server.store.seekers import FRONT, Seekers
from tests.engine.desk import Desk, ids
from tests.engine.stage import ALICE, BOB, CAROL, person


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

    async def test_who_has_played_looks_on_though_the_one_before_is_not_taken_out_yet(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The match is told when it is committed, and its players leave the queue a moment, or a failure, later."""
        await desk.find(ALICE)
        await other_desk.find(BOB)
        taken_out = Seekers.finish

        async def cut(self: Seekers, matches: Sequence[str]) -> None:
            raise StorageUnavailable("cut before the write")

        monkeypatch.setattr(Seekers, "finish", cut)
        with pytest.raises(StorageUnavailable):
            await desk.rounds()
        assert (desk.pairs(), await desk.marked()) == ({ids(ALICE, BOB)}, ["alice", "bob"])
        monkeypatch.setattr(Seekers, "finish", taken_out)
        assert await other_desk.find(BOB) is False
        assert await desk.find(ALICE, topic="History") is False
        await desk.rounds()
        await other_desk.rounds(later_ms=6_000)
        assert await desk.queue() == ["alice", "bob"]
        assert [search.player for search in (*desk.searches.all(), *other_desk.searches.all())] == [ALICE, BOB]
        met = await desk.database.fetch("SELECT player_id, opponent_id FROM pairquiz.encounters ORDER BY 1")
        assert [tuple(row) for row in met] == [("alice", "bob"), ("bob", "alice")], "once each"

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

    @pytest.mark.parametrize("goes", [True, False])
    async def test_who_looked_no_more_when_the_other_ones_node_died_is_found_by_nobody(
        self, desk: Desk, other_desk: Desk, goes: bool
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await self.marked_by_somebody_who_died(other_desk)
        if goes:
            desk.searches.went("alice", Cause.CLOSED)
        else:
            assert await desk.searches.cancel("alice") is False
        await desk.rounds()
        await desk.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", other_desk.id)
        await desk.find(CAROL)
        await desk.rounds(2, later_ms=6_000)
        assert (desk.pairs(), await desk.queue(), await desk.marked()) == (set(), ["carol"], [])

    async def paired_with_somebody_of_a_node_that_is_killed(self, desk: Desk) -> Desk:
        """Let Bob look here, and Alice at a node that dies between marking the two and committing their match."""
        killed = await Desk(desk.node).open()
        await killed.find(ALICE)
        await desk.find(BOB)
        await self.marked_by_somebody_who_died(killed)
        return killed

    async def bury(self, killed: Desk) -> None:
        await killed.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", killed.id)

    @pytest.mark.parametrize("cancels", [True, False])
    async def test_who_goes_then_leaves_no_entry_though_nobody_else_looks_there(
        self, desk: Desk, cancels: bool
    ) -> None:
        await self.bury(await self.paired_with_somebody_of_a_node_that_is_killed(desk))
        if cancels:
            assert await desk.searches.cancel("bob") is False
        else:
            desk.searches.went("bob", Cause.CLOSED)
        await desk.rounds()
        assert await desk.marked() == ["bob"], "the match may still be made"
        await desk.rounds(2, later_ms=6_000)
        assert (desk.pairs(), await desk.marked(), await desk.queue()) == (set(), [], [])
        assert desk.searches.idle, "it asks no more than it has to"

    @pytest.mark.parametrize("topic", ["General", "History"])
    @pytest.mark.parametrize("elsewhere", [True, False])
    async def test_who_goes_then_and_asks_again_anywhere_is_found(
        self, desk: Desk, other_desk: Desk, elsewhere: bool, topic: str
    ) -> None:
        await self.bury(await self.paired_with_somebody_of_a_node_that_is_killed(desk))
        desk.searches.went("bob", Cause.CLOSED)
        await desk.rounds()
        here = other_desk if elsewhere else desk
        assert await here.find(BOB, topic=topic) is True, "a match is being made, as far as anybody knows"
        for place in (desk, other_desk):
            await place.rounds(2, later_ms=6_000)
        assert (await desk.queue(), await desk.marked()) == (["bob"], [])
        await here.find(CAROL, topic=topic)
        await here.rounds()
        assert here.pairs() == {ids(BOB, CAROL)}
        await desk.rounds()
        assert (await desk.queue(), desk.searches.idle, here.searches.idle) == ([], True, True)

    async def test_who_was_at_the_node_that_was_killed_and_asks_elsewhere_has_the_match(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        killed = await self.paired_with_somebody_of_a_node_that_is_killed(desk)
        assert await other_desk.find(ALICE) is True
        await self.bury(killed)
        await other_desk.rounds(2, later_ms=6_000)
        await desk.rounds(2, later_ms=2_000)
        assert other_desk.pairs() == {ids(ALICE, BOB)}
        assert (await desk.marked(), await desk.queue(), desk.searches.idle) == ([], [], True)

    async def test_two_of_whom_one_wants_something_else_by_then_have_the_match_for_which_they_were_found(
        self, desk: Desk
    ) -> None:
        await desk.find(ALICE)
        await desk.find(BOB)
        await self.marked_by_somebody_who_died(desk)
        desk.node.clock.at += 1_000
        assert await desk.find(ALICE, topic="History") is True
        await desk.rounds(2, later_ms=6_000)
        (match,) = desk.paired()
        assert (match.topic, await desk.queue(), await desk.marked()) == ("General", [], [])

    async def test_who_went_while_another_node_could_not_make_the_match_leaves_no_entry(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)

        async def too_few(command: PairPlayers, arrived_at: int) -> object:
            other_desk.searches.went("bob", Cause.CLOSED)
            await other_desk.rounds()
            raise Refused(Code.NOT_ENOUGH_QUESTIONS)

        monkeypatch.setattr(desk.node.committer, "ask", too_few)
        await desk.rounds()
        assert (await desk.queue(), await desk.marked()) == (["alice"], ["bob"])
        await other_desk.rounds(2, later_ms=6_000)
        assert (await desk.queue(), await desk.marked(), other_desk.searches.idle) == (["alice"], [], True)

    async def test_a_cancellation_that_was_not_answered_leaves_no_entry(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.find(ALICE)

        async def cut(self: Seekers, player_id: str) -> bool:
            raise StorageUnavailable("cut before the write")

        monkeypatch.setattr(Seekers, "cancel", cut)
        with pytest.raises(Refused):
            await desk.searches.cancel("alice")
        await desk.rounds()
        assert (await desk.queue(), desk.searches.idle) == ([], True)

    async def test_who_cancels_while_the_match_cannot_be_made_is_found_by_nobody(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        ask = desk.node.committer.ask

        async def too_few(command: PairPlayers, arrived_at: int) -> object:
            assert await desk.searches.cancel("alice") is await other_desk.searches.cancel("bob") is False
            raise Refused(Code.NOT_ENOUGH_QUESTIONS)

        monkeypatch.setattr(desk.node.committer, "ask", too_few)
        await desk.rounds()
        monkeypatch.setattr(desk.node.committer, "ask", ask)
        assert (await desk.queue(), await desk.marked()) == ([], ["bob"]), "each node sees to its own"
        await other_desk.find(CAROL)
        await other_desk.rounds(2, later_ms=6_000)
        assert (other_desk.pairs(), await desk.queue(), await desk.marked()) == (set(), ["carol"], [])

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

    async def test_who_was_let_go_while_the_node_counted_as_dead_gets_no_second_match_of_it(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await self.cut_off_while_it_makes_a_match(desk, monkeypatch)
        await other_desk.rounds(later_ms=6_000)
        await other_desk.find(CAROL)
        await other_desk.rounds()
        assert other_desk.pairs() == {ids(BOB, CAROL)}
        await self.is_back(desk)
        await desk.rounds(3, later_ms=2_000)
        assert (desk.pairs(), await desk.marked()) == (set(), [])
        assert await desk.queue() == ["alice"], "nobody else has found her"
        await other_desk.find(person("dora"))
        await desk.rounds()
        assert desk.pairs() == {ids(ALICE, person("dora"))}
        assert (await desk.queue(), await desk.marked(), desk.searches.idle) == ([], [], True)

    async def test_who_was_found_while_the_node_counted_as_dead_and_was_not_let_go_gets_the_match(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The match was made; only its answer was lost."""
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await self.cut_off_while_it_makes_a_match(desk, monkeypatch, made=True)
        await other_desk.rounds(later_ms=6_000)
        await other_desk.find(CAROL)
        await self.is_back(desk)
        await asyncio.gather(desk.rounds(3, later_ms=2_000), other_desk.rounds(3))
        assert await desk.database.fetchval("SELECT count(*) FROM pairquiz.matches") == 1
        assert (await desk.queue(), await desk.marked(), desk.searches.idle) == (["carol"], [], True)

    async def test_who_asks_again_when_the_node_is_back_has_a_search_of_that_time(
        self, desk: Desk, other_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though the match, of which nobody heard, was made: she looks on, and can stop."""
        await desk.find(ALICE)
        await other_desk.find(BOB)
        await self.cut_off_while_it_makes_a_match(desk, monkeypatch, made=True)
        await self.is_back(desk)
        assert await desk.find(ALICE) is False
        await desk.rounds()
        assert await desk.queue() == ["alice"]
        desk.searches.went("alice", Cause.CLOSED)
        await desk.rounds()
        assert await desk.queue() == []

    async def cut_off_while_it_makes_a_match(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, *, made: bool = False
    ) -> None:
        """Let a node mark its pairs, hear nothing of their matches, and be taken for dead."""
        ask = desk.node.committer.ask

        async def unanswered(command: PairPlayers, arrived_at: int) -> object:
            if made:
                await ask(command, arrived_at)
            raise Refused(Code.STORAGE_UNAVAILABLE)

        with monkeypatch.context() as cut:
            cut.setattr(desk.node.committer, "ask", unanswered)
            await desk.rounds()
        assert await desk.marked() == ["alice", "bob"]
        await desk.database.fetch("DELETE FROM pairquiz.nodes WHERE id = $1", desk.id)

    async def is_back(self, desk: Desk) -> None:
        """Let a node hear that it was taken for dead."""
        await desk.open()
        desk.searches.forgotten()

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
