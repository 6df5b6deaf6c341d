"""`python -m tests.cost DATABASE_URL`: play, and print what an answer and a batch cost the server as JSON.

A process of its own, set up as `serve` does it: no other test has left anything behind in it.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import CodeType

import click

from bench.servers import LIFTED
from pairquiz_server import config, logs
from pairquiz_server.cli.serve import COLLECT_AFTER
from tests.conftest import serving
from tests.cost import counting
from tests.cost.counting import CountingLoop, Counts
from tests.cost.duelists import Duels

PAIRS = 20
ANSWERS = 2 * PAIRS
WARM_UP = 2
BATCHES = 12
MANY_BATCHES = 24
"""Where whatever else the server does now and then would count as much as all the answers of a batch."""
DEAREST = 50
REST_S = 0.02
"""Longer than the pace of batches: each is written at once, and has everything in it."""


ROUNDS_AFTER = 10
"""Of the loop, in which the server ends what follows when everybody has heard."""


class Turn:
    """What is awaited to let the loop go round once; `asyncio.sleep(0)` would be counted."""

    def __await__(self) -> Iterator[None]:
        yield


async def batches(port: int, count: Callable[[Counts], AbstractContextManager[None]], number: int) -> list[Counts]:
    """Play on from the same place of new matches, and count each batch."""
    duels = await asyncio.to_thread(Duels, port, PAIRS)
    try:
        for _ in range(WARM_UP):
            await batch(duels, counting.effects)
        return [await batch(duels, count) for _ in range(number)]
    finally:
        duels.close()


async def batch(duels: Duels, count: Callable[[Counts], AbstractContextManager[None]]) -> Counts:
    """Let everybody answer in one moment, in which the server stands, and count what it does then."""
    await asyncio.sleep(REST_S)
    counts = Counts()
    duels.answer_all()
    heard = asyncio.get_running_loop().run_in_executor(None, duels.hear_all)
    with count(counts):
        await heard
        for _ in range(ROUNDS_AFTER):
            await Turn()
    return counts


async def played(port: int) -> dict[str, dict[str, float]]:
    """Return what was counted, and the functions that take most instructions an answer.

    Of several batches the least counts: heartbeats and the like come between.
    """
    calls = await batches(port, counting.calls, BATCHES)
    instructions = await batches(port, counting.instructions, BATCHES)
    effects = await batches(port, counting.effects, MANY_BATCHES)
    least = min(instructions, key=lambda one: one.instructions)
    return {
        "counts": {
            "instructions an answer": least.instructions / ANSWERS,
            "calls of Python an answer": min(one.python_calls for one in calls) / ANSWERS,
            "calls of C an answer": min(one.c_calls for one in calls) / ANSWERS,
            "encodings an answer": min(one.encodings for one in calls) / ANSWERS,
            "calls of loggers a batch": min(one.log_calls for one in calls),
            "tasks a batch": min(one.tasks for one in effects),
            "timers a batch": min(one.timers for one in effects),
            "writes beside one a socket, a batch": min(one.writes for one in effects) - ANSWERS,
            "objects left to gc a batch": min(one.garbage for one in effects),
        },
        "functions": {_name(code): count / ANSWERS for code, count in least.by_function.most_common(DEAREST)},
    }


def _name(code: CodeType) -> str:
    return f"{code.co_qualname} ({'/'.join(Path(code.co_filename).parts[-3:])}:{code.co_firstlineno})"


async def main(database_url: str) -> None:
    """Serve, play, and print."""
    async with serving(database_url, LIFTED) as server:
        click.echo(json.dumps(await played(int(server.url.rpartition(":")[2]))))


if __name__ == "__main__":
    settings = config.load(environ={})
    logs.configure(level=settings.log.level, style=settings.log.format)
    gc.set_threshold(*COLLECT_AFTER)
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(main(sys.argv[1]))
