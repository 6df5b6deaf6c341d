"""Who asks at the same time is answered by one read, which begins after all of them have asked."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from pairquiz_server.engine.together import AT_ONCE, Together


class Shelf:
    """What is read from; each read waits until it is let go."""

    def __init__(self) -> None:
        self.reads: list[list[int]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Semaphore(0)
        self.broken = False

    async def read(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.reads.append(list(keys))
        self.begun.set()
        await self.go.acquire()
        if self.broken:
            raise LookupError("the shelf is broken")
        return {key: f"book {key}" for key in keys if key}


async def under_way(together: Together[int, str], shelf: Shelf, *keys: int) -> list[asyncio.Task[str | None]]:
    """Ask, and wait until the first read has begun."""
    asking = [asyncio.create_task(together.ask(key)) for key in keys]
    await shelf.begun.wait()
    return asking


async def test_who_asks_during_a_read_is_answered_by_the_next_one() -> None:
    shelf = Shelf()
    together = Together(shelf.read)
    first = await under_way(together, shelf, 1, 2, 1)
    later = [asyncio.create_task(together.ask(key)) for key in (1, 0)]
    shelf.go.release()
    assert await asyncio.gather(*first) == ["book 1", "book 2", "book 1"]
    shelf.go.release()
    assert await asyncio.gather(*later) == ["book 1", None]
    assert shelf.reads == [[1, 2], [1, 0]]


async def test_a_read_that_fails_fails_for_those_whom_it_was_for() -> None:
    shelf = Shelf()
    together = Together(shelf.read)
    shelf.broken = True
    failing = await under_way(together, shelf, 1, 2)
    shelf.go.release()
    for outcome in await asyncio.gather(*failing, return_exceptions=True):
        assert isinstance(outcome, LookupError)
    shelf.broken = False
    shelf.go.release()
    assert await together.ask(3) == "book 3"


async def test_who_is_gone_takes_no_answer_from_the_others() -> None:
    shelf = Shelf()
    together = Together(shelf.read)
    gone, there = await under_way(together, shelf, 1, 1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    shelf.go.release()
    assert await there == "book 1"


async def test_a_crowd_is_answered_by_several_reads() -> None:
    shelf = Shelf()
    together = Together(shelf.read)
    crowd = await under_way(together, shelf, *range(1, AT_ONCE + 2))
    for _ in range(2):
        shelf.go.release()
    assert len(await asyncio.gather(*crowd)) == AT_ONCE + 1
    assert [len(keys) for keys in shelf.reads] == [AT_ONCE, 1]
