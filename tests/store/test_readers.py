"""Connections for reads: few, used again, and dropped where something may still run on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from pairquiz_server.store.readers import Readers

PATIENCE_S = 20.0
PID = "SELECT pg_backend_pid()"


@asynccontextmanager
async def reading(dsn: str, most: int) -> AsyncIterator[Readers]:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn)

    readers = Readers(connect, most)
    try:
        yield readers
    finally:
        await readers.close()


async def pid_of(readers: Readers) -> int:
    async with readers.lent(PATIENCE_S) as connection:
        found: int = await connection.fetchval(PID)
        return found


async def test_one_after_the_other_uses_one_connection(database_url: str) -> None:
    async with reading(database_url, 3) as readers:
        await readers.fill(2)
        assert len({await pid_of(readers) for _ in range(5)}) == 1


async def test_no_more_than_that_many_are_lent_and_who_waits_gets_the_next(database_url: str) -> None:
    async with reading(database_url, 2) as readers:
        async with readers.lent(PATIENCE_S) as one, readers.lent(PATIENCE_S) as other:
            pids = {await connection.fetchval(PID) for connection in (one, other)}
            with pytest.raises(TimeoutError):
                async with readers.lent(0.01):
                    pass
            waiting = [asyncio.create_task(pid_of(readers)) for _ in range(5)]
            await asyncio.sleep(0)
            waiting.pop().cancel()
        assert set(await asyncio.gather(*waiting)) <= pids
        assert len(pids) == 2


async def test_a_query_that_is_given_up_takes_its_connection_along(database_url: str) -> None:
    async with reading(database_url, 1) as readers:
        first = await pid_of(readers)
        lent = asyncio.Event()

        async def sleep() -> None:
            async with readers.lent(PATIENCE_S) as connection:
                lent.set()
                await connection.execute("SELECT pg_sleep(60)")

        sleeping = asyncio.create_task(sleep())
        await lent.wait()
        sleeping.cancel()
        await asyncio.wait({sleeping})
        assert await pid_of(readers) != first


async def test_a_query_that_postgresql_refuses_leaves_the_connection_and_an_open_transaction_does_not(
    database_url: str,
) -> None:
    async with reading(database_url, 1) as readers:
        first = await pid_of(readers)
        with pytest.raises(asyncpg.UndefinedTableError):
            async with readers.lent(PATIENCE_S) as connection:
                await connection.fetch("SELECT FROM nothing")
        assert await pid_of(readers) == first
        async with readers.lent(PATIENCE_S) as connection:
            await connection.execute("BEGIN")
        assert await pid_of(readers) != first


async def test_what_has_expired_is_used_no_more_by_anybody(database_url: str) -> None:
    async with reading(database_url, 2) as readers:
        await readers.fill(2)
        async with readers.lent(PATIENCE_S) as connection:
            lent = await connection.fetchval(PID)
            readers.expire()
            assert await connection.fetchval(PID) == lent
        assert connection.is_closed()
        assert await pid_of(readers) != lent


async def test_one_that_cannot_be_made_takes_no_place() -> None:
    async def connect() -> asyncpg.Connection:
        raise ConnectionRefusedError

    readers = Readers(connect, 1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await pid_of(readers)
