"""Who finds nobody plays against what somebody has played, with the official client: on one server, and on two."""

from pathlib import Path
from typing import Any

from tests.acceptance.conftest import Pair
from tests.acceptance.player import Player, playing
from tests.acceptance.test_duel import answer_all

TERMS = {"topic": "General", "question_count": 3}


async def recorded(first: Player, second: Player) -> dict[str, Any]:
    """Let two play of whom the second answers nothing, and return the results as the first hears them."""
    assert (await first.ask("set_profile", {"display_name": "Ada"}))["ok"]
    session = {"session_id": (await first.ask("create_pair_quiz", TERMS))["session_id"]}
    assert (await second.ask("join_pair_quiz", session))["ok"]
    assert (await second.ask("start_quiz", session))["ok"]
    await answer_all(first, await first.event("quiz_started"), 0)
    assert (await second.ask("quiz_completed", session))["ok"]
    results: dict[str, Any] = await first.event("quiz_results")
    return results


async def test_who_finds_nobody_meets_the_run_of_somebody_who_is_asked_nothing(
    places: Pair, client_folder: Path, node: str
) -> None:
    here, there = places
    async with (
        playing(client_folder, node, here.url, transports=["websocket"]) as ada,
        playing(client_folder, node, here.url, transports=["websocket"]) as ben,
        playing(client_folder, node, there.url, transports=["websocket"]) as eve,
    ):
        results = await recorded(ada, ben)
        assert (await eve.ask("find_opponent", {**TERMS, "accept_ghost": True}))["ok"]
        found = await eve.event("opponent_found")
        assert (found["opponent"]["display_name"], found["opponent"]["kind"], found["ghost"]) == ("Ada", "ghost", True)
        session = {"session_id": found["session_id"]}
        assert (await eve.ask("start_quiz", session))["ghost"]
        started = await eve.event("quiz_started")
        assert [one["id"] for one in started["questions"]] == [one["id"] for one in results["questions"]]
        for question in results["questions"]:
            answer = {"question_id": question["id"], "answer": question["correct_option"]}
            assert (await eve.ask("submit_answer", session | answer))["correct"]
        over = await eve.event("quiz_results")
        assert (over["opponent_score"], over["outcome"], over["ghost"]) == (results["your_score"], "won", True)
        news = await eve.event("rating_changed")
        assert (news["ghost"], news["weight"], news["change"] > 0) == (True, 0.5, True)
        assert not {"rating_changed", "opponent_found", "quiz_started"} & set(ada.names)
