"""Virtual time: it passes at once, in order, and by nothing else."""

import asyncio
import time

import pytest

from tests.simulation.loop import NothingLeftError, VirtualLoop


def test_hours_pass_at_once() -> None:
    loop = VirtualLoop()
    began = time.perf_counter()
    loop.run_until_complete(asyncio.sleep(36_000))
    assert loop.time() == 36_000
    assert time.perf_counter() - began < 5
    loop.end()


def test_timers_come_in_their_order_and_work_takes_no_time() -> None:
    loop = VirtualLoop()
    came: list[tuple[str, float]] = []

    async def sleeper(name: str, span_s: float) -> None:
        await asyncio.sleep(span_s)
        for _ in range(1000):
            await asyncio.sleep(0)
        came.append((name, loop.time()))

    async def both() -> None:
        await asyncio.gather(sleeper("late", 2.5), sleeper("early", 1.25))

    loop.run_until_complete(both())
    assert came == [("early", 1.25), ("late", 2.5)]
    loop.end()


def test_loop_says_so_where_everything_waits_for_everything() -> None:
    loop = VirtualLoop()
    with pytest.raises(NothingLeftError):
        loop.run_until_complete(loop.create_future())
    loop.end()


def test_what_a_call_raises_is_raised_to_whoever_runs_the_loop() -> None:
    loop = VirtualLoop()
    loop.call_later(1.0, int, "no number")
    with pytest.raises(ValueError, match="no number"):
        loop.run_out(2.0)
    assert loop.time() == 1.0
    loop.end()


def test_what_is_cancelled_is_not_called() -> None:
    loop = VirtualLoop()
    called: list[str] = []
    soon, later = loop.call_soon(called.append, "soon"), loop.call_later(1.0, called.append, "later")
    for call in (soon, later):
        call.cancel()
        assert call.cancelled()
    loop.run_out(2.0)
    assert called == []
    loop.end()
