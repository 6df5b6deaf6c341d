"""Two strangers meet, play, and come back to what it has changed: on one server, and on two of one database."""

from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Pair
from tests.acceptance.player import Player, playing


async def meet(database: Database, first: Player, second: Player) -> str:
    """Let two strangers find each other and play: the first answers everything right, the second says to be done."""
    for player in (first, second):
        assert (await player.ask("find_opponent", {"topic": "General", "question_count": 3}))["ok"]
    found = [await player.event("opponent_found") for player in (first, second)]
    session = {"session_id": found[0]["session_id"]}
    assert (found[0]["opponent"]["rating"], found[1]["session_id"]) == (1500, session["session_id"])
    assert (await first.ask("start_quiz", session))["ok"]
    started = await first.event("quiz_started")
    await second.event("quiz_started")
    for question in started["questions"]:
        right = "SELECT options[correct + 1] FROM pairquiz.questions WHERE id = $1"
        answer = {"question_id": question["id"], "answer": await database.fetchval(right, question["id"])}
        assert (await first.ask("submit_answer", session | answer))["correct"]
    assert (await second.ask("quiz_completed", session))["ok"]
    outcomes = [(await player.event("quiz_results"))["outcome"] for player in (first, second)]
    assert outcomes == ["won", "lost"]
    return str(session["session_id"])


async def come_back(url: str, session_id: str, news: dict[str, Any], token: str) -> None:
    """Ask a server for all that a player comes back to, and hold it against what the player was told."""
    headers = {"Authorization": f"Bearer {token}"}

    async with ClientSession(url, headers=headers) as session:

        async def get(path: str) -> dict[str, Any]:
            async with session.get(path) as response:
                assert response.status == 200, await response.text()
                found: dict[str, Any] = await response.json()
                return found

        me = await get("/api/me/")
        assert (me["rating"], me["provisional"], me["rated"]) == (news["overall"]["rating"], True, 1)
        assert [(topic["topic"], topic["rating"]) for topic in me["topics"]] == [("General", news["rating"])]
        history = await get("/api/pair-quiz/history/")
        (match,) = history["matches"]
        assert (match["session_id"], match["rating"]["change"]) == (session_id, news["change"])
        against = await get(f"/api/pair-quiz/{session_id}/head-to-head/")
        assert against["matches"] == 1
        week = await get("/api/leaderboards/General/?period=week")
        assert week["players"] == 2
        assert week["you"]["rank"] == (1 if news["change"] > 0 else 2)
        ever = await get("/api/leaderboards/all/")
        assert (ever["entries"], ever["you"]["listed"]) == ([], False)


async def told(first: Player, second: Player, session_id: str) -> list[dict[str, Any]]:
    news = [await player.event("rating_changed") for player in (first, second)]
    assert [one["session_id"] for one in news] == [session_id] * 2
    assert news[0]["change"] > 0 > news[1]["change"]
    return news


async def test_two_strangers_find_each_other_and_come_back_to_their_ratings(
    places: Pair, database: Database, client_folder: Path, node: str
) -> None:
    here, there = places
    async with (
        playing(client_folder, node, here.url, transports=["websocket"]) as first,
        playing(client_folder, node, there.url, transports=["websocket"]) as second,
    ):
        tokens = [(await player.event("welcome"))["guest_token"] for player in (first, second)]
        session_id = await meet(database, first, second)
        for news, token in zip(await told(first, second, session_id), tokens, strict=True):
            for server in dict.fromkeys(places):
                await come_back(server.url, session_id, news, token)
