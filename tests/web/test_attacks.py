"""A duel is played to its end while somebody attacks the server: the attack is seen refused, the duel is unharmed.

One server, a row for each attack. Attackers come from addresses of their own, as a proxy tells.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from pairquiz_server.store.embedded import EmbeddedPostgres
from tests.client import PATIENCE_S
from tests.conftest import Server, execute, serving, sibling
from tests.web import attacks_of_players, attacks_on_lines
from tests.web.duel import Duel, answering, duel
from tests.web.target import ADDRESSES_CONNECTIONS, QUESTIONS, Target

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "https://quiz.example"
SETTINGS = {
    "PAIRQUIZ_SERVER__TRUSTED_PROXIES": "1",
    "PAIRQUIZ_SERVER__ALLOWED_ORIGINS": f'["{PAGE}"]',
    "PAIRQUIZ_LIMITS__CONNECTIONS_PER_ADDRESS": str(ADDRESSES_CONNECTIONS),
    "PAIRQUIZ_LIMITS__COMMANDS_BURST": "100",
    "PAIRQUIZ_LIMITS__FIRST_REQUEST_S": "1.5",
    "PAIRQUIZ_LIMITS__REST_BODY_S": "1",
    "PAIRQUIZ_LIMITS__UNAUTHENTICATED_S": "1.5",
    "PAIRQUIZ_LIMITS__STALL_S": "2",
    "PAIRQUIZ_LIMITS__SEND_QUEUE_BYTES": "65536",
}

ATTACKS: dict[str, Callable[[Target], Awaitable[None]]] = {
    attack.__name__: attack for attack in (*attacks_of_players.ATTACKS, *attacks_on_lines.ATTACKS)
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def attacked(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Server]:
    """A server behind a proxy, for all attacks."""
    name = f"attacked_{uuid4().hex}"
    await execute(postgres.dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    async with serving(sibling(postgres.dsn, name), SETTINGS) as server:
        yield server


class Play:
    """Two players who answer one question after the other, and what they must have at the end."""

    def __init__(self, players: Duel, match: dict[str, Any]) -> None:
        self._match = match
        self._players = (players.first, players.second)
        self._scores = [0, 0]

    async def answer(self, place: int) -> None:
        """Let both answer a question, and hold what they hear against what they sent."""
        for seat, client in enumerate(self._players):
            async with asyncio.timeout(PATIENCE_S):
                answer = await client.ask("submit_answer", answering(self._match, place, seat))
            assert answer["ok"], answer
            assert answer["correct"] is (answer["correct_option"] == seat)
            assert (answer["points"] > 0) is answer["correct"]
            self._scores[seat] += answer["points"]
            assert answer["score"] == self._scores[seat]

    async def end(self) -> None:
        """Both have the same result, of their own answers."""
        for seat, client in enumerate(self._players):
            results = await client.event("quiz_results")
            own, other = self._scores[seat], self._scores[1 - seat]
            assert (results["your_score"], results["opponent_score"]) == (own, other)
            assert results["outcome"] == ("draw" if own == other else "won" if own > other else "lost")
            assert results["reason"] == "all_answered"
            assert [line["your_answer"] for line in results["questions"]] == [seat] * QUESTIONS
            # A machine that stands still for two seconds delays the match, attack or no attack.
            told = {name for name, _ in await client.settled()} - {"session_delayed"}
            assert told <= {"answer_submitted", "opponent_completed"}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_duel_is_unharmed_while_somebody_attacks(attacked: Server, attack: str) -> None:
    async with duel(attacked) as players:
        match = await players.start(question_count=QUESTIONS)
        address = f"192.0.2.{list(ATTACKS).index(attack) + 1}"
        play = Play(players, match)
        await play.answer(0)
        attacking = asyncio.create_task(ATTACKS[attack](Target(attacked.url, match, players, address)))
        try:
            for place in range(1, QUESTIONS - 1):
                await play.answer(place)
            await attacking
        finally:
            attacking.cancel()
        await play.answer(QUESTIONS - 1)
        await play.end()
