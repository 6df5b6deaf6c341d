"""An answer counts from when it reached the server, however long the one before it took, and is not lost on the way."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from tests.client import connected, started_match
from tests.conftest import Server, serving

BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@asynccontextmanager
async def held(database_url: str, session_id: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold a match's row, so that what changes it cannot be committed; gives a connection that holds nothing."""
    blocker, watcher = [await asyncpg.connect(database_url) for _ in range(2)]
    try:
        async with blocker.transaction():
            await blocker.execute("SELECT 1 FROM pairquiz.matches WHERE id = $1 FOR UPDATE", session_id)
            yield watcher
    finally:
        await blocker.close()
        await watcher.close()


def answer_to(started: dict[str, Any], place: int = 0) -> dict[str, Any]:
    return {"session_id": started["session_id"], "question_id": started["questions"][place]["id"], "answer": 0}


async def test_answers_sent_together_are_stamped_as_they_arrive(server: Server, database_url: str) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=2)
        async with held(database_url, started["session_id"]):
            for place in (0, 1):
                await first.emit("submit_answer", answer_to(started, place))
            assert not (await first.ask("no_such_command"))["ok"]  # is read after both answers, and waits for nothing
            read_by = server.running.game.now()
        own = [await first.event("answer_submitted") for _ in started["questions"]]
        assert all(answer["receipt"]["arrived_at"] <= read_by for answer in own)


async def test_a_player_who_resumes_behind_an_answer_finds_it(server: Server, database_url: str) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        async with held(database_url, started["session_id"]) as watcher:
            await first.emit("submit_answer", answer_to(started))
            resuming = asyncio.create_task(first.ask("resume_pair_quiz", {"session_id": started["session_id"]}))
            # PostgreSQL tells this only when it is asked.
            while not await watcher.fetchval(BLOCKED):  # noqa: ASYNC110
                await asyncio.sleep(0)
            await second.ask("resume_pair_quiz", {"session_id": started["session_id"]})
            assert not resuming.done()
        state = await resuming
        assert list(state["your_answers"]) == [str(started["questions"][0]["id"])]


async def test_an_answer_that_was_taken_is_answered_before_the_server_closes(database_url: str) -> None:
    async with AsyncExitStack() as clients:
        async with serving(database_url, {}) as server:
            first, second = [await clients.enter_async_context(connected(server.url)) for _ in range(2)]
            started = await started_match(first, second)

            async def hold_until_draining() -> None:
                async with held(database_url, started["session_id"]):
                    await first.emit("submit_answer", answer_to(started))
                    await first.ask("no_such_command")
                    sent.set()
                    while not server.running.health.draining:  # noqa: ASYNC110 - a flag, as readyz reads it
                        await asyncio.sleep(0)

            sent = asyncio.Event()
            holding = asyncio.create_task(hold_until_draining())
            await sent.wait()
        await holding
        assert (await first.event("answer_submitted"))["player"] == "you"


async def test_what_waits_behind_an_answer_is_not_carried_out_when_its_connection_is_gone(
    server: Server, database_url: str, log: io.StringIO
) -> None:
    async def until_logged(event: str, command: str = "", times: int = 1) -> None:
        lines: list[str] = []
        while sum(f'"{event}"' in line and command in line for line in lines) < times:
            await asyncio.sleep(0.01)
            lines = log.getvalue().splitlines()

    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=2)
        async with held(database_url, started["session_id"]):
            await first.emit("submit_answer", answer_to(started))
            await first.emit("create_pair_quiz")
            await until_logged("command_received", "create_pair_quiz", times=2)
            first.cut()
            await until_logged("player_disconnected")
        assert (await second.event("answer_submitted"))["player"] == "opponent"
        assert (await second.ask("create_pair_quiz"))["ok"]
        rows = await server.running.database.fetch("SELECT player1_id FROM pairquiz.matches ORDER BY created_at")
        assert [row["player1_id"] for row in rows] == [first.user_id, second.user_id]
