"""A pair that is split over two servers, one of which dies, or stands still."""

import asyncio

from tests.acceptance.conftest import Pair
from tests.client import connected, started_match
from tests.web.duel import answering


async def test_players_of_a_node_that_is_killed_go_on_at_another_and_who_stays_away_is_missed(nodes: Pair) -> None:
    dies, lives = nodes
    async with (
        connected(lives.url) as second,
        connected(dies.url) as faithful,
        connected(dies.url) as faithless,
    ):
        goes_on = await started_match(faithful, second)
        waits = await started_match(faithless, second)
        await faithful.ask("submit_answer", answering(goes_on))
        heard = await second.event("answer_submitted")
        await dies.kill()
        async with connected(lives.url, token=faithful.token) as back:
            state = await back.event("quiz_state")
            assert (state["version"], len(state["your_answers"])) == (heard["version"], 1)
            assert (await back.ask("submit_answer", answering(goes_on, 1)))["ok"]
            assert (await second.event("answer_submitted"))["answered"] == 2
            gone = await second.event("opponent_disconnected")
            assert (gone["session_id"], gone["cause"]) == (waits["session_id"], "connection_lost")
            assert "opponent_reconnected" not in [name for name, _ in await second.settled()]


async def test_a_node_that_stood_still_finds_its_players_again(nodes: Pair) -> None:
    """Its sockets stayed open: who was on it was away for the others, and is back when it goes on."""
    sleeps, lives = nodes
    async with connected(lives.url) as second, connected(sleeps.url) as first:
        started = await started_match(first, second)
        sleeps.freeze()
        gone = await second.event("opponent_disconnected")
        sleeps.thaw()
        back = await first.event("quiz_state")
        while back["version"] == gone["version"]:  # it had missed that, too, and was told before its return was noted
            back = await first.event("quiz_state")
        assert back["version"] == gone["version"] + 1
        # The node that slept has to find Redis again as well: what it announced meanwhile, the other one reads.
        heard: set[str] = set()
        async with asyncio.timeout(30):
            while not {"opponent_reconnected", "quiz_state"} & heard:
                heard |= {name for name, message in await second.settled() if message["version"] == back["version"]}
        answered = await first.ask("submit_answer", answering(started))
        assert (answered["ok"], answered["version"]) == (True, back["version"] + 1)
        state = await second.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert (state["version"], state["opponent"]["answered"]) == (answered["version"], 1)
