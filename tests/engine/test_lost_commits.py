"""Batches whose answer was lost: looked up and never guessed, told once, counted once, and nobody waits too long."""

import asyncio

import pytest

from pairquiz_server.engine import committer as committer_module
from pairquiz_server.engine import waiting
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import AnswerAccepted
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from pairquiz_server.rules.terms import Pace
from pairquiz_server.store.pool import Database
from tests.engine.stage import ALICE, BOB, CAROL, NOON, HandClock, Node, answer, code, opened_database, running_node
from tests.line import Line

QUICK_S = 0.15


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", QUICK_S)
    monkeypatch.setattr(committer_module, "PATIENCE_S", QUICK_S)
    monkeypatch.setattr(committer_module, "STOP_S", QUICK_S)


def answers_of(node: Node, match: Match) -> list[AnswerAccepted]:
    return [event for event in node.told_of(match.id) if isinstance(event, AnswerAccepted)]


async def announced(node: Node, match: Match) -> None:
    """Return when an answer has been announced."""
    async with asyncio.timeout(20):
        while not answers_of(node, match):
            await node.questions.list_topics()


async def counted(node: Node, match: Match, player: Player) -> int:
    """How many answers of a player stand; the score is theirs alone."""
    seat = (await node.stored(match)).seats[0 if player is ALICE else 1]
    assert seat.score == sum(one.points for one in seat.answers)
    return len(seat.answers)


async def test_sender_whose_commit_was_not_heard_of_hears_that_it_is_accepted_and_the_opponent_hears_it_once(
    node: Node,
    pace: Pace,
) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_after = True
    line = object()
    outcome = await node.send(answer(match, ALICE, 0, match.questions[0].correct), at=NOON + 7, origin=line)
    assert isinstance(outcome, Decision)
    assert (outcome.duplicate, outcome.match) == (False, await node.stored(match))
    assert outcome.match.seats[0].answers[0].arrived_at == NOON + 7
    assert len(answers_of(node, match)) == await counted(node, match, ALICE) == 1
    assert node.left_out[-1] is line
    assert node.committer.cached(match.id) == outcome.match


async def test_command_that_never_reached_the_database_is_decided_again_and_counts_once(node: Node, pace: Pace) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_before = True
    node.matches.looking.clear()
    first = node.send(answer(match, ALICE, 0, 0), at=NOON + 7)
    await node.matches.looked.wait()
    behind = node.send(answer(match, ALICE, 0, 1))
    node.matches.cut_before = False
    node.matches.loaded.clear()
    node.matches.looking.set()
    assert (code(await first), code(await behind)) == ("accepted", "already_answered")
    assert node.matches.loaded == [match.id]
    (standing,) = (await node.stored(match)).seats[0].answers
    assert (standing.chosen, standing.arrived_at) == (0, NOON + 7)
    assert len(answers_of(node, match)) == 1


async def test_write_that_arrives_after_it_was_given_up_changes_nothing(
    node: Node, pace: Pace, impatient: None
) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_before = True
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "storage_unavailable"
    node.matches.cut_before = False
    assert code(await node.send(answer(match, BOB, 0, 0))) == "accepted"  # by now the lost one is resolved
    assert node.matches.lost
    await node.matches.arrive_late()
    assert (await counted(node, match, ALICE), await counted(node, match, BOB)) == (0, 1)
    assert len(answers_of(node, match)) == 1


async def test_batch_with_a_match_that_did_not_move_is_resolved_match_by_match(
    node: Node, pace: Pace, other_node: Node
) -> None:
    free, overtaken = await node.started(pace=pace), await node.started(pace=pace)
    assert code(await other_node.send(answer(overtaken, BOB, 0, 0))) == "accepted"
    node.matches.cut_after = True
    async with node.busy():
        both = [node.send(answer(match, ALICE, 0, 0)) for match in (free, overtaken)]
        node.matches.batches.clear()
    assert [code(outcome) for outcome in await asyncio.gather(*both)] == ["accepted"] * 2
    assert node.matches.batches == [2, 1]
    for match in (free, overtaken):
        assert await counted(node, match, ALICE) == 1
        assert len(answers_of(node, match)) == 1
    assert [event.version for event in answers_of(node, overtaken)] == [overtaken.version + 2]


