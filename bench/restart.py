"""A server that is killed with many live matches, and how soon after its next start an answer is acknowledged."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiohttp import ClientSession, ClientWebSocketResponse

from bench.players import Fault, loading
from bench.servers import OURS, Contest, Server

PATIENCE_S = 30.0
AGAIN_S = 0.1


class Player:
    """A connection that asks for one thing at a time."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._acks = 0

    async def event(self, name: str) -> dict[str, Any]:
        """Return the next event of this name."""
        return (await self._frame(f'42["{name}",'))[1]

    async def ask(self, name: str, **payload: Any) -> dict[str, Any]:
        """Return the acknowledgement of a command; one that may be asked again is. Raises `Fault`."""
        while True:
            self._acks += 1
            await self._socket.send_str(f"42{self._acks}{json.dumps([name, payload])}")
            answer: dict[str, Any] = (await self._frame(f"43{self._acks}["))[0]
            if answer["ok"]:
                return answer
            if not answer["error"]["retry"]:
                raise Fault(str(answer))
            await asyncio.sleep(AGAIN_S)

    async def _frame(self, beginning: str) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self._socket.receive_str()
                if frame == "2":
                    await self._socket.send_str("3")
                elif frame.startswith(beginning):
                    return json.loads(frame[frame.index("[") :])


@asynccontextmanager
async def playing(port: int, token: str | None = None) -> AsyncIterator[tuple[Player, str]]:
    """Connect as a guest, or with the token of one; yields the player and its token."""
    url = f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_str("40" + (json.dumps({"token": token}) if token else ""))
        player = Player(socket)
        welcome = await player.event("welcome")
        yield player, token or welcome["guest_token"]


async def _begin(port: int) -> tuple[str, str, int]:
    """Start a match; returns its first player's token, the session and a question to answer after the restart."""
    async with playing(port) as (ann, token), playing(port) as (ben, _):
        session_id = (await ann.ask("create_pair_quiz", topic="General", time_limit=300))["session_id"]
        await ben.ask("join_pair_quiz", session_id=session_id)
        started = await ann.ask("start_quiz", session_id=session_id)
        return token, session_id, started["questions"][0]["id"]


async def _answer(port: int, token: str, session_id: str, question_id: int) -> None:
    async with playing(port, token) as (ann, _):
        await ann.ask("submit_answer", session_id=session_id, question_id=question_id, answer=0)


def first_answer_s(contest: Contest, matches: int, away_s: float) -> float:
    """Return the seconds from a start of the process to the first acknowledgement, with so many live matches.

    The process before was killed, `away_s` earlier. Raises `Fault` where not so many matches are live any more.
    """
    url = contest.filled(lambda server: _fill(server, contest.cores.rest, matches))
    with contest.serving(OURS, url) as server:
        begun = asyncio.run(_begin(server.port))
        server.kill()
    time.sleep(away_s)
    if (live := asyncio.run(_live(url))) < matches:
        raise Fault(f"only {live} of {matches} matches are live")
    started_at = time.monotonic()
    with contest.serving(OURS, url) as server:
        asyncio.run(_answer(server.port, *begun))
        took_s = time.monotonic() - started_at
        server.kill()
    return took_s


def _fill(server: Server, core: int, matches: int) -> None:
    with loading(server.port, core, pairs=200, questions=5, matches=matches) as load:
        load.phase("end")
        server.kill()  # before the players go: their matches stay as they are


async def _live(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM pairquiz.matches WHERE status = 'in_progress'"))
    finally:
        await connection.close()
