"""The conversation in docs/clients.md, frame by frame, is one that a client really has with the server."""

import json
import re
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMessage

from pairquiz_server.rules.question import Difficulty, Question
from pairquiz_server.store.questions import Questions
from tests.client import Client, connected
from tests.conftest import Server, StartServer

DOCS = Path(__file__).parents[2] / "docs" / "clients.md"
BLOCK = re.compile(r"<!-- the conversation -->\n```text\n(.*?)```\n", re.DOTALL)

RIVERS = [
    Question(
        topic="Rivers",
        text="Which river flows through Vienna?",
        options=("The Rhine", "The Elbe", "The Danube", "The Po"),
        correct=2,
        lang="en",
        difficulty=Difficulty.EASY,
    ),
    Question(
        topic="Rivers",
        text="Into which sea does the Volga flow?",
        options=("The Black Sea", "The Caspian Sea", "The White Sea", "The Baltic Sea"),
        correct=1,
        lang="en",
        difficulty=Difficulty.HARD,
    ),
]
"""Of rising difficulty: they are asked in this order."""

NOON = 1_767_268_800_000
SAID_AS = {
    "sid": "8Yv0VWv6sPZ1nH1FAAAB",
    "user_id": "guest:4d1f3c1e9f8a47d2",
    "guest_token": "eyJhbGciOi…",
    "token": "eyJhbGciOi…",
    "join_code": "7KQ2M9XT",
    "display_name": "Guest 3FVE",
    "server_time": NOON,
    "started_at": NOON,
    "deadline_at": NOON + 60_000,
    "remaining_ms": 52_000,
    "arrived_at": NOON + 4_000,
    "judged_at": NOON + 4_000,
    "lag_credit_ms": 0,
}
"""What is different each time is written like this."""
SESSION = "3f2b8c1e-7a54-4c0d-9b1a-2f6d5e8c9a10"
INDEXES = {"answer", "correct_option", "your_answer", "opponent_answer"}


PING_AND_PONG = ("2", "3")
"""They come when they come."""


class Scribe:
    """Writes down what goes over a websocket, and how it would read any other time."""

    def __init__(self) -> None:
        self._written: list[tuple[str, str]] = []
        self._session_id = ""
        self._orders: dict[int, list[int]] = {}
        self._numbers: dict[int, int] = {}

    def write(self, arrow: str, frame: str) -> None:
        if frame not in PING_AND_PONG:
            self._written.append((arrow, frame))

    def note(self, text: str) -> None:
        self.write("", f"   ({text})")

    @property
    def text(self) -> str:
        lines: list[str] = []
        for arrow, frame in self._written:
            line = self._line(arrow, frame) if arrow else f"\n{frame}\n"
            # Who comes back while its absence is just being noted may be told the same state twice.
            if line not in lines or not line.startswith('← 42["quiz_state"'):
                lines.append(line)
        return "\n".join(lines).strip("\n")

    def _line(self, arrow: str, frame: str) -> str:
        head = frame[: len(frame) - len(frame.lstrip("0123456789"))]
        body = frame[len(head) :]
        said = json.dumps(self._said(json.loads(body)), ensure_ascii=False, separators=(",", ":")) if body else ""
        return f"{arrow} {head}{said}"

    def learn(self, started: dict[str, Any]) -> None:
        """Learn which session it is, which questions, and in which order their options are."""
        self._session_id = started["session_id"]
        for place, question in enumerate(started["questions"]):
            self._numbers[question["id"]] = 101 + place
            self._orders[question["id"]] = [RIVERS[place].options.index(option) for option in question["options"]]

    def shown(self, place: int, option: int) -> tuple[int, int]:
        """Return the id of a question, and where an option of it is shown."""
        question_id = list(self._orders)[place]
        return question_id, self._orders[question_id].index(option)

    def _said(self, value: Any, key: str = "", question_id: int | None = None) -> Any:
        if isinstance(value, list):
            if key == "options" and question_id is not None:
                return list(RIVERS[self._numbers[question_id] - 101].options)
            return [self._said(one, key, question_id) for one in value]
        if isinstance(value, dict):
            asked = value.get("question_id", value.get("id", question_id))
            return {
                str(self._numbers.get(int(name), name)) if name.isdigit() else name: self._said(
                    one, name, int(name) if name.isdigit() else asked
                )
                for name, one in value.items()
            }
        if key in INDEXES and isinstance(value, int) and question_id is not None:
            return self._orders[question_id][value]
        if key in ("id", "question_id"):
            return self._numbers[value]
        if value is None:
            return None
        if isinstance(value, str) and self._session_id and self._session_id in value:
            return value.replace(self._session_id, SESSION)
        return SAID_AS.get(key, value)


