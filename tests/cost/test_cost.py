"""What an answer costs the server, in counts that noise cannot move; no time is measured.

20 pairs play on the real server, on uvloop and with a real PostgreSQL. All 40 players answer in one moment, while the
loop stands: the server finds 40 answers at once, and makes one batch of them. What its thread does until everybody has
heard of everything is counted; the players are another thread, which is not. Of several batches the least counts.

To renew the bounds: `.venv/bin/python -m pytest -n 0 -s tests/cost` prints what is counted, and a bound is about a
tenth more; where something must not happen at all, it is 0. Instructions and calls are those of Python 3.11.
"""

import asyncio
import json
import sys
from typing import Any

import click

BOUNDS = {
    "instructions an answer": 2330,
    "calls of Python an answer": 81,
    "calls of C an answer": 69,
    "encodings an answer": 2.3,
    "calls of loggers a batch": 0,
    "tasks a batch": 0,
    "timers a batch": 2,
    "writes beside one a socket, a batch": 1,
    "objects left to gc a batch": 0,
}
OF_ANY_PYTHON = {name for name in BOUNDS if name.endswith("a batch")}
ATTEMPTS = 3
"""Where the machine has so much else to do that heartbeats come into each batch; what is dear is so in all of them."""


async def counted(database_url: str) -> dict[str, dict[str, float]]:
    """Play in a process of its own."""
    command = [sys.executable, "-m", "tests.cost", database_url]
    pipe = asyncio.subprocess.PIPE
    playing = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    told, errors = await playing.communicate()
    assert playing.returncode == 0, errors.decode()
    found: dict[str, dict[str, float]] = json.loads(told)
    click.echo("\n" + "\n".join(f"{name:40}{value:10.2f}" for name, value in found["counts"].items()))
    return found


def too_dear(counts: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """What is above its bound, with it."""
    bounds = BOUNDS if sys.version_info[:2] == (3, 11) else {name: BOUNDS[name] for name in OF_ANY_PYTHON}
    return {name: (counts[name], bound) for name, bound in bounds.items() if counts[name] > bound}


async def test_an_answer_costs_no_more_than_it_did(database_url: str) -> None:
    for _ in range(ATTEMPTS):
        found = await counted(database_url)
        if not (dear := too_dear(found["counts"])):
            return
    dearest = "\n".join(f"{count:8.1f} {function}" for function, count in found["functions"].items())
    raise AssertionError(f"more than their bounds: {dear}\nThe instructions of each function:\n{dearest}")
