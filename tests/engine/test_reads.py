"""What players are shown of matches and topics."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from pairquiz_server.engine import reads
from pairquiz_server.engine.game import Game
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.store.questions import Questions, TopicCount
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    RULES,
    Node,
    person,
)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


async def test_only_players_view_a_match_and_they_see_what_another_node_has_written(
    node: Node, other_node: Node
) -> None:
    match = await node.ready()
    started = (await other_node.play(other_node.game.start, ALICE, match_id=match.id)).match
    assert await node.game.view(BOB.id, match.id) == started
    for player, match_id, expected in ((CAROL, match.id, "not_a_player"), (ALICE, str(uuid4()), "not_found")):
        with pytest.raises(Refused) as refusal:
            await node.game.view(player.id, match_id)
        assert refusal.value.code == expected


async def test_player_finds_all_live_matches_and_no_others_the_oldest_first(node: Node) -> None:
    assert await node.game.live_matches(DAVE.id) == []
    live: list[Match] = []
    for number in range(4):
        node.clock.at += 1
        owner, guest = (DAVE, BOB) if number % 2 else (BOB, DAVE)
        created = await node.play(node.game.create, owner, topic="General")
        live.append((await node.play(node.game.join, guest, match_id=created.match.id, join_code=None)).match)
    await node.play(node.game.leave, BOB, match_id=live.pop(1).id)
    assert await node.game.live_matches(DAVE.id) == live


async def test_very_many_live_matches_are_read_piece_by_piece(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "LOADED_AT_ONCE", 2)
    player, other = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")
    ids = [(await node.play(node.game.create, player, topic="General")).match.id for _ in range(5)]
    await node.play(node.game.join, other, match_id=ids[0], join_code=None)
    loads: list[int] = []
    load = node.matches.load

    async def loading(wanted: Sequence[str]) -> dict[str, Match]:
        loads.append(len(wanted))
        return await load(wanted)

    monkeypatch.setattr(node.matches, "load", loading)
    found = await asyncio.gather(*(node.game.live_matches(one.id) for one in (player, other)))
    assert [sorted(match.id for match in matches) for matches in found] == [sorted(ids), ids[:1]]
    assert loads == [2, 2, 1]


async def test_what_one_does_with_a_list_of_matches_is_seen_by_nobody_else(node: Node) -> None:
    player = person(f"erin-{uuid4()}")
    made = (await node.play(node.game.create, player, topic="General")).match
    one, other = await asyncio.gather(*(node.game.live_matches(player.id) for _ in range(2)))
    one.clear()
    assert other == [made]


async def test_topics_are_listed_with_their_counts(node: Node) -> None:
    counts = {topic.name: topic.questions for topic in await node.game.topics()}
    assert counts["General"] == len(await node.questions.export("General"))


async def test_topics_are_counted_once_for_all_who_ask_at_a_time(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    list_topics = Questions.list_topics

    async def looking(questions: Questions) -> list[TopicCount]:
        nonlocal looked
        looked += 1
        return list(await list_topics(questions))

    monkeypatch.setattr(Questions, "list_topics", looking)
    game = Game(node.matches, node.questions, node.committer, node.clock, RULES, seen=node.seen)  # type: ignore[arg-type]
    told = await asyncio.gather(*(game.topics() for _ in range(50)))
    assert (looked, {len(topics) > 10 for topics in told}) == (1, {True})
