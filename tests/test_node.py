"""The parts of a process that must never end."""

import asyncio

from structlog.testing import capture_logs

from pairquiz_server.node.tasks import Tasks


async def test_a_part_that_fails_is_named_and_told() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    tasks = Tasks()
    with capture_logs() as lines:
        tasks.start(fail())
        await asyncio.wait_for(tasks.failed.wait(), 30)
    assert [line["event"] for line in lines] == ["part_failed"]


async def test_a_part_that_is_stopped_has_not_failed() -> None:
    tasks = Tasks()
    part = tasks.start(asyncio.sleep(3600))
    part.cancel()
    await asyncio.wait({part})
    assert not tasks.failed.is_set()
