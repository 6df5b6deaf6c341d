"""An answer counts from when it reached the server, however long the one before it took."""

import asyncpg

from tests.client import connected, started_match
from tests.conftest import Server


async def test_answers_sent_together_are_stamped_as_they_arrive(server: Server, database_url: str) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second, question_count=2)
        session_id = started["session_id"]
        blocker = await asyncpg.connect(database_url)
        async with blocker.transaction():
            await blocker.execute("SELECT 1 FROM pairquiz.matches WHERE id = $1 FOR UPDATE", session_id)
            for question in started["questions"]:
                answer = {"session_id": session_id, "question_id": question["id"], "answer": 0}
                await first.emit("submit_answer", answer)
            assert not (await first.ask("no_such_command"))["ok"]  # is read after both answers, and waits for nothing
            read_by = server.running.game.now()
        await blocker.close()
        own = [await first.event("answer_submitted") for _ in started["questions"]]
        assert all(answer["receipt"]["arrived_at"] <= read_by for answer in own)


async def test_a_player_who_resumes_behind_an_answer_finds_it(server: Server) -> None:
    async with connected(server.url) as first, connected(server.url) as second:
        started = await started_match(first, second)
        question = started["questions"][0]
        answer = {"session_id": started["session_id"], "question_id": question["id"], "answer": 0}
        await first.emit("submit_answer", answer)
        state = await first.ask("resume_pair_quiz", {"session_id": started["session_id"]})
        assert list(state["your_answers"]) == [str(question["id"])]
