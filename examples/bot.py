"""A bot over python-socketio: looks for somebody, or joins by a code, answers by chance, and goes when it is over.

python bot.py [http://127.0.0.1:8000] [CODE]        needs:  pip install "python-socketio[asyncio_client]"
"""

import asyncio
import os
import random
import sys
from contextlib import suppress
from typing import Any

import socketio
from socketio.exceptions import SocketIOError

SERVER = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
CODE = sys.argv[2] if len(sys.argv) > 2 else None
THINKING_S = float(os.environ.get("THINKING_MS", "1500")) / 1000
ANSWER_S = 5.0


class Refused(Exception):
    """The server has refused a command for good."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = error["code"]
        super().__init__(error["message"])


class Bot:
    """Plays one match. What the match is, the server says: after each event we look, and do what there is to do."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient()
        self.token: str | None = None
        self.session_id: str | None = None
        self.news = asyncio.Event()
        self.socket.on("welcome", self.welcomed)
        self.socket.on("*", self.heard)

    def auth(self) -> dict[str, str]:
        """Say the newest token: who comes back after a broken line is the same player."""
        return {"token": self.token} if self.token else {}

    async def welcomed(self, welcome: dict[str, Any]) -> None:
        """Keep the token, and take up a match that waits."""
        self.token = welcome["guest_token"]
        if self.session_id is None and welcome["sessions"]:
            self.session_id = welcome["sessions"][0]["session_id"]
        self.news.set()

    async def heard(self, name: str, payload: dict[str, Any]) -> None:
        """Look again, whatever has happened."""
        if name == "opponent_found":
            self.session_id = payload["session_id"]
        self.news.set()

    async def ask(self, name: str, **payload: Any) -> dict[str, Any]:
        """Send a command until it is answered: however often it arrives, it counts once. Raises `Refused`."""
        while True:
            try:
                reply: dict[str, Any] = await self.socket.call(name, payload, timeout=ANSWER_S)
            except SocketIOError:  # no answer, or no line: it comes back by itself
                await asyncio.sleep(0.2)
                continue
            if reply["ok"]:
                return reply
            if not reply["error"]["retry"]:
                raise Refused(reply["error"])
            await asyncio.sleep(reply["error"].get("retry_in_ms", 1000) / 1000)

    async def play(self) -> str:
        """Play a match to its end, and say how it went."""
        await self.socket.connect(SERVER, auth=self.auth, wait_timeout=10)
        await self.news.wait()
        if self.session_id is None and CODE:
            self.session_id = (await self.ask("join_pair_quiz", join_code=CODE))["session_id"]
        elif self.session_id is None:
            await self.ask("find_opponent", topic="General", question_count=3)
            print("looking for somebody …")
        while True:
            self.news.clear()
            if self.session_id is not None and (over := await self.act(self.session_id)):
                return over
            await self.news.wait()

    async def act(self, session_id: str) -> str | None:
        """Answer what there is to answer; return how the match went, once it is over."""
        while True:
            state = await self.ask("resume_pair_quiz", session_id=session_id)
            if results := state.get("results"):
                scores = f"{results['your_score']} to {results['opponent_score']}"
                return f"{results['outcome']}: {scores} against {results['opponent']['display_name']}"
            if state["status"] in ("abandoned", "expired"):
                return f"the match was {state['status']}"
            question = self.open_question(state)
            if question is None:
                return None
            await asyncio.sleep(THINKING_S)
            answer = random.randrange(len(question["options"]))
            with suppress(Refused):  # its time was over first: what comes next is told
                locked = await self.ask(
                    "submit_answer", session_id=session_id, question_id=question["id"], answer=answer
                )
                print(f"{question['text']} {question['options'][answer]} ({locked['receipt']['reason']})")

    @staticmethod
    def open_question(state: dict[str, Any]) -> dict[str, Any] | None:
        """Return the next question to answer: in rounds there is one at a time, if there is one."""
        if state["status"] != "in_progress":
            return None
        questions: list[dict[str, Any]] = state["questions"]
        if state["pace"] == "rounds":
            current = state.get("round")
            questions = questions[current["index"] :] if current and current["closes_at"] else []
        return next((one for one in questions if str(one["id"]) not in state["your_answers"]), None)


async def main() -> None:
    """Play, and say in one line how it went, or why it cannot be."""
    bot = Bot()
    try:
        print(await bot.play())
    except (Refused, SocketIOError) as error:
        sys.exit(str(error))
    finally:
        await bot.socket.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
