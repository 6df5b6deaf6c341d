"""The processes that play, from the one that has started them."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from pairquiz_server.client.errors import ClientError
from pairquiz_server.loadtest.advice import stops_the_test
from pairquiz_server.loadtest.messages import Ended, Failed, Passed, Plan, Ready, Report, Step, StepDone
from pairquiz_server.loadtest.outcome import Verdict
from pairquiz_server.loadtest.tally import Window

END_S = 60.0
"""How long the processes may take to end in order, beside their patience with what is not answered; then they are
killed."""
_decode = msgspec.json.Decoder(Report).decode

Kind = TypeVar("Kind")


class CannotPlay(ClientError):
    """The load test cannot go on; `trouble` is what stands in the way, where that is known by a name.

    `verdict` is what that says about the server.
    """

    def __init__(self, failed: Failed, verdict: Verdict = Verdict.BEHIND) -> None:
        self.trouble = failed.trouble
        self.verdict = Verdict.STOPPED if stops_the_test(failed.trouble) else verdict
        super().__init__(failed.text)


class Crew:
    """Some processes, each with a part of the pairs and of the rate."""

    def __init__(self, plans: Sequence[Plan], passed: Callable[[Window], None]) -> None:
        self._plans = plans
        self._passed = passed
        self._workers: list[Process] = []

    async def start(self) -> None:
        """Start all, and wait until each pair has a match that runs. Raises `CannotPlay`."""
        for plan in self._plans:
            # A session of its own: Ctrl+C is for the one who asks, who tells the others.
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pairquiz_server.loadtest",
                stdin=PIPE, stdout=PIPE, start_new_session=True, limit=16 * 1024 * 1024, env=os.environ,
            )  # fmt: skip
            self._workers.append(worker)
            _order(worker, plan)
        await self._all(Ready)

    async def step(self, step: Step) -> int:
        """Give so many answers a second for a while; return how many were not acknowledged. Raises `CannotPlay`."""
        share = Step(step.rate / len(self._workers), step.seconds)
        for worker in self._workers:
            _order(worker, share)
        return sum(one.unanswered for one in await self._all(StepDone))

    async def end(self) -> Ended:
        """Let all finish, and return what all have found; of one that has died, or does not end, nothing is known."""
        for worker in self._workers:
            assert worker.stdin is not None
            worker.stdin.close()
        # A process waits twice: for matches that are being made, and for what is under way.
        within_s = END_S + 2 * max(plan.patience_s for plan in self._plans)
        try:
            ends = await asyncio.gather(*(self._end_of(worker, within_s) for worker in self._workers))
        finally:
            await self._kill()
        found: dict[str, int] = {}
        for end in ends:
            for fault, count in end.found.items():
                found[fault] = found.get(fault, 0) + count
        findings = tuple(finding for end in ends for finding in end.findings)
        return Ended(sum(end.matches for end in ends), sum(end.answers for end in ends), found, findings)

    async def _all(self, kind: type[Kind]) -> list[Kind]:
        """Take what all tell, until each has told of this; where one cannot, nobody listens to the others any more."""
        waiting = [asyncio.create_task(self._until(worker, kind)) for worker in self._workers]
        try:
            return await asyncio.gather(*waiting)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _end_of(self, worker: Process, within_s: float) -> Ended:
        """Return what a process has found; one that cannot play on says so first."""
        assert worker.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not worker.stdout.at_eof():
                    with suppress(CannotPlay):
                        return await self._until(worker, Ended)
        return Ended(0, 0, {}, ())

    async def _until(self, worker: Process, kind: type[Kind]) -> Kind:
        """Take what a process tells, until it tells of this."""
        assert worker.stdout is not None
        async for line in worker.stdout:
            report = _decode(line)
            if isinstance(report, kind):
                return report
            if isinstance(report, Passed):
                self._passed(report.window)
            elif isinstance(report, Failed):
                raise CannotPlay(report)
        died = Failed("a process that plays has ended before its time: what it said, if anything, is above")
        raise CannotPlay(died, Verdict.GENERATOR)

    async def _kill(self) -> None:
        for worker in self._workers:
            if worker.returncode is None:
                worker.kill()
            await worker.wait()


def _order(worker: Process, order: Plan | Step) -> None:
    assert worker.stdin is not None
    worker.stdin.write(msgspec.json.encode(order) + b"\n")
