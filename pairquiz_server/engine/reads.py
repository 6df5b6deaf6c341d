"""What the store is asked for a player: where the database does not answer, the player hears so."""

from collections.abc import Awaitable
from typing import TypeVar

from pairquiz_server.rules.errors import Code, Refused
from pairquiz_server.store.pool import StorageUnavailable

T = TypeVar("T")


async def asked(answer: Awaitable[T]) -> T:
    """Return the store's answer. Raises `Refused` (`storage_unavailable`)."""
    try:
        return await answer
    except StorageUnavailable:
        raise Refused(Code.STORAGE_UNAVAILABLE) from None
