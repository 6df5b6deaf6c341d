"""Nobody is in more live matches than allowed, also where several ways into one are taken at the same instant."""

import asyncio
from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.game import Game
from pairquiz_server.engine.rematch import RematchRules
from pairquiz_server.engine.turns import Turns
from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.rules.match import Match
from pairquiz_server.rules.player import Player
from tests.engine.desk import Desk
from tests.engine.stage import ALICE, BOB, CAROL, DAVE, RULES, Node


@pytest.fixture
def turns() -> Turns:
    """The turns of the players of the node."""
    return Turns()


def limited(node: Node, turns: Turns, most: int, *, known: int | None = 0) -> Game:
    """The node's game, in which nobody is in more matches than `most`; of `known` this process has heard."""
    rules = replace(RULES, live_matches_max=most)
    game = Game(
        node.matches, node.questions, node.committer, node.clock, rules,  # type: ignore[arg-type]
        seen=node.seen, live_here=lambda player_id: known, turns=turns,
    )  # fmt: skip
    game.rematches = node.rematches(RematchRules(live_matches_max=most), turns)
    return game


async def waiting(node: Node, *creators: Player) -> list[Match]:
    return [(await node.play(node.game.create, creator, topic="General")).match for creator in creators]


async def live(node: Node, player: Player) -> int:
    return len((await node.matches.find_live_of([player.id])).get(player.id, ()))


async def refusals(*attempts: Awaitable[object]) -> list[Code]:
    """Let all be tried at once; return why some were refused."""
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    wrong = [one for one in outcomes if isinstance(one, BaseException) and not isinstance(one, Refused)]
    assert not wrong, wrong
    return [one.code for one in outcomes if isinstance(one, Refused)]


@pytest.mark.parametrize("known", [0, None], ids=["connected", "elsewhere"])
async def test_who_joins_several_at_once_joins_as_many_as_are_allowed(
    node: Node, turns: Turns, known: int | None
) -> None:
    game = limited(node, turns, 2, known=known)
    matches = await waiting(node, BOB, CAROL, DAVE, DAVE)
    joins = [node.play(game.join, ALICE, match_id=match.id, join_code=None) for match in matches]
    assert await refusals(*joins) == [Code.TOO_MANY_SESSIONS] * 2
    assert await live(node, ALICE) == 2


async def test_joins_by_id_and_code_and_creations_at_once_are_counted_together(node: Node, turns: Turns) -> None:
    game = limited(node, turns, 3)
    matches = await waiting(node, BOB, CAROL)
    refused = await refusals(
        node.play(game.join, ALICE, match_id=matches[0].id, join_code=None),
        node.play(game.create, ALICE, topic="General"),
        node.play(game.join, ALICE, match_id=None, join_code=matches[1].join_code),
        node.play(game.create, ALICE, topic="General"),
        node.play(game.create, ALICE, topic="General"),
    )
    assert refused == [Code.TOO_MANY_SESSIONS] * 2
    assert await live(node, ALICE) == 3


async def test_who_looks_for_somebody_has_taken_a_place(node: Node, turns: Turns) -> None:
    game, desk = limited(node, turns, 1), await Desk(node, live_matches_max=1, turns=turns).open()
    (match,) = await waiting(node, CAROL)
    await desk.find(ALICE)
    for attempt in (
        node.play(game.create, ALICE, topic="General"),
        node.play(game.join, ALICE, match_id=match.id, join_code=None),
    ):
        assert await refusals(attempt) == [Code.TOO_MANY_SESSIONS]
    await desk.find(BOB)
    await desk.rounds()
    assert await live(node, ALICE) == 1
    await desk.find(DAVE)
    await desk.searches.cancel(DAVE.id)
    assert await refusals(node.play(game.create, DAVE, topic="General")) == []


async def test_match_that_a_search_has_just_brought_is_counted_once(node: Node, turns: Turns) -> None:
    """Who is found stands in the queue for a moment longer."""
    game, desk = limited(node, turns, 2), await Desk(node, live_matches_max=2, turns=turns).open()
    for player in (ALICE, BOB):
        await desk.find(player)
    async with desk.making():
        assert await desk.marked() == [ALICE.id, BOB.id]
        assert (await node.matches.find_before_creation(ALICE.id, None, 2))[1] == 1
    assert await refusals(node.play(game.create, ALICE, topic="General")) == []


async def test_search_and_a_creation_at_once_are_one_too_many(node: Node, turns: Turns) -> None:
    game, desk = limited(node, turns, 1), await Desk(node, live_matches_max=1, turns=turns).open()
    attempts = (node.play(game.create, ALICE, topic="General"), desk.find(ALICE))
    assert await refusals(*attempts) == [Code.TOO_MANY_SESSIONS]


async def test_rematch_and_a_join_at_once_are_one_too_many(node: Node, turns: Turns) -> None:
    game, old = limited(node, turns, 1), await node.over()
    (match,) = await waiting(node, CAROL)
    await node.play(game.request_rematch, BOB, match_id=old.id)
    attempts = (
        node.play(game.request_rematch, ALICE, match_id=old.id),
        node.play(game.join, ALICE, match_id=match.id, join_code=None),
        node.play(game.create, BOB, topic="General"),
    )
    assert Code.TOO_MANY_SESSIONS in await refusals(*attempts)
    assert (await live(node, ALICE), await live(node, BOB)) == (1, 1)


async def test_turns_of_the_same_keys_wait_for_each_other_and_others_do_not(turns: Turns) -> None:
    heard: list[str] = []

    async def take(name: str, *keys: str) -> None:
        async with turns.of(*keys):
            heard.append(name)
            await asyncio.sleep(0)
            heard.append(name)

    await asyncio.gather(take("one", "a", "b"), take("two", "b", "a"), take("three", "c"))
    assert heard == ["one", "three", "one", "three", "two", "two"]
    assert turns.take_at_once("a")


async def test_turn_whose_waiter_is_gone_is_the_next_ones(turns: Turns) -> None:
    assert turns.take_at_once("a")

    async def wait() -> bool:
        async with turns.of("a"):
            return not turns.take_at_once("a")

    gone, late, stays = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    turns.give_back("a")
    late.cancel()  # its turn has just come
    assert await stays
    assert gone.cancelled()
    assert turns.take_at_once("a")
