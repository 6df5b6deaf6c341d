"""Two servers on one database and one Redis, and what players do there."""

import io
import json
from typing import Any

from tests.client import Client
from tests.conftest import Server, StartServer
from tests.web.duel import answering
from tests.web.valkey import hears_itself

Pair = tuple[Server, Server]


async def start_two(start_server: StartServer, url: str) -> Pair:
    nodes = await start_server(REDIS_URL=url), await start_server(REDIS_URL=url)
    await hears_itself(*nodes)
    return nodes


async def answer(player: Client, opponent: Client, started: dict[str, Any], place: int) -> None:
    """Answer a question; the opponent hears of it, whichever node it is at."""
    given = await player.ask("submit_answer", answering(started, place))
    assert given["ok"], given
    heard = await opponent.event("answer_submitted")
    assert (heard["player"], heard["question_id"]) == ("opponent", given["question_id"])


def logged(log: io.StringIO, *wanted: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.getvalue().splitlines()) if line["event"] in wanted]
