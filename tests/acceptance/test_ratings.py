"""Two strangers meet, play, and come back to what it has changed: on one server, and on two of one database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession

from pairquiz_server.store.pool import Database
from tests.acceptance.conftest import Play
from tests.acceptance.player import PATIENCE_S, Player, playing
from tests.acceptance.server import Server, serving
from tests.web.valkey import valkey


@pytest.fixture
async def two_servers(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Two processes on this test's database and one Redis."""
    with valkey(tmp_path) as redis:
        async with AsyncExitStack() as servers:
            yield (
                await servers.enter_async_context(serving(database_url, tmp_path / "a.log", REDIS_URL=redis.url)),
                await servers.enter_async_context(serving(database_url, tmp_path / "b.log", REDIS_URL=redis.url)),
            )


async def meet(database: Database, first: Player, second: Player) -> str:
    """Let two play who have looked for somebody: the first answers one question right, the second none."""
    created = await first.ask("create_pair_quiz", {"topic": "General", "question_count": 3})
    session_id: str = created["session_id"]
    assert (await second.ask("join_pair_quiz", {"session_id": session_id}))["ok"]
    await database.fetch("UPDATE pairquiz.matches SET origin = 'search' WHERE id = $1", UUID(session_id))
    await first.emit("start_quiz", {"session_id": session_id})
    started = await first.event("quiz_started")
    question = started["questions"][0]
    right = await database.fetchval("SELECT options[correct + 1] FROM pairquiz.questions WHERE id = $1", question["id"])
    given = {"session_id": session_id, "question_id": question["id"], "answer": right}
    assert (await first.ask("submit_answer", given))["correct"]
    for player in (first, second):
        assert (await player.ask("quiz_completed", {"session_id": session_id}))["ok"]
    return session_id


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


async def until_ready(url: str) -> None:
    """Wait until all that a server stands on is there, Redis too."""
    async with asyncio.timeout(PATIENCE_S), ClientSession(url) as session:
        while True:
            async with session.get("/readyz") as response:
                if response.status == 200:
                    return


async def told(first: Player, second: Player, session_id: str) -> list[dict[str, Any]]:
    news = [await player.event("rating_changed") for player in (first, second)]
    assert [one["session_id"] for one in news] == [session_id] * 2
    assert news[0]["change"] > 0 > news[1]["change"]
    return news


async def test_two_strangers_come_back_to_their_ratings(play: Play, live_server: Server, database: Database) -> None:
    async with play(transports=["websocket"]) as first, play(transports=["websocket"]) as second:
        tokens = [(await player.event("welcome"))["guest_token"] for player in (first, second)]
        session_id = await meet(database, first, second)
        for news, token in zip(await told(first, second, session_id), tokens, strict=True):
            await come_back(live_server.url, session_id, news, token)


async def test_players_of_two_processes_hear_of_their_ratings(
    two_servers: tuple[Server, Server], database: Database, client_folder: Path, node: str
) -> None:
    here, there = two_servers
    for server in two_servers:
        await until_ready(server.url)
    async with (
        playing(client_folder, node, here.url, transports=["websocket"]) as first,
        playing(client_folder, node, there.url, transports=["websocket"]) as second,
    ):
        tokens = [(await player.event("welcome"))["guest_token"] for player in (first, second)]
        session_id = await meet(database, first, second)
        for news, token in zip(await told(first, second, session_id), tokens, strict=True):
            for server in (here, there):
                await come_back(server.url, session_id, news, token)
