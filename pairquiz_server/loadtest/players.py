"""All pairs of one process: how they come in, play a step, and end."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import NoReturn

from aiohttp import ClientSession

from pairquiz_server.client.beside import beside
from pairquiz_server.client.errors import ClientError, Refusal
from pairquiz_server.loadtest.generator import Generator
from pairquiz_server.loadtest.messages import Ended, Plan, Step
from pairquiz_server.loadtest.pair import Pair, Terms
from pairquiz_server.loadtest.scale import Scale
from pairquiz_server.loadtest.tally import Window
from pairquiz_server.loadtest.wire import Wire

AT_ONCE = 16
"""So many pairs connect at a time: a longer queue of handshakes would be a test of its own."""
TRIES = 6
TRY_AGAIN_S = 0.5
READY_S = 60.0
"""How long all pairs may take to connect and to begin a match."""


class NotReady(ClientError):
    """Not all pairs were ready in time; `trouble` is what was most often in the way, if anything was."""

    def __init__(self, trouble: str) -> None:
        self.trouble = trouble
        why = f"; most often this went wrong: {trouble}" if trouble else ": the server is too slow for so many"
        super().__init__(f"not all pairs had a match within {READY_S:.0f} s{why}")


class Players:
    """The pairs of a plan; `passed` is called with each second that is over."""

    def __init__(self, plan: Plan, web: ClientSession, passed: Callable[[Window], None]) -> None:
        chance = Random(plan.seed)  # noqa: S311 - nothing secret
        self._plan = plan
        self._generator = Generator(plan.arrivals, chance, passed)
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

    async def ready(self) -> None:
        """Connect all, and wait until each pair has a match. Raises `ClientError`."""
        turn = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.timeout(READY_S):
                await asyncio.gather(*(self._open(pair, turn) for pair in self._pairs))
                await beside(self._all_have_one(), self._trouble())
        except TimeoutError:
            troubles = self._generator.window.troubles
            raise NotReady(max(troubles, key=lambda what: troubles[what], default="")) from None

    async def step(self, step: Step) -> int:
        """Give a step's answers; return how many were not acknowledged. Raises `ClientError`."""
        return await beside(self._step(step), self._trouble())

    async def end(self) -> Ended:
        """Complete what is not played to its end, hang up, and return what was found."""
        generator = self._generator
        for pair in self._pairs:
            pair.stop()
        if self._playing:
            _, late = await asyncio.wait(self._playing, timeout=self._plan.patience_s)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)
        await asyncio.gather(*(pair.finish(self._plan.patience_s) for pair in self._pairs))
        await asyncio.gather(*(pair.close() for pair in self._pairs))
        return Ended(generator.matches, generator.answers, dict(generator.found), tuple(generator.findings))

    async def _step(self, step: Step) -> int:
        self._generator.forget()
        await self._generator.load(step)
        return await self._generator.drained(self._plan.patience_s)

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

    async def _all_have_one(self) -> None:
        while self._generator.pairs < len(self._pairs):
            self._generator.offered.clear()
            await self._generator.offered.wait()

    async def _trouble(self) -> NoReturn:
        """Wait until a pair cannot play on. Raises why."""
        await asyncio.wait(self._playing, return_when=asyncio.FIRST_COMPLETED)
        for one in self._playing:
            if one.done():
                one.result()
        raise AssertionError("a pair plays until it is told to end")
