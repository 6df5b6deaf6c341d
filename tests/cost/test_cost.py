"""What an answer and a whole duel cost the server, in counts that noise cannot move; no time is measured.

20 pairs play on the real server, on uvloop and with a real PostgreSQL. All 40 players answer in one moment, while the
loop stands: the server finds 40 answers at once, and makes one batch of them. What its thread does until everybody has
heard of everything is counted; the players are another thread, which is not. Of several batches the least counts.

What a duel has beside its answers is counted in the same way: all pairs create, join, start and end at once.

To renew the bounds: `.venv/bin/python -m pytest -n 0 -s tests/cost` prints what is counted, and a bound is about a
tenth more; where something must not happen at all, it is 0. Instructions and calls are those of Python 3.11.
"""

import asyncio
import json
import sys

import click

PARTS = ("create", "join", "start", "end")
BOUNDS: dict[str, float] = {
    "instructions an answer": 2210,
    "calls of Python an answer": 80,
    "calls of C an answer": 66,
    "encodings an answer": 2.3,
    "calls of loggers a batch": 0,
    "tasks a batch": 0,
    "timers a batch": 2,
    "writes beside one a socket, a batch": 1,
    "objects left to gc a batch": 0,
}
BOUNDS_OF_DUELS: dict[str, float] = {
    "instructions a duel: create": 3110,
    "instructions a duel: join": 3200,
    "instructions a duel: start": 4500,
    "instructions a duel: end": 8500,
    "calls of Python a duel: create": 113,
    "calls of Python a duel: join": 104,
    "calls of Python a duel: start": 153,
    "calls of Python a duel: end": 284,
    "calls of C a duel: create": 103,
    "calls of C a duel: join": 92,
    "calls of C a duel: start": 141,
    "calls of C a duel: end": 238,
    **dict.fromkeys((f"calls of loggers a duel: {part}" for part in PARTS), 5.3),
    **dict.fromkeys((f"tasks a batch: {part}" for part in PARTS), 0),
    **dict.fromkeys((f"objects left to gc a batch: {part}" for part in PARTS), 0),
    "writes a duel: create": 1.2,
    **dict.fromkeys((f"writes a duel: {part}" for part in PARTS[1:]), 2.2),
}
"""`end` are the last two answers and what follows from them."""
OF_ANY_PYTHON = ("a batch", "writes a duel")
ATTEMPTS = 3
"""Where the machine has so much else to do that heartbeats come into each batch; what is dear is so in all of them."""


async def counted(database_url: str) -> dict[str, dict[str, dict[str, float]]]:
    """Play in a process of its own."""
    command = [sys.executable, "-m", "tests.cost", database_url]
    pipe = asyncio.subprocess.PIPE
    playing = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    told, errors = await playing.communicate()
    assert playing.returncode == 0, errors.decode()
    found: dict[str, dict[str, dict[str, float]]] = json.loads(told)
    for part in found.values():
        click.echo("\n" + "\n".join(f"{name:40}{value:10.2f}" for name, value in part["counts"].items()))
    return found


def too_dear(counts: dict[str, float], bounds: dict[str, float]) -> dict[str, tuple[float, float]]:
    """What is above its bound, with it."""
    if sys.version_info[:2] != (3, 11):
        bounds = {name: bound for name, bound in bounds.items() if any(part in name for part in OF_ANY_PYTHON)}
    return {name: (counts[name], bound) for name, bound in bounds.items() if counts[name] > bound}


async def test_answers_and_whole_duels_cost_no_more_than_they_did(database_url: str) -> None:
    for _ in range(ATTEMPTS):
        found = await counted(database_url)
        dear = {
            name: over
            for name, bounds in (("answers", BOUNDS), ("duels", BOUNDS_OF_DUELS))
            if (over := too_dear(found[name]["counts"], bounds))
        }
        if not dear:
            return
    dearest = "\n".join(
        f"{name}: {count:8.1f} {function}" for name in dear for function, count in found[name]["functions"].items()
    )
    raise AssertionError(f"more than their bounds: {dear}\nThe instructions of each function:\n{dearest}")
