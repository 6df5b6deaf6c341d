"""Things that are done beside each other, by one of which the others end."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def first_of(work: Awaitable[T], end: Awaitable[object]) -> T | None:
    """Return what the work gives, None where the end comes first; whatever is not done then is cancelled."""
    doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(end)
    try:
        await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        ending.result()
        return None
    finally:
        await _end(doing, ending)


async def beside(work: Awaitable[T], *helping: Awaitable[object]) -> T:
    """Return what the work gives; what helps it goes on as long, and raises through here where it fails."""
    doing = asyncio.ensure_future(work)
    tasks = {asyncio.ensure_future(one) for one in helping}
    waiting: set[asyncio.Future[Any]] = {doing, *tasks}
    try:
        while not doing.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in done - {doing}:
                one.result()
        return doing.result()
    finally:
        await _end(doing, *tasks)


async def _end(*futures: asyncio.Future[Any]) -> None:
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
