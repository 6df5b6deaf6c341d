"""What runs in one node, and what runs beside it for a moment. A part that ends by a fault ends the process."""

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger("pairquiz.node")


class Tasks:
    """The tasks of a node. `failed` is set when one of them has ended by a fault: the process is of no use any more."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run work that must not end by a fault."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._note_end)
        return task

    def beside(self, work: Coroutine[None, None, None]) -> None:
        """Run such work until it is done, or until `cancel`."""
        task = self.start(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def cancel(self) -> None:
        """Cancel what runs beside."""
        for task in self._under_way:
            task.cancel()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("part_failed", exc_info=error)
            self.failed.set()
