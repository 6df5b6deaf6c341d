"""What an answer costs the server, in counts that noise cannot move; no time is measured.

20 pairs play on the real server, on uvloop and with a real PostgreSQL. All 40 players answer in one moment, while the
loop stands: the server finds 40 answers at once, and makes one batch of them. What its thread does until everybody has
heard of everything is counted; the players are another thread, which is not.

To renew the bounds: `.venv/bin/python -m pytest -n 0 -s tests/cost` prints what is counted, and a bound is about a
tenth more; where something must not happen at all, it is 0. Instructions and calls are those of Python 3.11.
"""

import asyncio
import json
import sys

import click

BOUNDS = {
    "instructions an answer": 7600,
    "calls of Python an answer": 350,
    "calls of C an answer": 227,
    "encodings an answer": 3,
    "calls of loggers a batch": 448,
    "tasks a batch": 132,
    "timers a batch": 90,
    "writes beside one a socket, a batch": 45,
    "objects left to gc a batch": 0,
}
OF_ANY_PYTHON = {name for name in BOUNDS if name.endswith("a batch")}


async def test_an_answer_costs_no_more_than_it_did(database_url: str) -> None:
    playing = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cost", database_url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, errors = await playing.communicate()
    assert playing.returncode == 0, errors.decode()
    found = json.loads(told)
    counted = found["counts"]
    click.echo("\n" + "\n".join(f"{name:40}{value:10.2f}" for name, value in counted.items()))
    bounds = BOUNDS if sys.version_info[:2] == (3, 11) else {name: BOUNDS[name] for name in OF_ANY_PYTHON}
    dearer = {name: (value, bound) for name, bound in bounds.items() if (value := counted[name]) > bound}
    dearest = "\n".join(f"{count:8.1f} {function}" for function, count in found["functions"].items())
    assert not dearer, f"it costs more than its bound; the instructions of each function are\n{dearest}"
