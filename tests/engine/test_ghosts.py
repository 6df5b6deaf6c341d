"""Ghosts on real nodes: they are found, they play to the millisecond, through restarts, and once on two nodes."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.game_rules import GameRules
from pairquiz_server.engine.ghosts import Ghosts, duel
from pairquiz_server.engine.search import Search
from pairquiz_server.rules.commands import CompleteQuiz, PairPlayers
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.events import AnswerAccepted, EndReason, MatchEnded
from pairquiz_server.rules.match import Match, Outcome, Status
from pairquiz_server.rules.player import GHOST_ID, Player
from pairquiz_server.rules.terms import Ghost, Origin, Pace
from pairquiz_server.store.ghosts import Runs, Wanted
from pairquiz_server.store.pool import Database
from tests.engine.desk import Desk
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    MARGIN_MS,
    RULES,
    HandClock,
    Node,
    answer,
    running_node,
)

TIMES = (1_111, 2_222, 3_333, 4_444, 5_555)
"""When the run's answers were given, after its start."""


async def recorded(node: Node) -> Match:
    """A match in which Bob has answered all five questions, and Alice none."""
    match = await node.started()
    assert match.started_at is not None
    for place, after in enumerate(TIMES):
        await node.send(answer(match, BOB, place, place % 4), at=match.started_at + after)
    node.clock.at += 10_000
    outcome = await node.send(CompleteQuiz(match_id=match.id, player_id=ALICE.id))
    assert isinstance(outcome, Decision)
    assert outcome.match.status is Status.COMPLETED
    return outcome.match


async def nobody_looks(search: Search, make: Callable[[str, Player], PairPlayers]) -> bool:
    """There is no queue here."""
    return False


def ghosts(node: Node, rules: GameRules = RULES) -> Ghosts:
    return Ghosts(Runs(node.database), node.matches, rules, nobody_looks)


def wanted(match: Match) -> Wanted:
    return Wanted(
        player=CAROL,
        topic_id=match.topic_id,
        question_count=match.question_count,
        time_limit_s=match.time_limit_s,
        pace=match.pace,
        scoring=match.scoring.profile,
        rating=1500.0,
    )


async def met(node: Node) -> tuple[Match, Match]:
    """A recorded match, and Carol's match against it."""
    original = await recorded(node)
    offer = await ghosts(node).find(wanted(original))
    assert offer is not None
    outcome = await node.send(duel(offer.match, offer.ghost, CAROL, Origin.GHOST, RULES, str(uuid4())))
    assert isinstance(outcome, Decision)
    return original, outcome.match


async def begun(node: Node) -> tuple[Match, Match]:
    """The same, when it has started by itself."""
    original, match = await met(node)
    assert match.tick_at is not None
    node.clock.advance_to(match.tick_at)
    await node.sweeper.sweep()
    return original, await node.stored(match)


async def test_seeker_meets_a_run_on_the_same_questions(node: Node) -> None:
    original, match = await begun(node)
    assert (match.status, match.origin, match.ghost) == (Status.IN_PROGRESS, Origin.GHOST, Ghost(original.id, 1))
    assert (match.questions, match.scoring) == (original.questions, original.scoring)
    assert [seat.player.id for seat in match.seats] == [CAROL.id, GHOST_ID]
    assert match.seats[1].player.display_name == BOB.display_name


async def test_ghost_answers_to_the_millisecond_with_the_recorded_points(node: Node) -> None:
    original, match = await begun(node)
    assert match.started_at is not None
    for place, after in enumerate(TIMES):
        node.clock.advance_to(match.started_at + after - 1)
        await node.sweeper.sweep()
        assert len((await node.stored(match)).seats[1].answers) == place
        node.clock.advance_to(match.started_at + after)
        await node.sweeper.sweep()
    replayed = (await node.stored(match)).seats[1]
    assert [one.judged_at - match.started_at for one in replayed.answers] == list(TIMES)
    assert [(one.question_id, one.chosen, one.points) for one in replayed.answers] == [
        (one.question_id, one.chosen, one.points) for one in original.seats[1].answers
    ]
    assert (replayed.score, replayed.completed_at) == (original.seats[1].score, match.started_at + TIMES[-1])
    assert node.watched[-1].match.tick_at is None


async def test_player_beats_a_ghost(node: Node) -> None:
    original, match = await begun(node)
    for place, question in enumerate(match.questions):
        await node.send(answer(match, CAROL, place, question.correct))
    assert match.started_at is not None
    node.clock.advance_to(match.started_at + TIMES[-1])
    await node.sweeper.sweep()
    over = await node.stored(match)
    assert (over.end_reason, over.outcome(0)) == (EndReason.ALL_ANSWERED, Outcome.WON)
    assert over.seats[1].score == original.seats[1].score


async def test_ghost_goes_on_on_a_node_that_has_just_started(
    node: Node, other_database: Database, clock: HandClock
) -> None:
    _, match = await begun(node)
    assert match.started_at is not None
    clock.advance_to(match.started_at + TIMES[1])
    await node.sweeper.sweep()
    node.committer.stop()  # in mid-replay
    await node.working

    async with running_node(other_database, clock) as later:
        clock.advance_to(match.started_at + TIMES[3] + 500)
        await later.sweeper.sweep()
        replayed = (await later.stored(match)).seats[1]
        assert [one.judged_at - match.started_at for one in replayed.answers] == list(TIMES[:4])
        assert [type(event) for event in later.told_of(match.id)] == [AnswerAccepted, AnswerAccepted]


