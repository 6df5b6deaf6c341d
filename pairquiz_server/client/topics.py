"""The topics that a server has."""

import aiohttp
import msgspec
from msgspec import Struct

TOPICS_S = 3.0


class Topic(Struct, frozen=True):
    """A topic, and how many questions it has."""

    name: str
    questions: int


class _Topics(Struct):
    topics: list[Topic]


async def topics(url: str, *, within_s: float = TOPICS_S) -> list[Topic]:
    """Return the topics of a server; none where it does not tell them in time."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=within_s)) as session,
            session.get(f"{url}/api/topics/") as answer,
        ):
            return msgspec.json.decode(await answer.read(), type=_Topics).topics
    except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError):
        return []
