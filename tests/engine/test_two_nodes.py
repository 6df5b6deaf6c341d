"""Two committers on one database: what one of them knows may be old, and nothing is lost or counted twice."""

import asyncio
from collections.abc import Iterable
from random import Random
from uuid import UUID

import pytest

from pairquiz_server.engine import waiting
from pairquiz_server.engine.submission import Collision
from pairquiz_server.rules.commands import CompleteQuiz, EndOverdue, JoinMatch, LeaveMatch
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.events import AnswerAccepted
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.store.rows import Change
from tests.engine.stage import ALICE, BOB, CAROL, MARGIN_MS, NOON, Node, answer, code


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


async def known_to_both(node: Node, other: Node) -> Match:
    """A running match that both nodes have in their memory."""
    match = await node.started(question_count=10)
    await other.send(answer(match, BOB, 9, 0))
    await node.send(answer(match, BOB, 8, 0))
    await other.send(answer(match, BOB, 7, 0))
    assert node.committer.cached(match.id)
    assert other.committer.cached(match.id)
    return match


async def test_loser_of_a_race_decides_again_with_the_arrival_of_its_command(node: Node, other_node: Node) -> None:
    match = await known_to_both(node, other_node)
    assert code(await other_node.send(answer(match, ALICE, 0, 0))) == "accepted"
    assert node.committer.cached(match.id) != await node.stored(match)
    late = node.send(answer(match, ALICE, 1, match.questions[1].correct), at=NOON + 1000)
    node.clock.at += 100_000
    outcome = await late
    assert isinstance(outcome, Decision)
    assert outcome.match == await node.stored(match)
    assert outcome.match.seats[0].answers[-1].arrived_at == NOON + 1000
    assert len(outcome.match.seats[0].answers) == 2


async def test_commands_of_a_lost_batch_keep_their_place(node: Node, other_node: Node) -> None:
    match = await known_to_both(node, other_node)
    await other_node.send(answer(match, BOB, 0, 0))
    node.matches.flowing.clear()
    node.matches.began.clear()
    lost = [node.send(answer(match, ALICE, place, 0)) for place in range(3)]
    await node.matches.began.wait()
    after = [node.send(answer(match, ALICE, place, 1)) for place in range(3)]
    node.matches.flowing.set()
    assert [code(outcome) for outcome in await asyncio.gather(*lost)] == ["accepted"] * 3
    assert [code(outcome) for outcome in await asyncio.gather(*after)] == ["already_answered"] * 3
    assert [event.version for event in node.told_of(match.id)[-3:]] == [match.version + 5 + n for n in range(3)]


async def test_commands_of_a_poisoned_and_lost_batch_keep_their_place(node: Node, other_node: Node) -> None:
    match = await known_to_both(node, other_node)
    await other_node.send(answer(match, BOB, 0, 0))
    poison = await node.creation(request_id="\0")
    async with node.busy():
        first = node.send(answer(match, ALICE, 0, 0))
        second = node.send(answer(match, ALICE, 0, 1))
        third = node.send(poison)
    assert [code(outcome) for outcome in (await first, await second, await third)] == [
        "accepted", "already_answered", "internal",
    ]  # fmt: skip


async def test_refusal_from_an_old_memory_is_decided_again_on_what_is_stored(node: Node, other_node: Node) -> None:
    match = await other_node.ready()
    assert (await node.play(node.game.start, ALICE, match_id=match.id)).match.status is Status.IN_PROGRESS
    started = await node.stored(match)
    known = other_node.committer.cached(match.id)
    assert known is not None
    assert known.status is Status.READY
    both = [other_node.send(answer(started, BOB, 0, 0)), other_node.send(answer(started, BOB, 0, 1))]
    assert [code(outcome) for outcome in await asyncio.gather(*both)] == ["accepted", "already_answered"]


async def test_repeat_is_answered_with_what_is_stored_and_not_from_an_old_memory(node: Node, other_node: Node) -> None:
    match = await other_node.ready()
    await node.play(node.game.start, ALICE, match_id=match.id)
    again = await other_node.send(JoinMatch(match_id=match.id, player=BOB, ready_ttl_ms=1))
    assert isinstance(again, Decision)
    assert (again.duplicate, again.match) == (True, await node.stored(match))