async def test_each_answer_of_a_ghost_is_told_once_by_two_nodes(node: Node, other_node: Node) -> None:
    _, match = await begun(node)
    assert match.started_at is not None
    before = len(node.told_of(match.id))
    for after in TIMES:
        node.clock.advance_to(match.started_at + after)
        await asyncio.gather(node.sweeper.sweep(), other_node.sweeper.sweep())
    told = [*node.told_of(match.id)[before:], *other_node.told_of(match.id)]
    assert sorted(event.answered for event in told if isinstance(event, AnswerAccepted)) == [1, 2, 3, 4, 5]
    assert len((await node.stored(match)).seats[1].answers) == 5


async def test_deadline_finds_a_ghost_that_nobody_has_looked_at(node: Node) -> None:
    _, match = await begun(node)
    node.clock.advance_to(match.due_at + 1_000)
    await node.sweeper.sweep()
    over = await node.stored(match)
    assert (len(over.seats[1].answers), over.end_reason) == (5, EndReason.DEADLINE)
    assert isinstance(node.told_of(match.id)[-1], MatchEnded)


async def test_player_starts_a_match_against_a_ghost_sooner(node: Node) -> None:
    original, match = await met(node)
    started = await node.play(node.game.start, CAROL, match_id=match.id)
    assert started.match.questions == original.questions
    assert started.match.tick_at == node.clock.at + TIMES[0]


async def test_match_whose_run_is_gone_before_its_start_expires(node: Node) -> None:
    original, match = await met(node)
    await node.database.fetch("DELETE FROM pairquiz.matches WHERE id = $1", original.id)
    with pytest.raises(Refused) as refused:
        await node.play(node.game.start, CAROL, match_id=match.id)
    assert refused.value.code is Code.WRONG_STATE
    assert match.tick_at is not None
    node.clock.advance_to(match.tick_at)
    await node.sweeper.sweep()
    assert (await node.stored(match)).status is Status.EXPIRED


async def test_nobody_is_invented(node: Node) -> None:
    original = await recorded(node)
    own, other = replace(wanted(original), player=BOB), replace(wanted(original), time_limit_s=77)
    assert [await ghosts(node).find(one) for one in (own, other)] == [None, None]


async def test_server_that_records_nobody_has_no_ghosts(node: Node) -> None:
    original = await recorded(node)
    assert await ghosts(node, replace(RULES, record_runs=False)).find(wanted(original)) is None


async def rounds(node: Node, match: Match, *players: Player) -> Match:
    """Play a match in rounds to its end, each of the players answering at the round's own time of `TIMES`."""
    while match.status is Status.IN_PROGRESS:
        for player in players:
            at = match.reveals[-1] + TIMES[len(match.reveals) - 1]
            await node.send(answer(match, player, len(match.reveals) - 1, 1), at=at)
        match = await node.stored(match)
        node.clock.advance_to(match.tick_at or match.due_at + MARGIN_MS)
        await node.sweeper.sweep()
        match = await node.stored(match)
    return match


async def test_ghost_plays_rounds_as_it_was_recorded(node: Node) -> None:
    original = await rounds(node, await node.started(pace=Pace.ROUNDS), ALICE, BOB)
    offer = await ghosts(node).find(wanted(original))
    assert offer is not None
    outcome = await node.send(duel(offer.match, offer.ghost, CAROL, Origin.GHOST, RULES, str(uuid4())))
    assert isinstance(outcome, Decision)
    assert outcome.match.tick_at is not None
    node.clock.advance_to(outcome.match.tick_at)
    await node.sweeper.sweep()
    over = await rounds(node, await node.stored(outcome.match))
    recorded_side, ghost = original.seats[offer.ghost.seat], over.seats[1]
    assert [one.judged_at - at for one, at in zip(ghost.answers, over.reveals, strict=True)] == list(TIMES)
    assert [(one.question_id, one.chosen, one.points) for one in ghost.answers] == [
        (one.question_id, one.chosen, one.points) for one in recorded_side.answers
    ]


async def test_seeker_who_accepts_a_ghost_meets_one_after_the_wait_and_nobody_else_does(node: Node) -> None:
    original = await recorded(node)
    desk = Desk(node, ghost=lambda search: seen_by.meet(search))
    seen_by = Ghosts(Runs(node.database), node.matches, RULES, desk.matchmaker.pair_alone)
    await desk.open()
    await desk.find(CAROL, accept_ghost=True)
    await desk.find(DAVE, question_count=4, accept_ghost=True)  # of which there is no run
    await desk.rounds(1, later_ms=4_999)
    assert desk.paired() == []
    await desk.rounds(1, later_ms=1)
    (match,) = desk.paired()
    assert (match.origin, match.ghost) == (Origin.GHOST, Ghost(original.id, 1))
    assert [seat.player.id for seat in match.seats] == [CAROL.id, GHOST_ID]
    assert match.ratings == (1500, 1500)
    assert await desk.queue() == [DAVE.id]
    await desk.rounds(1, later_ms=9_000)
    assert len(desk.paired()) == 1


async def test_seeker_who_accepts_no_ghost_waits_for_somebody(node: Node) -> None:
    await recorded(node)
    desk = Desk(node, ghost=lambda search: seen_by.meet(search))
    seen_by = Ghosts(Runs(node.database), node.matches, RULES, desk.matchmaker.pair_alone)
    await desk.open()
    await desk.find(CAROL)
    await desk.rounds(2, later_ms=9_000)
    assert (desk.paired(), await desk.queue()) == ([], [CAROL.id])
