"""One read for all who ask the same kind of question at the same time.

After a restart all players come back at once, and each asks for their own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

AT_ONCE = 200
"""How many are answered by one read, at most: it must not take as long as a query may."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(Generic[Key, Value]):
    """Gathers who asks while a read is under way, and answers them by the next one.

    So what is told was read after it was asked for. Whoever asks alone waits for nobody.
    """

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]]) -> None:
        self._read = read
        self._asking: list[tuple[Key, asyncio.Future[Value | None]]] = []
        self._reading: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Value | None:
        """Return what is found under a key, None where nothing is. Raises what the read raises."""
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self._asking.append((key, answer))
        if self._reading is None:
            self._reading = asyncio.create_task(self._answer())
        return await answer

    async def _answer(self) -> None:
        while self._asking:
            asking, self._asking = self._asking[:AT_ONCE], self._asking[AT_ONCE:]
            try:
                found = await self._read(list(dict.fromkeys(key for key, _ in asking)))
            except Exception as error:
                for _, answer in asking:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for key, answer in asking:
                    if not answer.done():  # else whoever asked is gone
                        answer.set_result(found.get(key))
        self._reading = None
