"""How a player opens a match, and how often."""

import asyncio
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.codes import JOIN_CODE_ALPHABET
from pairquiz_server.engine.committer import Committer
from pairquiz_server.engine.game import Game
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.events import MatchCreated
from pairquiz_server.rules.match import Match, Status
from pairquiz_server.rules.player import Player
from pairquiz_server.store.pool import Database
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    RULES,
    HandClock,
    Node,
    add_topic,
    code,
    person,
    running_node,
)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


class FewCodes(Random):
    """Chance that gives the same join codes again and again."""

    def __init__(self, *codes: str) -> None:
        super().__init__(1)
        self.codes = list(codes)

    def randbytes(self, n: int) -> bytes:
        return bytes(JOIN_CODE_ALPHABET.index(char) for char in self.codes.pop(0))


async def test_player_creates_a_match_with_the_usual_settings(node: Node) -> None:
    match = await node.waiting(topic="  gENERAL ")
    assert match == await node.stored(match)
    assert (match.status, match.topic, match.question_count, match.time_limit_s) == (Status.WAITING, "General", 5, 30)
    assert match.due_at == node.clock.now() + RULES.waiting_ttl_ms
    assert len(match.join_code) == 8
    assert set(match.join_code) <= set(JOIN_CODE_ALPHABET)


@pytest.mark.parametrize(("topic", "available"), [("Nothing of the kind", 0), ("Tiny", 3)])
async def test_player_creates_with_too_few_questions_and_is_told_how_many_there_are(
    node: Node, topic: str, available: int
) -> None:
    await add_topic(node, "Tiny", 3)
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.create, ALICE, topic=topic, question_count=4)
    assert (refusal.value.code, refusal.value.details) == ("not_enough_questions", {"available": available})
    assert node.told == []


async def test_player_repeats_a_creation_and_finds_the_same_match(node: Node, other_node: Node) -> None:
    match = await node.waiting(request_id="again")
    await node.play(node.game.join, BOB, match_id=match.id, join_code=None)
    for on in (node, other_node):
        again = await on.play(on.game.create, ALICE, topic="Art", request_id="again")
        assert again == Decision(await node.stored(match), duplicate=True)
    another = await node.play(node.game.create, CAROL, topic="General", request_id="again")
    assert another.match.id != match.id  # a request id is a player's own


async def test_player_creates_ten_times_at_once_with_one_request_id_and_opens_one_match(
    node: Node, other_node: Node
) -> None:
    outcomes = await asyncio.gather(
        *(on.play(on.game.create, ALICE, topic="General", request_id="at once") for on in (node, other_node) * 5)
    )
    assert sorted(map(code, outcomes)) == ["accepted"] + ["duplicate"] * 9
    assert len({outcome.match.id for outcome in outcomes}) == 1
    assert [event for on in (node, other_node) for told in on.told for event in told.events] == [MatchCreated(1)]


async def test_player_creates_and_a_taken_join_code_is_drawn_again(database: Database, clock: HandClock) -> None:
    async with running_node(database, clock, random=FewCodes("AAAA1111", "AAAA1111", "AAAA1111", "BBBB2222")) as node:
        assert [(await node.waiting()).join_code for _ in range(2)] == ["AAAA1111", "BBBB2222"]
        assert len(node.told) == 2


async def test_two_players_create_at_once_with_one_join_code_and_both_get_a_match(
    database: Database, clock: HandClock
) -> None:
    async with running_node(database, clock, random=FewCodes("CCCC1111", "CCCC1111", "DDDD2222")) as node:
        matches = await asyncio.gather(node.waiting(), node.waiting())
        assert {match.join_code for match in matches} == {"CCCC1111", "DDDD2222"}


async def test_a_player_in_many_matches_creates_no_more_until_one_is_over(node: Node) -> None:
    rules = replace(RULES, live_matches_max=2)
    game = Game(node.matches, node.questions, node.committer, node.clock, rules, seen=node.seen)  # type: ignore[arg-type]
    erin, frank = person(f"erin-{uuid4()}"), person(f"frank-{uuid4()}")

    async def create(player: Player) -> Match:
        return (await node.play(game.create, player, topic="General")).match

    outcomes = await asyncio.gather(*(create(erin) for _ in range(5)), return_exceptions=True)
    made = [one for one in outcomes if isinstance(one, Match)]
    assert [one.code for one in outcomes if isinstance(one, Refused)] == ["too_many_sessions"] * 3
    for match in made:  # a joiner's matches count, too
        await node.play(game.join, frank, match_id=match.id, join_code=None)
    with pytest.raises(Refused, match="too many sessions"):
        await create(frank)
    await node.play(game.leave, frank, match_id=made[0].id)
    assert {(await create(player)).status for player in (erin, frank)} == {Status.WAITING}


async def test_nothing_is_created_while_the_node_drains_though_all_is_at_hand(node: Node) -> None:
    await node.waiting()
    node.game.stop_creating()
    with pytest.raises(Refused, match=r"[Ss]erver"):
        await node.waiting()


async def test_creation_stands_when_its_caller_is_cancelled(node: Node, logs: list[dict[str, Any]]) -> None:
    async with node.busy():
        creating = asyncio.create_task(node.waiting(request_id="cancelled"))
        while not _waits_for(node.committer):
            await node.questions.list_topics()
        creating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await creating
    assert code(await node.play(node.game.create, ALICE, topic="General", request_id="cancelled")) == "duplicate"
    assert [line for line in logs if line["log_level"] == "error"] == []


def _waits_for(committer: Committer) -> bool:
    return bool(committer._queue)
