"""What stands before the database is found out, and what cannot be worked with is refused in a line."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from pairquiz_server.engine.health import Health
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.migrations import migrate, read_migrations
from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.pooling import Pooling
from tests.pgbouncer import PgBouncer, pgbouncer
from tests.store.processes import open_folder

StartPooler = Callable[..., PgBouncer]
PATIENCE_S = 30.0
PREPARED = "SELECT count(*) FROM pg_prepared_statements"


@asynccontextmanager
async def opened(dsn: str, **options: float | bool) -> AsyncIterator[Database]:
    database = Database(DatabaseOptions(dsn=dsn, **options))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def refused(dsn: str, **options: float | bool) -> str:
    """Open a database that cannot be used, and return what a command says of it."""
    with pytest.raises(StorageUnavailable, match=r"^[^\n]+$") as caught:
        async with opened(dsn, **options):
            pass
    return caught.value.told


@pytest.fixture
def start_pooler(database_url: str) -> Iterator[StartPooler]:
    """Start poolers before this test's database."""
    with ExitStack() as poolers:

        def start(mode: str, *, url: str = database_url, **settings: object) -> PgBouncer:
            folder = poolers.enter_context(open_folder())
            return poolers.enter_context(pgbouncer(folder, url, mode, **settings))

        yield start


async def test_where_nothing_stands_between_nothing_is_found(database_url: str) -> None:
    for declared in (None, False):
        async with opened(database_url, transaction_pooler=declared) as database:
            assert (database.pooling, database.pooled) == (Pooling.NONE, False)
            assert await database.fetchval("SHOW plan_cache_mode") == "force_generic_plan"


@pytest.mark.parametrize("size", [1, 2, 20])
@pytest.mark.parametrize("turns", [0, 1], ids=["the last is the first", "in turns"])
async def test_a_pooler_in_transaction_mode_is_found(start_pooler: StartPooler, size: int, turns: int) -> None:
    pooler = start_pooler("transaction", default_pool_size=size, min_pool_size=size, server_round_robin=turns)
    async with asyncio.TaskGroup() as tasks:  # until it has all of its sessions
        for _ in range(size):
            tasks.create_task(_sleep(pooler.url))
    async with opened(pooler.url) as database:
        assert (database.pooling, database.pooled) == (Pooling.TRANSACTION, True)
        await asyncio.gather(*(database.fetchval("SELECT $1::int", number) for number in range(50)))
        await database.write("SELECT 1")
        assert await database.fetchval(PREPARED) == 0
        assert await database.fetchval("SHOW plan_cache_mode") == "auto", (
            "a session that is others' is not ours to change"
        )


