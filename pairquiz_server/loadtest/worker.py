"""A process that plays: `python -m pairquiz_server.loadtest`. Its plan and its steps are lines of its input.

The end of the input ends it in order, so that it never outlives who has started it.
"""

import asyncio
import sys
from typing import NoReturn

import aiohttp
import msgspec
from aiohttp import ClientSession

from pairquiz_server.client.beside import first_of
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.loadtest.messages import Failed, Passed, Plan, Ready, Report, Step, StepDone
from pairquiz_server.loadtest.players import NotReady, Players


async def work() -> None:
    """Play as the lines of the input say, and tell what happens as lines of the output."""
    orders = await _standard_input()
    plan = msgspec.json.decode(await orders.readline(), type=Plan)
    async with web_of(plan) as web:
        players = Players(plan, web, lambda window: _tell(Passed(window)))
        steps: asyncio.Queue[Step] = asyncio.Queue()
        try:
            await first_of(_play(players, steps), _take(orders, steps))
        except ClientError as error:
            _tell(Failed(str(error), _trouble(error)))
        _tell(await players.end())


def web_of(plan: Plan) -> ClientSession:
    """Return what all connections of a process are made by: as many as it takes, without cookies."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    return ClientSession(plan.url, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def _play(players: Players, steps: "asyncio.Queue[Step]") -> NoReturn:
    await players.ready()
    _tell(Ready())
    while True:
        _tell(StepDone(await players.step(await steps.get())))


async def _take(lines: asyncio.StreamReader, steps: "asyncio.Queue[Step]") -> None:
    """Take steps until there are no more."""
    async for line in lines:
        steps.put_nowait(msgspec.json.decode(line, type=Step))


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _trouble(error: ClientError) -> str:
    """Return the name of what went wrong, where it has one."""
    if isinstance(error, NotReady):
        return error.trouble
    return f"connect:{error.code}" if isinstance(error, Refusal) else ""


def _tell(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()
