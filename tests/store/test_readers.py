"""Connections for reads: few, used again, and dropped where something may still run on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from pairquiz_server.store.readers import KEPT_S, Readers

PATIENCE_S = 20.0
PID = "SELECT pg_backend_pid()"
SLEEPERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


@asynccontextmanager
async def reading(dsn: str, most: int, *, kept_s: float = KEPT_S) -> AsyncIterator[Readers]:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn)

    readers = Readers(connect, most, kept_s=kept_s)
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


async def test_a_query_that_is_given_up_runs_on_nowhere(database_url: str) -> None:
    async with reading(database_url, 1) as readers, reading(database_url, 1) as others:
        lent = asyncio.Event()

        async def sleep() -> None:
            async with readers.lent(PATIENCE_S) as connection:
                lent.set()
                await connection.execute("SELECT pg_sleep(3600)")

        async def sleepers() -> int:
            async with others.lent(PATIENCE_S) as connection:
                found: int = await connection.fetchval(SLEEPERS)
                return found

        sleeping = asyncio.create_task(sleep())
        await lent.wait()
        async with asyncio.timeout(PATIENCE_S):
            while not await sleepers():
                pass
            sleeping.cancel()
            while await sleepers():
                pass


async def test_a_connection_that_is_closed_between_two_steps_of_a_query_is_no_fault_of_ours(database_url: str) -> None:
    async with reading(database_url, 1) as readers:

        async def read() -> None:
            async with readers.lent(PATIENCE_S) as connection:
                connection.terminate()
                connection._protocol.bind_execute()  # as asyncpg does then

        with pytest.raises(asyncpg.InterfaceError):
            await read()
        await pid_of(readers)


async def test_what_lay_unused_for_too_long_is_used_no_more(database_url: str) -> None:
    async with reading(database_url, 3, kept_s=0.0) as readers:
        assert await pid_of(readers) != await pid_of(readers)


async def test_what_lies_unused_below_those_in_use_is_closed(database_url: str) -> None:
    async with reading(database_url, 3, kept_s=0.05) as readers, reading(database_url, 1) as others:
        async with readers.lent(PATIENCE_S), readers.lent(PATIENCE_S) as first_given_back:
            pid = await first_given_back.fetchval(PID)
        async with others.lent(PATIENCE_S) as other, asyncio.timeout(PATIENCE_S):
            while await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid):
                await pid_of(readers)


async def test_a_server_that_takes_no_writes_any_more_is_left(database_url: str) -> None:
    async def write() -> None:
        async with readers.lent(PATIENCE_S) as connection:
            await connection.execute("CREATE TABLE met ()")

    async with reading(database_url, 1) as readers:
        async with readers.lent(PATIENCE_S) as connection:
            await connection.execute("SET default_transaction_read_only = on")
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await write()
        await write()


async def test_where_all_that_lie_ready_have_died_nobody_waits_longer_for_a_new_one(database_url: str) -> None:
    never = asyncio.Event()
    made: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        if made:
            await never.wait()
        made.append(await asyncpg.connect(database_url))
        return made[0]

    readers = Readers(connect, 1)
    await readers.fill(1)
    made[0].terminate()
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with readers.lent(0.01):
                    pass
    await readers.close()


@pytest.mark.parametrize("end", [Readers.close, Readers.expire])
async def test_one_that_is_made_meanwhile_is_used_once(
    database_url: str, end: Callable[[Readers], Awaitable[None] | None]
) -> None:
    asked, go = asyncio.Event(), asyncio.Event()
    made: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        asked.set()
        await go.wait()
        made.append(await asyncpg.connect(database_url))
        return made[-1]

    readers = Readers(connect, 1)
    using = asyncio.create_task(pid_of(readers))
    await asked.wait()
    if ending := end(readers):
        await ending
    go.set()
    first = await using
    assert await pid_of(readers) != first
    assert made[0].is_closed()
    await readers.close()


async def test_what_was_made_before_one_could_not_be_is_closed(database_url: str) -> None:
    made: list[asyncpg.Connection] = []

    async def connect() -> asyncpg.Connection:
        if made:
            raise ConnectionRefusedError
        made.append(await asyncpg.connect(database_url))
        return made[0]

    with pytest.raises(ConnectionRefusedError):
        await Readers(connect, 2).fill(2)
    assert made[0].is_closed()


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
