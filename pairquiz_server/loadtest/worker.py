"""A process that plays: `python -m pairquiz_server.loadtest`. Its plan and its steps are lines of its input.

The end of the input ends it in order, so that it never outlives who has started it.
"""

import asyncio
import sys
from random import Random

import aiohttp
import msgspec
from aiohttp import ClientSession

from pairquiz_server.client.beside import first_of
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.loadtest.generator import Generator
from pairquiz_server.loadtest.messages import Ended, Failed, Passed, Plan, Ready, Report, Step, StepDone
from pairquiz_server.loadtest.pair import Pair, Terms
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.wire import Wire

AT_ONCE = 16
"""So many pairs connect at a time: a longer queue of handshakes would be a test of its own."""
TRIES = 6
TRY_AGAIN_S = 0.5
READY_S = 60.0
"""How long all pairs may take to connect and to begin a match."""


async def work() -> None:
    """Play as the lines of the input say, and tell what happens as lines of the output."""
    orders = await _standard_input()
    plan = msgspec.json.decode(await orders.readline(), type=Plan)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    cookies = aiohttp.DummyCookieJar()
    async with ClientSession(plan.url, connector=connector, timeout=timeout, cookie_jar=cookies) as web:
        players = _Players(plan, web)
        steps: asyncio.Queue[Step] = asyncio.Queue()
        try:
            await first_of(players.play(steps), _orders(orders, steps))
        except ClientError as error:
            _tell(Failed(str(error), f"connect:{error.code}" if isinstance(error, Refusal) else ""))
        _tell(await players.end())


class _Players:
    """All pairs of this process."""

    def __init__(self, plan: Plan, web: ClientSession) -> None:
        chance = Random(plan.seed)  # noqa: S311 - nothing secret
        self._plan = plan
        self._generator = Generator(plan.arrivals, chance, lambda window: _tell(Passed(window)))
        self._playing: list[asyncio.Task[None]] = []
        tokens = plan.tokens or (None,) * (2 * plan.pairs)
        terms, scale = Terms(plan.topic, plan.question_count), Scale()
        self._pairs = [
            Pair(
                lambda hear, ended: Wire(web, plan.transport, hear, ended),
                (tokens[2 * number], tokens[2 * number + 1]),
                terms,
                scale,
                self._generator,
                chance,
            )
            for number in range(plan.pairs)
        ]

    async def play(self, steps: "asyncio.Queue[Step]") -> None:
        """Make all ready, and do what is asked for, step by step, without end. Raises `ClientError`."""
        await first_of(self._steps(steps), self._trouble())

    async def end(self) -> Ended:
        """Complete what is not played to its end, hang up, and return what was found."""
        generator = self._generator
        await _gone(self._playing)
        await asyncio.gather(*(pair.finish(self._plan.patience_s) for pair in self._pairs))
        await asyncio.gather(*(pair.close() for pair in self._pairs))
        return Ended(generator.matches, generator.answers, dict(generator.found), tuple(generator.findings))

    async def _steps(self, steps: "asyncio.Queue[Step]") -> None:
        try:
            async with asyncio.timeout(READY_S):
                await self._make_ready()
        except TimeoutError:
            often = max(self._generator.window.troubles.items(), key=lambda item: item[1], default=("", 0))[0]
            raise _NotReady(often) from None
        _tell(Ready())
        while True:
            step = await steps.get()
            self._generator.forget()
            await self._generator.load(step)
            _tell(StepDone(await self._generator.drained(self._plan.patience_s)))

    async def _make_ready(self) -> None:
        """Connect all, and wait until each pair has a match."""
        turn = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._open(pair, turn) for pair in self._pairs))
        while self._generator.pairs < len(self._pairs):
            self._generator.offered.clear()
            await self._generator.offered.wait()

    async def _open(self, pair: Pair, turn: asyncio.Semaphore) -> None:
        async with turn:
            for left in reversed(range(TRIES)):
                try:
                    await pair.open()
                    break
                except Refusal as refusal:
                    if not (refusal.retry and left):
                        raise
                    self._generator.trouble(f"connect:{refusal.code}")
                await pair.close()
                await asyncio.sleep(TRY_AGAIN_S)
        self._playing.append(asyncio.create_task(pair.play()))

    async def _trouble(self) -> None:
        """Wait until a pair cannot play on. Raises why."""
        while True:
            for one in self._playing:
                if one.done():
                    one.result()
            await asyncio.sleep(0.1)


class _NotReady(ClientError):
    """Not all pairs were ready in time."""

    def __init__(self, often: str) -> None:
        why = f"; most often this went wrong: {often}" if often else ": the server is too slow for so many"
        super().__init__(f"not all pairs had a match within {READY_S:.0f} s{why}")


async def _orders(lines: asyncio.StreamReader, steps: "asyncio.Queue[Step]") -> None:
    """Take steps until there are no more."""
    async for line in lines:
        steps.put_nowait(msgspec.json.decode(line, type=Step))


async def _gone(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _tell(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()
