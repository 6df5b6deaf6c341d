"""How a match begins, and with which questions."""

import asyncio
from collections.abc import Sequence

import pytest

from pairquiz_server.engine import draws
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import MatchStarted
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.store.pool import Database
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    Node,
    add_topic,
    code,
)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


@pytest.mark.parametrize("count", [1, 40])
async def test_player_starts_and_the_wanted_number_of_different_questions_is_stored_in_order(
    node: Node, other_node: Node, count: int
) -> None:
    match = await node.started(question_count=count)
    assert match.deadline_at == node.clock.now() + count * 30_000
    assert len({question.id for question in match.questions}) == count
    seen = [await on.game.view(player.id, match.id) for on in (node, other_node) for player in (ALICE, BOB)]
    assert seen == [match] * 4


async def test_drawn_options_are_those_of_the_bank_in_another_order_and_the_right_one_stays_right(node: Node) -> None:
    match = await node.started(question_count=40)
    bank = {question.text: question for question in await node.questions.export("General")}
    for question in match.questions:
        stored = bank[question.text]
        assert question.options == tuple(stored.options[place] for place in question.option_order)
        assert question.options[question.correct] == stored.options[stored.correct]
    assert len({question.option_order for question in match.questions}) > 1
    assert {question.correct for question in match.questions} == {0, 1, 2, 3}


async def test_two_starts_draw_differently(node: Node) -> None:
    first, second = await node.started(question_count=10), await node.started(question_count=10)
    assert [question.id for question in first.questions] != [question.id for question in second.questions]


async def test_both_players_start_at_once_over_two_nodes_and_the_match_starts_once(
    node: Node, other_node: Node
) -> None:
    match = await node.ready()
    starts = [on.play(on.game.start, player, match_id=match.id) for on in (node, other_node) for player in (ALICE, BOB)]
    outcomes = await asyncio.gather(*starts)
    assert sorted(map(code, outcomes)) == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert [outcome.match for outcome in outcomes] == [await node.stored(match)] * 4
    events = node.told_of(match.id) + other_node.told_of(match.id)
    assert len([event for event in events if isinstance(event, MatchStarted)]) == 1


async def test_topic_shrinks_before_the_start_and_the_match_stays_ready(
    node: Node, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws, "KEPT_S", -1.0)  # else what was active a moment ago is drawn still
    await add_topic(node, "Shrinking", 5)
    match = await node.ready(topic="Shrinking")
    await database.fetch("UPDATE pairquiz.questions SET retired_at = now() WHERE text = 'Shrinking 3?'")
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.start, BOB, match_id=match.id)
    assert (refusal.value.code, refusal.value.details) == ("not_enough_questions", {"available": 4})
    assert await node.stored(match) == match

    await add_topic(node, "Shrinking", 6)
    assert (await node.play(node.game.start, BOB, match_id=match.id)).match.status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("player", "expected"), [(CAROL, "not_a_player"), (ALICE, "wrong_state")], ids=["a stranger", "the creator"]
)
async def test_waiting_match_is_not_started(node: Node, player: object, expected: str) -> None:
    match = await node.waiting()
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.start, player, match_id=match.id)  # type: ignore[arg-type]
    assert refusal.value.code == expected


async def test_who_has_joined_by_another_node_starts_here(node: Node, other_node: Node) -> None:
    match = await node.waiting()
    await other_node.play(other_node.game.join, BOB, match_id=match.id, join_code=None)
    assert (await node.play(node.game.start, BOB, match_id=match.id)).match.status is Status.IN_PROGRESS


async def test_who_starts_before_the_own_join_is_committed_is_no_player_yet(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = await node.waiting()
    read = asyncio.Event()
    load = node.matches.load

    async def loading(ids: Sequence[str]) -> dict[str, Match]:
        found = await load(ids)
        read.set()
        return found

    monkeypatch.setattr(node.matches, "load", loading)
    node.matches.flowing.clear()
    node.matches.began.clear()
    joining = asyncio.create_task(node.play(node.game.join, BOB, match_id=match.id, join_code=None))
    await node.matches.began.wait()
    starting = asyncio.create_task(node.play(node.game.start, BOB, match_id=match.id))
    await read.wait()
    node.matches.flowing.set()
    with pytest.raises(Refused) as refusal:
        await starting
    assert refusal.value.code == "not_a_player"
    assert (await joining).match.status is Status.READY
