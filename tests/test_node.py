"""The parts of a process that must never end."""

import asyncio

from structlog.testing import capture_logs

from pairquiz_server.node import watched


async def test_a_part_that_fails_is_named_and_told() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    failed = asyncio.Event()
    with capture_logs() as lines:
        watched(fail(), failed)
        await asyncio.wait_for(failed.wait(), 30)
    assert [line["event"] for line in lines] == ["part_failed"]


async def test_a_part_that_is_stopped_has_not_failed() -> None:
    failed = asyncio.Event()
    part = watched(asyncio.sleep(3600), failed)
    part.cancel()
    await asyncio.wait({part})
    assert not failed.is_set()
