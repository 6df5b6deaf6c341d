"""What a client makes of events is what the server's own state says, after each step of a match."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from msgspec.structs import asdict

from pairquiz_server.client.duel import Duel, of_state
from pairquiz_server.protocol.events import QuizState
from tests.client import Client, connected
from tests.conftest import Server
from tests.terminal.seats import Watched, duel_of, seated

in_both_paces = pytest.mark.parametrize("pace", ["free", "rounds"])


AT_THE_END = ("questions", "opponent", "round", "expired")


class Pair:
    """Two players, each with a second tab that asks for the state."""

    def __init__(self, seats: tuple[Watched, Watched], tabs: tuple[Client, Client]) -> None:
        self.seats = seats
        self.tabs = tabs

    async def agree(self) -> None:
        """Hold what both have made of events against the server's state."""
        for seat, tab in zip(self.seats, self.tabs, strict=True):
            assert seat.duel is not None
            said = await tab.ask("resume_pair_quiz", {"session_id": seat.duel.session_id})
            state = of_state(msgspec.convert(said, QuizState))
            known = await seat.until(lambda duel, at=state.version: duel.version >= at)  # type: ignore[misc]
            assert _differences(known, state) == {}


def _differences(known: Duel, state: Duel) -> dict[str, object]:
    """What differs, and how. Once it is over, explanations have come, and who is where is of no concern."""
    both = zip(asdict(known).items(), asdict(state).values(), strict=True)
    aside = {"whole_at", *(AT_THE_END if state.over else ())}
    return {name: (ours, theirs) for (name, ours), theirs in both if ours != theirs and name not in aside}


@asynccontextmanager
async def pair(server: Server) -> AsyncIterator[Pair]:
    async with (
        seated(server.url) as first,
        seated(server.url) as second,
        connected(server.url, token=first.tokens[-1]) as one,
        connected(server.url, token=second.tokens[-1]) as other,
    ):
        yield Pair((first, second), (one, other))


@in_both_paces
async def test_two_who_play_to_the_end_know_what_the_server_knows(server: Server, pace: str) -> None:
    async with pair(server) as both:
        first, second = both.seats
        await duel_of(first, second, question_count=3, pace=pace)
        await both.agree()
        await first.start()
        for place in range(3):
            for seat in (first, second):
                question = await seat.next_question()
                assert question is not None
                assert seat.duel is not None
                assert seat.duel.place_of(question) == place + 1
                await seat.answer(question, 1)
                if seat is first:
                    await both.agree()
        for seat in (first, second):
            assert await seat.next_question() is None
        await both.agree()
        assert first.duel is not None
        assert first.duel.results is not None
        assert len(first.duel.results.questions) == 3
        assert first.heard.count("quiz_results") == 1


@in_both_paces
async def test_who_is_left_alone_knows_what_the_server_knows(server: Server, pace: str) -> None:
    async with pair(server) as both:
        first, second = both.seats
        await duel_of(first, second, question_count=3, pace=pace)
        await second.start()
        question = await first.next_question()
        assert question is not None
        await first.answer(question, 0)
        await second.leave()
        duel = await first.until(lambda now: now.over)
        await both.agree()
        assert duel.results is not None
        assert (duel.results.outcome, duel.results.reason) == ("won", "opponent_left")


async def test_who_says_that_nothing_follows_is_done(server: Server) -> None:
    async with pair(server) as both:
        first, second = both.seats
        await duel_of(first, second, question_count=3)
        await first.start()
        await second.until(lambda duel: duel.status == "in_progress")
        await second.complete()
        await first.until(lambda duel: duel.opponent is not None and duel.opponent.completed)
        await both.agree()


async def test_a_match_that_is_left_before_it_begins_is_over_for_both(server: Server) -> None:
    async with pair(server) as both:
        first, second = both.seats
        await duel_of(first, second)
        await second.leave()
        duel = await first.until(lambda now: now.over)
        assert duel.results is None
        assert await first.next_question() is None
