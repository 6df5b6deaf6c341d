"""Two players who play right, match after match, while others do not."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.client import Client, Closed, connected

QUESTIONS = 3
ADDRESS = "192.0.2.1"
REST_S = 0.1
"""What they rest after each match, because it is the attackers who are to be many."""


class Wronged(Exception):
    """The match was not what it must be; the message says what was wrong."""


class Neighbours:
    """Both players, and what they have seen."""

    def __init__(self, url: str, told: Callable[[str], None]) -> None:
        self._url = url
        self._told = told
        self.matches = 0
        self.begun = asyncio.Event()
        """Set when the first match is over, or will never be."""
        self.repeated = 0
        self.slowest_s = 0.0
        self.wrongs: list[str] = []

    async def play(self, done: asyncio.Event) -> None:
        """Play until it is done, and at least one match; that the server cuts a neighbour is a wrong."""
        try:
            async with (
                connected(self._url, X_Forwarded_For=ADDRESS) as first,
                connected(self._url, X_Forwarded_For=ADDRESS) as second,
            ):
                while not (done.is_set() and self.matches):
                    await self._match(first, second)
                    await asyncio.sleep(REST_S)
        except (Wronged, Closed, OSError, TimeoutError) as error:
            self.wrongs.append(f"after {self.matches} matches: {error!r}")
        finally:
            self.begun.set()

    async def _match(self, first: Client, second: Client) -> None:
        created = await self._ask(first, "create_pair_quiz", {"question_count": QUESTIONS})
        session_id = created["session_id"]
        self._told(session_id)
        await self._ask(second, "join_pair_quiz", {"session_id": session_id})
        await self._ask(first, "start_quiz", {"session_id": session_id})
        scores = []
        for client in (first, second):
            questions = (await client.event("quiz_started"))["questions"]
            scores.append(0)
            for question in questions:
                payload = {"session_id": session_id, "question_id": question["id"], "answer": self.matches % 4}
                answer = await self._ask(client, "submit_answer", payload)
                if answer.get("correct") is not (answer.get("correct_option") == self.matches % 4):
                    raise Wronged(f"{session_id}: answered {payload}, and heard {answer}")
                scores[-1] += answer.get("points", 0)
        for client, score in zip((first, second), scores, strict=True):
            results = await client.event("quiz_results")
            if (results["your_score"], results["reason"]) != (score, "all_answered"):
                raise Wronged(f"{session_id}: {score} points, and the results are {results}")
            await client.settled()
        self.matches += 1
        self.begun.set()

    async def _ask(self, client: Client, command: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a command, again where it may succeed later: on a machine that is busy the database may be too slow."""
        while True:
            asked_at = time.monotonic()
            answer = await client.ask(command, payload)
            self.slowest_s = max(self.slowest_s, time.monotonic() - asked_at)
            if answer["ok"]:
                return answer
            if not answer["error"]["retry"]:
                raise Wronged(f"{command} {payload} was refused: {answer}")
            self.repeated += 1
            await asyncio.sleep(REST_S)
