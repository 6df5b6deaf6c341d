"""One answer for everybody who asks within a moment."""

import asyncio

from pairquiz_server.engine.recent import Recent


class Source:
    """Finds a new number each time, when it is let."""

    def __init__(self) -> None:
        self.found = 0
        self.fails = False
        self.let = asyncio.Event()
        self.let.set()

    async def find(self) -> int:
        self.found += 1
        await self.let.wait()
        if self.fails:
            raise LookupError
        return self.found


async def test_all_who_ask_meanwhile_wait_for_the_same_answer() -> None:
    source = Source()
    source.let.clear()
    recent = Recent(source.find, keep_s=0)
    asking = [asyncio.ensure_future(recent.get()) for _ in range(100)]
    await asyncio.sleep(0)
    asking[0].cancel()  # whoever asked first may go away
    await asyncio.wait(asking[:1])
    source.let.set()
    assert set(await asyncio.gather(*asking[1:])) == {1}
    assert await recent.get() == 2, "nothing is kept for longer than it may be"


async def test_an_answer_is_kept_for_a_while() -> None:
    source = Source()
    recent = Recent(source.find, keep_s=3600)
    assert [await recent.get() for _ in range(100)] == [1] * 100


async def test_a_failure_is_told_to_those_who_wait_and_not_kept() -> None:
    source = Source()
    source.fails = True
    recent = Recent(source.find, keep_s=3600)
    failed = await asyncio.gather(*(recent.get() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [LookupError] * 3
    source.fails = False
    assert await recent.get() == 2
    assert await recent.get() == 2


async def test_what_was_found_lately_is_at_hand() -> None:
    source = Source()
    recent = Recent(source.find, keep_s=3600)
    assert recent.at_hand() is None
    source.let.clear()
    asking = asyncio.ensure_future(recent.get())
    await asyncio.sleep(0)
    assert recent.at_hand() is None, "it is still looked for"
    source.let.set()
    assert (await asking, recent.at_hand()) == (1, 1)


async def test_neither_a_failure_nor_what_is_too_old_is_at_hand() -> None:
    source = Source()
    old = Recent(source.find, keep_s=-1)
    await old.get()
    assert old.at_hand() is None
    source.fails = True
    failed = Recent(source.find, keep_s=3600)
    await asyncio.gather(failed.get(), return_exceptions=True)
    assert failed.at_hand() is None
