"""What is tried, and the part of it that each process plays."""

import resource

from msgspec import Struct

from pairquiz_server.client.errors import ClientError
from pairquiz_server.client.topics import topics
from pairquiz_server.loadtest.messages import Plan
from pairquiz_server.loadtest.schedule import Arrivals
from pairquiz_server.loadtest.wire import Transport

QUESTIONS_MAX = 50
FILES_BESIDE = 100
"""Open files of a process that are no connections."""


class Order(Struct, frozen=True, kw_only=True):
    """What is tried. `tokens` has one for each player, or none; `ramp` looks for the largest rate that holds."""

    url: str
    pairs: int
    rate: float
    seconds: float
    ramp: bool = False
    p99_ms: float | None = None
    processes: int = 1
    transport: Transport = Transport.WEBSOCKET
    arrivals: Arrivals = Arrivals.POISSON
    topic: str | None = None
    question_count: int | None = None
    patience_s: float = 10.0
    seed: int = 0
    tokens: tuple[str, ...] = ()
    metrics_token: str | None = None


async def plans(order: Order) -> list[Plan]:
    """Return what each process does. Raises `ClientError` where that cannot be."""
    topic, question_count = await _questions(order)
    _allow_files(2 * -(-order.pairs // order.processes) * (1 if order.transport is Transport.WEBSOCKET else 2))
    parts, begun = [], 0
    for number in range(order.processes):
        pairs = order.pairs // order.processes + (number < order.pairs % order.processes)
        parts.append(
            Plan(
                url=order.url, pairs=pairs, topic=topic, question_count=question_count, transport=order.transport,
                arrivals=order.arrivals, patience_s=order.patience_s, seed=order.seed + number,
                tokens=order.tokens[2 * begun : 2 * (begun + pairs)],
            )
        )  # fmt: skip
        begun += pairs
    return parts


async def _questions(order: Order) -> tuple[str, int]:
    """Return the topic and how many questions a match has: as many as there are, where nothing is said."""
    known = await topics(order.url)
    if not known:
        raise ClientError(f"{order.url} tells no topics: pairquiz-server doctor --url {order.url}  says why")
    if order.topic is None:
        topic = max(known, key=lambda one: one.questions)
    else:
        wanted = order.topic.strip().casefold()
        found = [one for one in known if one.name.casefold() == wanted]
        if not found:
            names = ", ".join(one.name for one in known)
            raise ClientError(f"{order.url} has no topic {order.topic!r}: it has {names}")
        topic = found[0]
    return topic.name, order.question_count or min(topic.questions, QUESTIONS_MAX)


def _allow_files(connections: int) -> None:
    """Raise how many files a process may open, as far as it may. Raises `ClientError`."""
    needed = connections + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise ClientError(
            f"{connections} connections a process are more than this machine allows ({hard} open files): "
            "take more --processes or fewer --pairs, or raise it (ulimit -n)"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