class Overheard:
    """A websocket to whose every text frame a scribe listens."""

    def __init__(self, socket: ClientWebSocketResponse, scribe: Scribe) -> None:
        self._socket = socket
        self._scribe = scribe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    async def send_str(self, frame: str) -> None:
        self._scribe.write("→", frame)
        await self._socket.send_str(frame)

    async def receive(self) -> WSMessage:
        message: WSMessage = await self._socket.receive()
        if isinstance(message.data, str):
            self._scribe.write("←", message.data)
        return message


async def open_line(session: ClientSession, server: Server, scribe: Scribe) -> Client:
    socket = await session.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket")
    client = Client(Overheard(socket, scribe))  # type: ignore[arg-type]
    await client._read()
    return client


async def conversation(server: Server) -> str:
    """Play a duel, of which one player's line is written down; it breaks once."""
    scribe = Scribe()
    async with ClientSession() as session, connected(server.url) as other:
        scribe.note("a websocket to /socket.io/?EIO=4&transport=websocket has opened")
        client = await open_line(session, server, scribe)
        await client.send_frame("40")
        welcome = await client.event("welcome")

        wishes = {"topic": "Rivers", "question_count": 2, "scoring": "accuracy", "request_id": "c5d0b1"}
        created = await client.ask("create_pair_quiz", wishes)
        await client.event("quiz_created")
        scribe.note("the other one joins with the code")
        await other.ask("join_pair_quiz", {"join_code": created["join_code"]})
        await client.event("opponent_joined")
        mine = {"session_id": created["session_id"]}
        await client.ask("start_quiz", mine)
        started = await client.event("quiz_started")
        scribe.learn(started)

        question_id, shown = scribe.shown(0, 2)
        first_answer = {**mine, "question_id": question_id, "answer": shown}
        await client.ask("submit_answer", first_answer)
        scribe.note("the other one answers the first question, wrongly, and is done")
        question_id, shown = scribe.shown(0, 0)
        await other.ask("submit_answer", {**mine, "question_id": question_id, "answer": shown})
        await client.event("answer_submitted")
        await other.ask("quiz_completed", mine)
        await client.event("opponent_completed")

        scribe.note("the line breaks; another one opens, and what may not have arrived is sent again")
        client.cut()
        await other.event("opponent_disconnected")
        client = await open_line(session, server, scribe)
        await client.send_frame("40" + json.dumps({"token": welcome["guest_token"]}))
        await client.event("welcome")
        await client.event("quiz_state")
        await client.ask("submit_answer", first_answer)
        question_id, shown = scribe.shown(1, 1)
        await client.ask("submit_answer", {**mine, "question_id": question_id, "answer": shown})
        await client.event("quiz_results")
        await client.close()
    return scribe.text


async def test_the_conversation_in_the_docs_is_a_real_one(start_server: StartServer) -> None:
    # Nobody is credited anything, and the two do not meet again.
    server = await start_server(PAIRQUIZ_GAME__LAG_CREDIT_MAX_MS="0")
    await Questions(server.running.database).add(RIVERS)
    heard = await conversation(server) + "\n"
    found = BLOCK.search(DOCS.read_text())
    assert found, "docs/clients.md has no conversation"
    assert found[1] == heard, f"docs/clients.md has another conversation; write there:\n{heard}"
