"""How a player takes the free seat of a match, and who does not."""

import asyncio
from random import Random

import pytest

from pairquiz_server.engine.codes import JOIN_CODE_ALPHABET, normal_code
from pairquiz_server.rules.decide import Decision
from pairquiz_server.rules.errors import Refused
from pairquiz_server.rules.match import Status
from pairquiz_server.store.pool import Database
from tests.engine.stage import (
    ALICE,
    BOB,
    CAROL,
    HandClock,
    Node,
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


@pytest.mark.parametrize(
    "typed", ["0110ABCZ", "0110abcz", "0110-ABCZ", " 01 10-ab cz ", "OIlo-abcz", "oLi0ABCZ", "--0-1-1-0--ABCZ"]
)
async def test_player_joins_by_code_in_any_spelling(database: Database, clock: HandClock, typed: str) -> None:
    assert normal_code(typed) == "0110ABCZ"
    async with running_node(database, clock, random=FewCodes("0110ABCZ")) as node:
        match = await node.waiting()
        joined = await node.play(node.game.join, BOB, match_id=None, join_code=typed)
        assert (joined.match.id, joined.match.status, joined.match.seats[1].player) == (match.id, Status.READY, BOB)


@pytest.mark.parametrize("typed", ["", "-", "0", "ZZZZZZZZ", "' OR 1=1 --", "ß" * 8, "A" * 10_000])
async def test_player_joins_by_a_code_that_nobody_has(node: Node, typed: str) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code=typed)


async def test_player_joins_with_neither_id_nor_code(node: Node) -> None:
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code=None)


async def test_no_code_leads_to_the_match_of_two_who_came_together(node: Node) -> None:
    await node.paired()
    with pytest.raises(Refused, match="Session not found"):
        await node.play(node.game.join, BOB, match_id=None, join_code="- -")


async def test_creator_joins_by_the_own_code(node: Node) -> None:
    match = await node.waiting()
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.join, ALICE, match_id=None, join_code=match.join_code)
    assert refusal.value.code == "own_match"


async def test_code_is_void_once_used_and_its_user_finds_the_match_again(node: Node) -> None:
    match = await node.ready()
    again = await node.play(node.game.join, BOB, match_id=None, join_code=match.join_code)
    assert (code(again), again.match) == ("duplicate", match)
    for stranger in (CAROL, ALICE):
        with pytest.raises(Refused) as refusal:
            await node.play(node.game.join, stranger, match_id=None, join_code=match.join_code)
        assert refusal.value.code == "not_found"
    with pytest.raises(Refused) as refusal:
        await node.play(node.game.join, CAROL, match_id=match.id, join_code=None)
    assert refusal.value.code == "session_full"


async def test_ten_players_join_at_once_over_two_nodes_and_one_gets_the_seat(node: Node, other_node: Node) -> None:
    match = await node.waiting()
    outcomes = await asyncio.gather(
        *(
            on.play(on.game.join, person(f"racer {number} {on is node}"), match_id=match.id, join_code=None)
            for number in range(5)
            for on in (node, other_node)
        ),
        return_exceptions=True,
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, Decision)]
    losers = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert ([code(winner) for winner in winners], losers) == (["accepted"], ["session_full"] * 9)
    assert (await node.stored(match)).seats[1].player == winners[0].match.seats[1].player