async def _sleep(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    await connection.fetchval("SELECT pg_sleep(0.2)")
    await connection.close()


async def test_a_pooler_in_session_mode_is_found_and_its_sessions_are_used_as_ours(start_pooler: StartPooler) -> None:
    pooler = start_pooler("session")
    for declared in (None, False):
        async with opened(pooler.url, transaction_pooler=declared) as database:
            assert (database.pooling, database.pooled) == (Pooling.SESSION, True)
            assert await database.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
            await database.fetchval("SELECT 1")
            assert await database.fetchval(PREPARED) > 0
            ((committed,),) = await database.write("SHOW synchronous_commit")
            assert committed == "on"


async def _ask_again(database: Database, query: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await database.fetchval(query)


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_behind_an_undeclared_pooler_no_session_stands_for_a_node(start_pooler: StartPooler, mode: str) -> None:
    node = uuid4()
    async with opened(start_pooler(mode).url) as database:
        nodes = Nodes(database)
        assert not await nodes.alone()
        await nodes.enter(node, 1000)
        await nodes.beat(node, 1500, 2000, after_silence=False)
        assert await database.fetchval("SELECT session_pid FROM pairquiz.nodes WHERE id = $1", node) is None


async def test_migrations_run_behind_a_pooler_in_transaction_mode(
    start_pooler: StartPooler, empty_database_url: str
) -> None:
    pooler = start_pooler("transaction", url=empty_database_url, default_pool_size=2)
    async with opened(pooler.url) as first, opened(pooler.url) as second:
        applied = await asyncio.gather(migrate(first), migrate(second))
        numbers = sorted(migration.number for each in applied for migration in each)
        assert numbers == [migration.number for migration in read_migrations()], "each once, by one or the other"


@pytest.mark.parametrize("declared", [None, True])
async def test_a_pooler_in_statement_mode_is_refused(start_pooler: StartPooler, declared: bool | None) -> None:
    said = await refused(start_pooler("statement").url, transaction_pooler=declared)
    assert said.endswith("give the pooler pool_mode = transaction, or session")


async def test_a_pooler_in_session_mode_without_a_second_session_is_refused(start_pooler: StartPooler) -> None:
    said = await refused(start_pooler("session", default_pool_size=1).url, connect_timeout_s=3.0)
    assert said == (
        "the database cannot be used: its pooler had no session free: "
        "raise its default_pool_size: in session mode each node takes database.pool_max + 2"
    )


@pytest.mark.parametrize("declared", [None, True])
async def test_a_pooler_that_is_busy_is_waited_for_at_an_opening(
    start_pooler: StartPooler, declared: bool | None
) -> None:
    pooler = start_pooler("transaction", default_pool_size=1)
    busy = await asyncpg.connect(pooler.url, statement_cache_size=0)
    limits = {"connect_timeout_s": PATIENCE_S, "command_timeout_s": 0.05}
    database = Database(DatabaseOptions(dsn=pooler.url, transaction_pooler=declared, **limits))
    async with busy.transaction():
        opening = asyncio.create_task(database.open())
        await asyncio.wait({opening}, timeout=4 * limits["command_timeout_s"])
        assert not opening.done()
    await opening
    await database.close()
    await busy.close()


async def test_a_pooler_that_takes_no_more_clients_names_its_setting(start_pooler: StartPooler) -> None:
    said = await refused(start_pooler("transaction", max_client_conn=1).url)
    assert said.endswith("raise the pooler's max_client_conn, or lower database.pool_max")


async def test_a_pooler_that_gives_up_on_who_waits_names_its_setting(start_pooler: StartPooler) -> None:
    pooler = start_pooler("transaction", default_pool_size=1, query_wait_timeout=1)
    async with opened(pooler.url, command_timeout_s=30) as database:
        sleeping = asyncio.create_task(database.fetchval("SELECT pg_sleep(60)"))
        with pytest.raises(StorageUnavailable, match="raise its default_pool_size"):
            await _ask_again(database, "SELECT 1")  # until the sleeper is the first
        sleeping.cancel()


async def test_an_answer_that_a_pooler_kept_back_may_be_its_fault(start_pooler: StartPooler) -> None:
    pooler = start_pooler("transaction", default_pool_size=1)
    async with opened(pooler.url, command_timeout_s=0.2) as database:
        with pytest.raises(StorageUnavailable, match=r"^no answer in time: or its pooler .*default_pool_size"):
            await database.fetchval("SELECT pg_sleep(60)")


async def test_a_pooler_that_was_declared_to_be_none_is_named_by_its_first_fault(start_pooler: StartPooler) -> None:
    pooler = start_pooler("transaction", default_pool_size=2)
    async with opened(pooler.url, transaction_pooler=False) as database:
        asking = [_ask_again(database, "SELECT pg_sleep(0.01)") for _ in range(4)]
        with pytest.raises(StorageUnavailable, match=r"set database.transaction_pooler = true$"):
            await asyncio.gather(*asking)  # until what was prepared in one session is looked for in the other


async def test_commits_that_do_not_wait_for_the_disk_behind_a_pooler_turn_readiness_red(
    start_pooler: StartPooler, database_url: str
) -> None:
    pooler = start_pooler("transaction")
    name = database_url.partition("?")[0].rpartition("/")[2]
    async with opened(database_url) as direct:
        await direct.fetch(f"ALTER DATABASE {name} SET synchronous_commit = off")
        async with opened(pooler.url) as database:
            assert not (await Health(database, keep_s=0).checks())["durability"]
        await direct.fetch(f"ALTER ROLE pairquiz IN DATABASE {name} SET synchronous_commit = on")
        pooler.kill()
        pooler.start()
        async with opened(pooler.url) as database:
            assert (await Health(database, keep_s=0).checks())["durability"]
            ((committed,),) = await database.write("SHOW synchronous_commit")
            assert committed == "on"
