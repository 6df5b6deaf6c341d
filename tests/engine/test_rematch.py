"""Rematches on two nodes of one database: whatever fails, both who asked are in exactly one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from pairquiz_server.engine import rematch as rematch_module
from pairquiz_server.engine.rematch import MENDS_AFTER_MS, MENDS_FOR_MS, REMINDS_AFTER_MS, SEEN_WITHIN_MS, RematchRules
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import PlayersPaired
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.rematch import Prospect
from pairquiz_server.rules.scoring import ScoringProfile
from pairquiz_server.rules.terms import Origin, Pace
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.presence import PresenceRows
from tests.engine.stage import ALICE, BOB, CAROL, HandClock, Node, add_topic, running_node

HOLD_MS = RematchRules().hold_ms


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


@pytest.fixture
async def both(node: Node, other_node: Node) -> tuple[Node, Node]:
    return node, other_node


async def request(node: Node, player: Player, match: Match) -> Decision:
    return await node.play(node.game.request_rematch, player, match_id=match.id)


async def refusal(node: Node, player: Player, match: Match) -> str:
    with pytest.raises(Refused) as refused:
        await request(node, player, match)
    return refused.value.code


async def followers(database: Database, match: Match) -> list[str]:
    """The matches that follow a match."""
    query = "SELECT id FROM pairquiz.matches WHERE previous_id = $1"
    return [str(record["id"]) for record in await database.fetch(query, match.id)]


def pairings(*nodes: Node) -> list[str]:
    """The matches in which a node has announced that two were brought together."""
    return [
        decision.match.id
        for node in nodes
        for decision in node.told
        if any(isinstance(event, PlayersPaired) for event in decision.events)
    ]


async def test_both_ask_and_get_one_match_like_the_old_one(node: Node, other_node: Node) -> None:
    old = await node.over(question_count=3, time_limit_s=20, scoring=ScoringProfile.ACCURACY, pace=Pace.ROUNDS)
    first = await request(node, ALICE, old)
    assert (first.match, first.duplicate) == (old, False)
    assert (node.requested, pairings(node)) == ([BOB.id], [])
    made = (await request(other_node, BOB, old)).match
    assert made == await node.stored(made)
    assert (made.status, made.origin, made.previous_id, made.wins) == (Status.READY, Origin.REMATCH, old.id, (1, 0))
    for name in ("topic", "question_count", "time_limit_s", "scoring", "pace"):
        assert getattr(made, name) == getattr(old, name), name
    assert [seat.player for seat in made.seats] == [seat.player for seat in old.seats]
    assert made.tick_at == node.clock.now() + 3_000
    assert pairings(node, other_node) == [made.id]
    assert other_node.requested == []


async def test_both_ask_at_the_same_instant_at_two_nodes(node: Node, other_node: Node) -> None:
    for _ in range(10):
        old = await node.over()
        one, other = await asyncio.gather(request(node, ALICE, old), request(other_node, BOB, old))
        (made,) = await followers(node.database, old)
        assert made in {one.match.id, other.match.id} <= {made, old.id}
        assert pairings(node, other_node).count(made) == 1


async def test_two_nodes_make_the_same_rematch_and_one_of_them_finds_the_others(both: tuple[Node, Node]) -> None:
    """Both have asked, and whoever had to make the match did not: both repeat it at the same instant."""
    node = both[0]
    old = await node.over()
    await node.requests.ask(old.id, 0, node.clock.at, BOB.id, stands_after=0, needs_presence_before=0)
    await node.requests.ask(old.id, 1, node.clock.at, ALICE.id, stands_after=0, needs_presence_before=0)
    for one in both:
        one.matches.flowing.clear()
        one.matches.began.clear()
    asked = [asyncio.create_task(request(one, player, old)) for one, player in zip(both, (ALICE, BOB), strict=True)]
    for one in both:
        await one.matches.began.wait()
    for one in both:
        one.matches.flowing.set()
    decisions = await asyncio.gather(*asked)
    (made,) = await followers(node.database, old)
    assert [decision.match.id for decision in decisions] == [made, made]
    assert sorted(decision.duplicate for decision in decisions) == [False, True]
    assert pairings(*both) == [made]


async def test_a_repeat_is_a_duplicate_and_reminds_only_after_a_while(node: Node) -> None:
    old = await node.over()
    await request(node, ALICE, old)
    node.clock.at += 1
    assert (await request(node, ALICE, old)).duplicate
    assert node.requested == [BOB.id]
    node.clock.at += REMINDS_AFTER_MS
    assert (await request(node, ALICE, old)).duplicate
    assert node.requested == [BOB.id] * 2
    made = await request(node, BOB, old)
    for player in (ALICE, BOB):
        again = await request(node, player, old)
        assert (again.match.id, again.duplicate) == (made.match.id, True)


async def test_a_repeat_finds_the_rematch_however_late(node: Node) -> None:
    old = await node.over()
    await request(node, ALICE, old)
    made = (await request(node, BOB, old)).match
    await node.play(node.game.leave, ALICE, match_id=made.id)
    node.clock.at += HOLD_MS + 1
    assert (await request(node, ALICE, old)).match.id == made.id


async def test_a_series_goes_on_over_three_matches(node: Node, other_node: Node) -> None:
    match, wins = await node.over(), []
    for _ in range(3):
        await request(other_node, BOB, match)
        match = (await request(node, ALICE, match)).match
        wins.append(match.wins)
        await node.play(node.game.start, ALICE, match_id=match.id)
        loser = BOB if len(wins) == 1 else ALICE
        match = (await other_node.play(other_node.game.leave, loser, match_id=match.id)).match
    assert wins == [(1, 0), (2, 0), (2, 1)]


async def test_who_may_not_ask_hears_why(node: Node) -> None:
    running = await node.started()
    assert await refusal(node, ALICE, running) == "wrong_state"
    abandoned = await node.ready()
    await node.play(node.game.leave, ALICE, match_id=abandoned.id)
    assert await refusal(node, BOB, abandoned) == "wrong_state"
    old = await node.over()
    assert await refusal(node, CAROL, old) == "not_a_player"
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.request_rematch, ALICE, match_id=str(uuid4()))
    node.clock.at += HOLD_MS + 1
    assert await refusal(node, ALICE, old) == "too_late"
    assert node.requested == []


async def test_a_ghost_takes_no_rematch(node: Node) -> None:
    old = await node.over()
    await node.database.fetch(
        "UPDATE pairquiz.matches SET origin = 'ghost', ghost_match_id = id, ghost_player = 2 WHERE id = $1", old.id
    )
    assert await refusal(node, ALICE, old) == "wrong_state"
    assert await node.game.rematches.prospect(await node.stored(old), 0) is None


async def test_who_may_not_play_takes_no_rematch(node: Node) -> None:
    old = await node.over()
    await request(node, BOB, old)
    node.barred.add(BOB.id)
    assert await refusal(node, ALICE, old) == "opponent_unavailable"
    assert await node.game.rematches.prospect(old, 0) is None
    assert await followers(node.database, old) == []


async def test_who_asked_and_went_has_to_ask_again(node: Node) -> None:
    """Nobody is to lose a match by having closed the page."""
    old = await node.over()
    here = UUID(int=1)
    await Nodes(node.database).enter(here, node.clock.now())
    presence = PresenceRows(node.database)
    await presence.note(here, {BOB.id: node.clock.now()}, [ALICE.id])
    await request(node, ALICE, old)
    node.clock.at += SEEN_WITHIN_MS + 1
    assert (await request(node, BOB, old)).match == old
    assert node.requested == [BOB.id, ALICE.id]
    assert (await request(node, ALICE, old)).match.previous_id == old.id


async def test_too_few_questions_are_told_and_the_requests_stay(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pairquiz_server.engine.draws.KEPT_S", -1.0)
    await add_topic(node, "Small", 3)
    old = await node.over(topic="Small", question_count=3)
    await request(node, ALICE, old)
    where = "topic_id = (SELECT id FROM pairquiz.topics WHERE name = 'Small')"
    await node.database.fetch(f"UPDATE pairquiz.questions SET retired_at = now() WHERE {where}")
    assert await refusal(node, BOB, old) == "not_enough_questions"
    prospect = await node.game.rematches.prospect(old, 0)
    assert prospect is not None
    assert (prospect.asked, prospect.next_id) == ((True, True), None)
    await node.database.fetch(f"UPDATE pairquiz.questions SET retired_at = NULL WHERE {where}")
    assert (await request(node, ALICE, old)).match.previous_id == old.id


async def test_a_player_in_many_matches_gets_no_rematch_until_one_is_over(node: Node) -> None:
    old = await node.over()
    busy = await node.waiting()
    _, live = await node.matches.find_before_creation(ALICE.id, None, 1000)
    node.game.rematches = node.rematches(RematchRules(live_matches_max=live))
    await request(node, ALICE, old)
    assert await refusal(node, BOB, old) == "too_many_sessions"
    node.game.rematches = node.rematches(RematchRules(live_matches_max=live + 1))
    assert (await request(node, BOB, old)).match.previous_id == old.id
    await node.play(node.game.leave, ALICE, match_id=busy.id)


async def test_a_stopping_server_makes_no_rematch(node: Node, clock: HandClock, other_database: Database) -> None:
    old = await node.over()
    async with running_node(other_database, clock) as stopping:
        stopping.game.stop_creating()
        assert await refusal(stopping, ALICE, old) == "draining"


async def test_a_stopping_server_leaves_to_others_what_nobody_has_made(
    node: Node, clock: HandClock, other_database: Database
) -> None:
    old = await node.over()
    for seat, other in ((0, BOB), (1, ALICE)):
        await node.requests.ask(old.id, seat, clock.at, other.id, stands_after=0, needs_presence_before=0)
    clock.at += MENDS_AFTER_MS
    async with running_node(other_database, clock) as stopping:
        stopping.game.stop_creating()
        await stopping.game.rematches.mend()
        assert await followers(node.database, old) == []
    await node.game.rematches.mend()
    assert len(await followers(node.database, old)) == 1


@pytest.mark.parametrize("cut", ["cut_before", "cut_after"])
async def test_a_request_whose_answer_is_lost_is_written_once_and_the_other_hears_of_it(node: Node, cut: str) -> None:
    old = await node.over()
    setattr(node.requests, cut, 2)
    assert (await request(node, ALICE, old)).match == old
    assert node.requested == [BOB.id]
    setattr(node.requests, cut, 1)
    assert (await request(node, BOB, old)).match.previous_id == old.id
    assert len(await followers(node.database, old)) == 1


async def test_a_request_that_the_database_does_not_answer_is_refused_and_its_repeat_does_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rematch_module, "PATIENCE_S", 0.0)
    old = await node.over()
    await request(node, ALICE, old)
    node.requests.cut_after = 1
    assert await refusal(node, BOB, old) == "storage_unavailable"
    assert await followers(node.database, old) == []
    assert (await request(node, BOB, old)).match.previous_id == old.id


@pytest.mark.parametrize("cut", ["cut_before", "cut_after"])
async def test_a_rematch_whose_commit_is_lost_is_made_once(node: Node, cut: str) -> None:
    old = await node.over()
    await request(node, ALICE, old)
    setattr(node.matches, cut, True)
    asked = asyncio.create_task(request(node, BOB, old))
    await node.matches.resolved.wait()
    setattr(node.matches, cut, False)
    made = (await asked).match
    await node.matches.arrive_late()
    assert await followers(node.database, old) == [made.id]
    assert pairings(node) == [made.id]


class TestMending:
    @pytest.fixture
    async def agreed(self, node: Node) -> AsyncIterator[Match]:
        """A match whose players both have asked, and whose node has died then."""
        old = await node.over()
        for seat, other in ((0, BOB), (1, ALICE)):
            await node.requests.ask(
                old.id, seat, node.clock.now(), other.id, stands_after=0, needs_presence_before=0
            )  # fmt: skip
        yield old
        node.clock.at += HOLD_MS + 1
        await node.game.rematches.mend()

    async def test_any_node_makes_what_both_want(self, other_node: Node, agreed: Match, logs: Any) -> None:
        await other_node.game.rematches.mend()
        assert await followers(other_node.database, agreed) == []  # whoever has to may still be at it
        other_node.clock.at += MENDS_AFTER_MS
        await other_node.game.rematches.mend()
        (made,) = await followers(other_node.database, agreed)
        assert pairings(other_node) == [made]
        await other_node.game.rematches.mend()
        assert len([line for line in logs if line["event"] == "rematch_mended"]) == 1

    async def test_what_both_wanted_in_time_is_made_though_the_time_is_over(self, node: Node, agreed: Match) -> None:
        assert agreed.ended_at is not None
        await node.database.fetch(
            "UPDATE pairquiz.matches SET ended_at = ended_at - $2 WHERE id = $1", agreed.id, HOLD_MS
        )
        node.clock.at += MENDS_AFTER_MS
        await node.game.rematches.mend()
        assert len(await followers(node.database, agreed)) == 1

    async def test_all_nodes_at_once_make_one(self, both: tuple[Node, Node], agreed: Match) -> None:
        both[0].clock.at += MENDS_AFTER_MS
        await asyncio.gather(*(one.game.rematches.mend() for one in both))
        assert len(await followers(both[0].database, agreed)) == 1
        assert len(pairings(*both)) == 1

    async def test_what_cannot_be_made_is_left_to_the_players(self, node: Node, agreed: Match) -> None:
        node.barred.add(ALICE.id)
        node.clock.at += MENDS_AFTER_MS
        await node.game.rematches.mend()
        node.barred.clear()
        node.clock.at += MENDS_FOR_MS
        await node.game.rematches.mend()
        assert await followers(node.database, agreed) == []
        assert (await request(node, ALICE, agreed)).match.previous_id == agreed.id

    async def test_requests_that_hold_no_longer_are_forgotten(self, node: Node, agreed: Match) -> None:
        node.clock.at += HOLD_MS
        await node.game.rematches.mend()
        assert None not in (await node.requests.look(agreed.id)).asked
        node.clock.at += 1
        await node.game.rematches.mend()
        assert (await node.requests.look(agreed.id)).asked == (None, None)


async def test_a_prospect_is_what_the_database_has(node: Node, other_node: Node) -> None:
    assert await node.game.rematches.prospect(await node.started(), 0) is None
    old = await node.over()
    assert old.ended_at is not None
    until = old.ended_at + HOLD_MS
    assert await other_node.game.rematches.prospect(old, 0) == Prospect((False, False), until, None)
    await request(node, BOB, old)
    assert await other_node.game.rematches.prospect(old, 0) == Prospect((False, True), until, None)
    made = (await request(node, ALICE, old)).match
    node.clock.at += HOLD_MS + 1
    assert await other_node.game.rematches.prospect(old, 0) == Prospect((True, True), until, made.id)
    over = await node.over()
    node.clock.at += HOLD_MS + 1
    assert await other_node.game.rematches.prospect(over, 0) is None
