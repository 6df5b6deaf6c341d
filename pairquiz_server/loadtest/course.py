"""The course of a load test: one step, or as many as it takes to find the largest rate that holds."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from math import ceil

from msgspec import Struct

from pairquiz_server.client.beside import first_of
from pairquiz_server.client.errors import ClientError
from pairquiz_server.loadtest.advice import advice
from pairquiz_server.loadtest.crew import CannotPlay, Crew
from pairquiz_server.loadtest.messages import Ended, Step
from pairquiz_server.loadtest.outcome import Figures, Outcome, Verdict, figures, verdict_of
from pairquiz_server.loadtest.plans import Order, plans
from pairquiz_server.loadtest.ramp import Tried, knee, next_rate
from pairquiz_server.loadtest.scrape import Look, Scraper
from pairquiz_server.loadtest.tally import Window


class Second(Struct, frozen=True):
    """A second of a step, over all processes."""

    rate: float
    window: Window


class Course:
    """A load test under way. `changed` is called whenever there is something new to show."""

    def __init__(self, order: Order, changed: Callable[["Course"], None] = lambda course: None) -> None:
        self.order = order
        self.seconds: list[Second] = []
        self.steps: list[Figures] = []
        self.rate: float | None = None
        self._changed = changed
        self._windows: dict[int, Window] = {}
        self._told: dict[int, int] = {}
        self._before: set[str] = set()
        self._scraper = Scraper(order.url, order.metrics_token)

    @property
    def looks(self) -> list[Look]:
        """What the server has said about itself."""
        return self._scraper.looks

    async def run(self, stop: asyncio.Event) -> Outcome:
        """Try it, until it is done or `stop` is set. Raises `ClientError` where it cannot even begin."""
        order = self.order
        crew = Crew(await plans(order), self._passed)
        refused: CannotPlay | None = None
        looking = asyncio.create_task(self._scraper.run())
        try:
            await first_of(self._steps(crew), stop.wait())
        except CannotPlay as error:
            refused = error
        finally:
            looking.cancel()
            ended = await crew.end()
        with suppress(asyncio.CancelledError):
            await looking
        if refused is not None and self.rate is None:
            raise _with_advice(refused)
        return self._outcome(ended, interrupted=stop.is_set(), refused=refused)

    async def _steps(self, crew: Crew) -> None:
        self._changed(self)
        await crew.start()
        tried: list[Tried] = []
        while (rate := next_rate(self.order.rate, tried)) is not None:
            step = Step(rate, self.order.seconds)
            self.rate, self._windows, self._told = rate, {}, {}
            unanswered = await crew.step(step)
            told = figures(
                step, list(self._windows.values()), unanswered=unanswered, processes=self.order.processes,
                bound_ms=self.order.p99_ms,
            )  # fmt: skip
            self._keep_seconds()
            self.steps.append(told)
            tried.append(Tried(rate, told.verdict is Verdict.HELD))
            self._told = {}
            self._changed(self)
            if not self.order.ramp:
                return

    def _passed(self, window: Window) -> None:
        """Take in a second of one process; it is whole when all have told of it."""
        if self.rate is None:
            self._before.update(window.troubles)
            return
        second = min(window.second, max(ceil(self.order.seconds) - 1, 0))  # what comes late belongs to the last one
        self._windows.setdefault(second, Window(second=second)).add(window)
        self._told[window.second] = self._told.get(window.second, 0) + 1
        if self._told[window.second] == self.order.processes and second == window.second:
            self._changed(self)

    def newest(self) -> Window | None:
        """Return the newest second of the step that all processes have told of."""
        whole = self.order.processes
        done = [second for second, told in self._told.items() if told == whole and second in self._windows]
        return self._windows[max(done)] if done else None

    def _keep_seconds(self) -> None:
        assert self.rate is not None
        self.seconds += [Second(self.rate, self._windows[second]) for second in sorted(self._windows)]

    def _outcome(self, ended: Ended, *, interrupted: bool, refused: CannotPlay | None) -> Outcome:
        order = self.order
        cut = interrupted or refused is not None
        if cut and self._windows and (not self.steps or self.steps[-1].rate != self.rate):
            assert self.rate is not None
            self._keep_seconds()
            cut_short = Step(self.rate, max(len(self._windows), 1))
            self.steps.append(
                figures(
                    cut_short, list(self._windows.values()), unanswered=0, processes=order.processes,
                    bound_ms=order.p99_ms,
                )
            )  # fmt: skip
        tried = [Tried(step.rate, step.verdict is Verdict.HELD) for step in self.steps]
        largest = knee(tried) if order.ramp else None
        verdict, why = verdict_of(self.steps, ended.found, knee=largest)
        if refused is not None and verdict is not Verdict.FAULTY:
            verdict, why = refused.verdict, str(refused)
        elif interrupted and verdict is Verdict.HELD:
            verdict, why = Verdict.INTERRUPTED, f"it was ended before its time; until then: {why}"
        troubles = {what for step in self.steps for what in step.troubles} | self._before
        if refused is not None:
            troubles.add(refused.trouble)
        return Outcome(
            url=order.url,
            pairs=order.pairs,
            processes=order.processes,
            transport=str(order.transport),
            verdict=verdict,
            why=why,
            knee=largest,
            steps=self.steps,
            matches=ended.matches,
            answers=ended.answers,
            found=ended.found,
            findings=list(ended.findings),
            advice=advice(troubles),
        )


def _with_advice(refused: CannotPlay) -> ClientError:
    told = advice([refused.trouble])
    return ClientError(f"{refused}: {told[0]}" if told else str(refused))
