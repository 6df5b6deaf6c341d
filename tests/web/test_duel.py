"""A duel over one server, from the players' side of the wire."""

from tests.client import connected, started_match
from tests.conftest import Server


async def test_two_players_duel_until_results(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=2)
        for question in started["questions"]:
            for player in (first, second):
                answer = await player.ask(
                    "submit_answer",
                    {"session_id": started["session_id"], "question_id": question["id"], "answer": 0},
                )
                assert answer["ok"], answer
                assert answer["player"] == "you"
        results = [await player.event("quiz_results") for player in (first, second)]
        assert results[0]["your_score"] == results[1]["opponent_score"]