async def test_sender_who_waited_too_long_is_refused_and_hears_with_all_others_what_was_committed(
    node: Node, pace: Pace, impatient: None
) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_after = True
    node.matches.looking.clear()
    refused = await node.send(answer(match, ALICE, 0, 0), origin=object())
    assert code(refused) == "storage_unavailable"
    assert answers_of(node, match) == []
    node.matches.cut_after = False
    node.matches.looking.set()
    await announced(node, match)
    assert node.left_out[-1] is None
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "duplicate"
    assert len(answers_of(node, match)) == await counted(node, match, ALICE) == 1


async def test_command_that_was_refused_and_is_not_committed_is_never_carried_out(
    node: Node, pace: Pace, impatient: None
) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_before = True
    node.matches.looking.clear()
    lost = node.send(answer(match, ALICE, 0, 0))
    await node.matches.looked.wait()
    queued = [node.send(answer(match, BOB, 0, 0)), node.send(await node.creation())]
    assert [code(outcome) for outcome in await asyncio.gather(lost, *queued)] == ["storage_unavailable"] * 3
    node.matches.cut_before = False
    node.matches.looking.set()
    await node.matches.resolved.wait()
    assert code(await node.send(answer(match, BOB, 0, 1))) == "accepted"
    assert (await counted(node, match, ALICE), await counted(node, match, BOB)) == (0, 1)
    assert len(node.told) == 4  # created, joined, started, answered


async def test_node_that_has_long_been_without_an_answer_takes_nothing_in(
    node: Node, pace: Pace, impatient: None
) -> None:
    match = await node.started(pace=pace)
    node.matches.cut_after = True
    node.matches.looking.clear()
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "storage_unavailable"
    async with asyncio.timeout(20):
        while not (refused := node.send(answer(match, BOB, 0, 0))).done():
            await refused
    assert code(refused.result()) == "storage_unavailable"
    node.matches.cut_after = False
    node.matches.looking.set()
    await announced(node, match)
    assert code(await node.send(answer(match, BOB, 0, 0))) == "accepted"


async def test_node_stops_in_time_while_it_knows_not_what_became_of_its_batch(
    pace: Pace, database: Database, clock: HandClock, impatient: None
) -> None:
    async with running_node(database, clock) as node:
        match = await node.started(pace=pace)
        node.matches.cut_after = True
        node.matches.looking.clear()
        lost = node.send(answer(match, ALICE, 0, 0))
        await node.matches.looked.wait()
        queued = node.send(answer(match, CAROL, 0, 0))
        node.committer.stop()
        outcomes = await asyncio.gather(lost, queued)
        assert [code(outcome) for outcome in outcomes] == ["storage_unavailable"] * 2
        assert await counted(node, match, ALICE) == 1  # what is committed stands
        async with asyncio.timeout(20):
            await node.working


@pytest.mark.parametrize("cut", ["lose", "lose_answer_to"], ids=["before it arrives", "before its answer"])
async def test_line_that_breaks_at_a_write_costs_no_answer_and_doubles_none(
    pace: Pace, database_url: str, clock: HandClock, cut: str
) -> None:
    async with (
        Line(database_url).open() as line,
        opened_database(line.dsn) as through,
        running_node(through, clock) as node,
    ):
        match = await node.started(pace=pace)
        setattr(line, cut, b'"from_version"')
        outcomes = await asyncio.gather(*(node.send(answer(match, player, 0, 0)) for player in (ALICE, BOB, ALICE)))
        assert [code(outcome) for outcome in outcomes] == ["accepted", "accepted", "duplicate"]
        assert line.cuts == 1
        assert len(node.matches.batches) == 3 + {"lose": 2, "lose_answer_to": 1}[cut]
        assert (await counted(node, match, ALICE), await counted(node, match, BOB)) == (1, 1)
        assert [event.version for event in answers_of(node, match)] == [match.version + 1, match.version + 2]
