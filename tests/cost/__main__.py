"""`python -m tests.cost DATABASE_URL`: play, and print as JSON what answers, batches and duels cost the server.

A process of its own, set up as `serve` does it: no other test has left anything behind in it.
"""

import asyncio
import gc
import json
import sys
from collections import Counter
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
DUELS = 6
QUESTIONS_OF_A_DUEL = 5
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


Count = Callable[[Counts], AbstractContextManager[None]]


async def batches(port: int, count: Count, number: int) -> list[Counts]:
    """Play on from the same place of new matches, and count each batch of answers."""
    duels = await asyncio.to_thread(Duels, port, PAIRS)
    try:
        await begin(duels, counting.effects)
        for _ in range(WARM_UP):
            await moment(duels.answer_all, duels.hear_answered, counting.effects)
        return [await moment(duels.answer_all, duels.hear_answered, count) for _ in range(number)]
    finally:
        duels.close()


async def whole(port: int, count: Count, number: int) -> list[dict[str, Counts]]:
    """Play whole duels, and count what each part of them takes."""
    duels = await asyncio.to_thread(Duels, port, PAIRS, QUESTIONS_OF_A_DUEL)
    played: list[dict[str, Counts]] = []
    try:
        for _ in range(WARM_UP + number):
            parts = await begin(duels, count)
            for _ in range(QUESTIONS_OF_A_DUEL - 1):
                await moment(duels.answer_all, duels.hear_answered, counting.effects)
            parts["end"] = await moment(duels.answer_all, duels.hear_answered, count)
            played.append(parts)
    finally:
        duels.close()
    return played[WARM_UP:]


async def begin(duels: Duels, count: Count) -> dict[str, Counts]:
    """Let everybody create, join and start, and count each."""
    return {
        "create": await moment(duels.create_all, duels.hear_created, count),
        "join": await moment(duels.join_all, duels.hear_joined, count),
        "start": await moment(duels.start_all, duels.hear_started, count),
    }


async def moment(ask: Callable[[], None], hear: Callable[[], None], count: Count) -> Counts:
    """Let everybody send something in one moment, in which the server stands, and count what it does then."""
    await asyncio.sleep(REST_S)
    counts = Counts()
    ask()
    heard = asyncio.get_running_loop().run_in_executor(None, hear)
    with count(counts):
        await heard
        for _ in range(ROUNDS_AFTER):
            await Turn()
    return counts


async def answers(port: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return what was counted of answers, and the functions that take most instructions an answer.

    Of several batches the least counts: heartbeats and the like come between.
    """
    calls = await batches(port, counting.calls, BATCHES)
    instructions = await batches(port, counting.instructions, BATCHES)
    effects = await batches(port, counting.effects, MANY_BATCHES)
    least = min(instructions, key=lambda one: one.instructions)
    counts = {
        "instructions an answer": least.instructions / ANSWERS,
        "calls of Python an answer": min(one.python_calls for one in calls) / ANSWERS,
        "calls of C an answer": min(one.c_calls for one in calls) / ANSWERS,
        "encodings an answer": min(one.encodings for one in calls) / ANSWERS,
        "calls of loggers a batch": min(one.log_calls for one in calls),
        "tasks a batch": min(one.tasks for one in effects),
        "timers a batch": min(one.timers for one in effects),
        "writes beside one a socket, a batch": min(one.writes for one in effects) - ANSWERS,
        "objects left to gc a batch": min(one.garbage for one in effects),
    }
    return counts, _dearest(least.by_function, ANSWERS)


async def duels(port: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return what was counted of all that a duel has beside its answers, and the functions that take most of it.

    Its last answers are in it. Of each part the least counts.
    """
    calls = await whole(port, counting.calls, DUELS)
    instructions = await whole(port, counting.instructions, DUELS)
    effects = await whole(port, counting.effects, DUELS)
    functions: Counter[CodeType] = Counter()
    counts: dict[str, float] = {}
    for part in instructions[0]:
        least = min((one[part] for one in instructions), key=lambda counts: counts.instructions)
        functions += least.by_function
        counts |= {
            f"instructions a duel: {part}": least.instructions / PAIRS,
            f"calls of Python a duel: {part}": min(one[part].python_calls for one in calls) / PAIRS,
            f"calls of C a duel: {part}": min(one[part].c_calls for one in calls) / PAIRS,
            f"calls of loggers a duel: {part}": min(one[part].log_calls for one in calls) / PAIRS,
            f"tasks a batch: {part}": min(one[part].tasks for one in effects),
            f"writes a duel: {part}": min(one[part].writes for one in effects) / PAIRS,
            f"objects left to gc a batch: {part}": min(one[part].garbage for one in effects),
        }
    return counts, _dearest(functions, PAIRS)


async def played(port: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return what is counted of answers and of duels, and of each the dearest functions."""
    told = {"answers": await answers(port), "duels": await duels(port)}
    return {name: {"counts": counts, "functions": functions} for name, (counts, functions) in told.items()}


def _dearest(by_function: Counter[CodeType], share: int) -> dict[str, float]:
    return {_name(code): count / share for code, count in by_function.most_common(DEAREST)}


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