async def test_node_with_an_old_memory_ends_a_match_whose_deadline_another_node_had_set(
    node: Node, other_node: Node
) -> None:
    match = await other_node.ready(time_limit_s=5)
    started = (await node.play(node.game.start, ALICE, match_id=match.id)).match
    assert started.deadline_at is not None
    overdue = EndOverdue(match_id=match.id, margin_ms=MARGIN_MS)
    await other_node.send(overdue, at=started.deadline_at + MARGIN_MS)
    assert (await node.stored(match)).status is Status.COMPLETED


async def test_match_that_another_node_ended_is_over_for_both(node: Node, other_node: Node) -> None:
    match = await known_to_both(node, other_node)
    assert code(await node.send(LeaveMatch(match_id=match.id, player_id=ALICE.id))) == "accepted"
    late = [other_node.send(answer(match, BOB, 0, 0)), other_node.send(answer(match, CAROL, 0, 0))]
    assert [code(outcome) for outcome in await asyncio.gather(*late)] == ["wrong_state", "not_a_player"]
    assert other_node.committer.cached(match.id) is None
    assert other_node.told_of(match.id)[-1].version < (await node.stored(match)).version


async def test_command_that_always_loses_tries_until_its_player_waits_no_longer(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.3)
    match = await node.started()
    tries = 0

    async def lose(changes: Iterable[Change], node: UUID, number: int) -> frozenset[str]:
        nonlocal tries
        tries += 1
        return frozenset(change.match.id for change in changes)

    monkeypatch.setattr(node.matches, "save", lose)
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "storage_unavailable"
    assert tries > 10
    assert isinstance(await node.send(await node.creation()), Collision)
    monkeypatch.undo()
    assert code(await node.send(answer(match, ALICE, 0, 0))) == "accepted"


async def test_two_creations_with_one_join_code_on_two_nodes_collide(node: Node, other_node: Node) -> None:
    creations = [await node.creation(join_code="SAMECODE") for _ in range(2)]
    outcomes = await asyncio.gather(node.send(creations[0]), other_node.send(creations[1]))
    assert sorted(map(code, outcomes)) == ["accepted", "collision"]


async def test_two_players_storm_two_nodes_and_every_answer_counts_once(node: Node, other_node: Node) -> None:
    random = Random(20)
    nodes = (node, other_node)
    matches = [await node.started(question_count=40) for _ in range(5)]
    acknowledged: dict[tuple[str, str], dict[int, int]] = {
        (match.id, player.id): {} for match in matches for player in (ALICE, BOB)
    }
    refusals: set[str] = set()

    async def storm(on: Node, player: Player) -> None:
        for _ in range(100):
            burst = [answer(random.choice(matches), player, random.randrange(39), random.randrange(2)) for _ in "12"]
            for command, outcome in zip(burst, await asyncio.gather(*map(on.send, burst)), strict=True):
                if not isinstance(outcome, Decision):
                    refusals.add(code(outcome))
                elif outcome.events:
                    (accepted,) = outcome.events
                    assert isinstance(accepted, AnswerAccepted)
                    counted = acknowledged[command.match_id, player.id]
                    assert command.question_id not in counted
                    counted[command.question_id] = accepted.answer.points

    await asyncio.gather(*(storm(on, player) for on in nodes for player in (ALICE, BOB)))
    assert refusals == {"already_answered"}
    assert min(one.matches.conflicts for one in nodes) > 0  # they were in each other's way

    for match in matches:
        for player, on in zip((ALICE, BOB), nodes, strict=True):
            assert code(await on.send(CompleteQuiz(match_id=match.id, player_id=player.id))) == "accepted"
        stored = await node.stored(match)
        assert stored.status is Status.COMPLETED
        for seat in stored.seats:
            counted = acknowledged[match.id, seat.player.id]
            assert {one.question_id: one.points for one in seat.answers} == counted
            assert seat.score == sum(counted.values()) > 0
        told = [[event.version for event in one.told_of(match.id)] for one in nodes]
        for versions in told:
            assert versions == sorted(versions)
        assert sorted(told[0] + told[1]) == list(range(1, stored.version + 1))
