"""What players can do, from gathering to what they are told."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match, Status
from tests.callers import Asking
from tests.engine.stage import (
    ALICE,
    BOB,
    PATIENCE_S,
    HandClock,
    Node,
    code,
    person,
    running_node,
    unreachable_database,
)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


async def test_player_plays_to_the_end(node: Node) -> None:
    match = await node.started(question_count=2)
    game = node.game
    for question in match.questions:
        right = question.options[question.correct]
        await node.play(game.submit_answer, ALICE, match_id=match.id, question_id=question.id, answer=right)
    await node.play(game.complete, BOB, match_id=match.id)
    over = await game.view(BOB.id, match.id)
    assert (over.status, over.seats[0].score, over.seats[1].score) == (Status.COMPLETED, 300, 0)
    assert code(await node.play(game.complete, ALICE, match_id=match.id)) == "duplicate"
    with pytest.raises(Refused) as refusal:
        await node.play(game.leave, BOB, match_id=match.id)
    assert refusal.value.code == "wrong_state"


@pytest.mark.parametrize("act", ["start", "complete", "leave"])
async def test_player_names_a_match_that_does_not_exist(node: Node, act: str) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(getattr(node.game, act), ALICE, match_id=str(uuid4()))


async def test_every_act_is_refused_while_the_database_is_away(clock: HandClock) -> None:
    async with unreachable_database() as away, running_node(away, clock) as node:
        game, match_id = node.game, str(uuid4())
        acts = [
            node.play(game.create, ALICE, topic="General"),
            node.play(game.create, ALICE, topic="General", request_id="one"),
            node.play(game.join, ALICE, match_id=match_id, join_code=None),
            node.play(game.join, ALICE, match_id=None, join_code="ABCDEFGH"),
            node.play(game.start, ALICE, match_id=match_id),
            node.play(game.submit_answer, ALICE, match_id=match_id, question_id=1, answer=1),
            node.play(game.complete, ALICE, match_id=match_id),
            node.play(game.leave, ALICE, match_id=match_id),
            game.view(ALICE.id, match_id),
            game.live_matches(ALICE.id),
            game.topics(),
        ]
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert {(outcome.code, outcome.retry) for outcome in outcomes if isinstance(outcome, Refused)} == {
            ("storage_unavailable", True)
        }
        assert len(outcomes) == len([outcome for outcome in outcomes if isinstance(outcome, Refused)])
        assert node.told == []


async def test_what_needs_no_look_into_the_database_is_on_its_way_at_once(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(act: Callable[..., Any]) -> Callable[..., None]:
        def carried_out(caller: Asking, **wishes: object) -> None:
            assert act(caller, **wishes) is None

        return carried_out

    node.solitude = 1  # no other node may know more of what the players have seen
    erin, frank = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")  # who play nothing else
    count = next(topic.questions for topic in await node.game.topics() if topic.name == "General")

    async def duel(of: Callable[..., Any], count: int) -> Match:
        match = (await node.play(of(node.game.create), erin, topic=" GENERAL", question_count=count)).match
        await node.play(of(node.game.join), frank, match_id=match.id, join_code=None)
        return (await node.play(of(node.game.start), erin, match_id=match.id)).match

    await duel(lambda act: act, count)  # now all of them were read
    for _ in range(10):
        started = await duel(at_once, count // 5)
        assert started == await node.stored(started)


async def test_act_returns_although_its_caller_cannot_be_told(node: Node) -> None:
    match = await node.ready()

    def broken(outcome: Decision | Refused) -> None:
        raise RuntimeError("the line of the one who asked is broken")

    async with asyncio.timeout(PATIENCE_S):
        work = node.game.start(Asking(player=BOB, arrived_at=node.clock.now(), tell=broken), match_id=match.id)
        assert work is not None, "no question was read before"
        await work
        assert (await node.play(node.game.start, BOB, match_id=match.id)).duplicate
    assert (await node.stored(match)).status is Status.IN_PROGRESS
