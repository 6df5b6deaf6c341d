import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import uvloop

from pairquiz_server.engine.draws import shuffled
from pairquiz_server.store import connector
from pairquiz_server.store.connector import READER_SETTINGS, WRITER_SETTINGS, DatabaseOptions
from pairquiz_server.store.migrations import migrate, read_migrations
from pairquiz_server.store.pool import Database, StorageUnavailable
from pairquiz_server.store.questions import Questions
from tests.store.bank import bank
from tests.store.deadlocks import deadlocks
from tests.store.duel import Board, answered, save_all
from tests.store.numbered import Matches
from tests.store.waiting import backends, until_waiting

LINES = {"reads": Database.fetchval, "writes": Database.write}
SLEEPING = "wait_event = 'PgSleep'"
PREPARED = "SELECT count(*) FROM pg_prepared_statements"
each_line = pytest.mark.parametrize("run", LINES.values(), ids=LINES)
Run = Callable[..., Awaitable[object]]


@asynccontextmanager
async def opened(dsn: str, **options: float | bool) -> AsyncIterator[Database]:
    database = Database(DatabaseOptions(dsn=dsn, **options))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def kill(database: Database, pid: int) -> None:
    """End a session, and return when it is gone."""
    assert await database.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)


def moved_to(dsn: str, name: str) -> str:
    head, _, query = dsn.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


async def test_nobody_listening_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match=r"^[^\n]+$"):
        async with opened(f"postgresql://pairquiz@/pairquiz?host={tmp_path}"):
            pass


async def test_a_database_that_does_not_exist_is_named(database_url: str) -> None:
    with pytest.raises(StorageUnavailable, match=r'^database "nowhere" does not exist$'):
        async with opened(moved_to(database_url, "nowhere")):
            pass


async def test_a_host_that_never_answers_costs_no_more_than_the_connect_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_accepting:
        port = never_accepting.getsockname()[1]
        async with asyncio.timeout(30):
            with pytest.raises(StorageUnavailable, match=r"^no answer in time$"):
                async with opened(f"postgresql://pairquiz@127.0.0.1:{port}/x?sslmode=disable", connect_timeout_s=0.1):
                    pass


async def test_one_that_cannot_be_opened_whole_leaves_no_session_behind(
    database_url: str, other_database: Database
) -> None:
    name = f"role_{uuid4().hex}"
    await other_database.fetch(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 1")
    url = database_url.replace("://pairquiz@", f"://{name}@", 1)
    with pytest.raises(StorageUnavailable, match="too many connections for role"):
        async with opened(url, pool_min=2):
            pass
    async with asyncio.timeout(30):
        while await backends(other_database, f"usename = '{name}'"):
            pass
    await other_database.fetch(f"DROP ROLE {name}")


@each_line
async def test_a_database_that_is_not_open_is_unavailable(database_url: str, run: Run) -> None:
    unopened = Database(DatabaseOptions(dsn=moved_to(database_url, "nowhere")))
    with pytest.raises(StorageUnavailable):
        await run(unopened, "SELECT 1")


@each_line
async def test_a_statement_over_its_time_is_unavailable_and_the_next_one_works(database_url: str, run: Run) -> None:
    async with opened(database_url, command_timeout_s=0.5) as database:
        await run(database, "SELECT pg_sleep(0.05)")  # what came before gives it no more time
        with pytest.raises(StorageUnavailable, match=r"^no answer in time$"):
            await run(database, "SELECT pg_sleep(30)")
        async with opened(database_url) as other:
            assert await run(other, "SELECT 1")
        assert await run(database, "SELECT 1")


async def test_statements_that_take_long_together_have_each_their_own_time(database_url: str) -> None:
    async with opened(database_url, command_timeout_s=1.0) as database:
        for _ in range(25):
            await database.write("SELECT pg_sleep(0.05)")


@pytest.mark.parametrize("in_callback", [False, True], ids=["by a task", "by a callback"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@each_line
async def test_a_loop_that_was_held_up_is_not_taken_for_a_database_that_does_not_answer(
    database_url: str, run: Run, loop: Callable[[], asyncio.AbstractEventLoop], in_callback: bool
) -> None:
    query = "SELECT nextval('asked') FROM pg_sleep(0.05)"  # while the loop is held up

    async def answered_in_vain(until: float) -> None:
        """Return when the database has answered for the second time, and the time that the answer had is over."""
        watch = await asyncpg.connect(database_url)
        async with asyncio.timeout(30):
            while await watch.fetchval("SELECT last_value FROM asked, pg_sleep(0.01)") < 2 or time.monotonic() < until:
                pass
        await watch.close()

    async def ask_and_hold_up() -> object:
        async with opened(database_url, command_timeout_s=1.0) as database:
            await database.probe("SELECT 1")  # from now on a read has its time with everything around it
            await database.write("CREATE SEQUENCE asked")
            await run(database, query)
            working = asyncio.create_task(run(database, query))
            for _ in range(20):
                await asyncio.sleep(0)  # until it is sent
            if in_callback:
                await hold_up_in_callback()
            else:
                hold_up()
            return await working

    def hold_up() -> None:
        with ThreadPoolExecutor() as threads:
            threads.submit(asyncio.run, answered_in_vain(time.monotonic() + 2)).result()

    async def hold_up_in_callback() -> None:
        """As a player's frame would: uvloop looks at its timers after that, before it looks at other sockets."""

        class Line(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                hold_up()

        near, far = socket.socketpair()
        await asyncio.get_running_loop().create_connection(Line, sock=near)
        far.send(b"frame")
        far.close()

    def in_a_loop_of_its_own() -> object:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(ask_and_hold_up())

    assert await asyncio.to_thread(in_a_loop_of_its_own)


@each_line
async def test_a_connection_killed_at_work_is_unavailable_and_the_next_one_works(
    database: Database, other_database: Database, run: Run
) -> None:
    working = asyncio.create_task(run(database, "SELECT pg_sleep(30)"))
    await until_waiting(other_database, SLEEPING, working)
    (sleeping,) = await backends(other_database, SLEEPING)
    await kill(other_database, sleeping)
    with pytest.raises(StorageUnavailable, match=r"^[^\n]+$"):
        await working
    assert await run(database, "SELECT 1")


async def test_the_writer_killed_while_idle_costs_no_write(
    database: Database, other_database: Database, board: Board
) -> None:
    matches = Matches(database)
    running = await save_all(matches, board.running())
    ((before,),) = await database.write("SELECT pg_backend_pid()")
    await kill(other_database, before)
    await other_database.fetchval("SELECT 1")  # by now this process has heard of the end, too
    assert not await matches.save([answered(running, 0, 0)])
    ((after,),) = await database.write("SELECT pg_backend_pid()")
    assert after != before


async def test_a_primary_that_has_become_a_standby_is_left_for_a_new_connection(
    database: Database, database_url: str
) -> None:
    (before,) = await database.write("SELECT pg_backend_pid()")
    await database.write("SET default_transaction_read_only = on")
    with pytest.raises(StorageUnavailable, match="read-only transaction"):
        await database.write("INSERT INTO pairquiz.topics (name, key) VALUES ('x', 'x') RETURNING id")
    assert await database.write("INSERT INTO pairquiz.topics (name, key) VALUES ('x', 'x') RETURNING id")
    (after,) = await database.write("SELECT pg_backend_pid()")
    assert after != before


async def test_a_write_that_loses_a_deadlock_is_tried_again(database_url: str, other_database: Database) -> None:
    first_then_gate_then_second = """
        WITH first AS MATERIALIZED (SELECT id FROM met WHERE id = 1 FOR UPDATE),
             passed AS MATERIALIZED (SELECT id, pg_advisory_xact_lock_shared(1) FROM first)
        SELECT id FROM met WHERE id = (SELECT id FROM passed) + 1 FOR UPDATE
    """
    async with (
        opened(database_url, command_timeout_s=60) as database,
        database.connection() as gate,
        database.connection() as other,
    ):
        await database.write("CREATE TABLE met (id integer PRIMARY KEY, value integer)")
        await database.write("INSERT INTO met VALUES (1, 0), (2, 0)")
        await database.write("SET deadlock_timeout = '10ms'")
        await gate.execute("SELECT pg_advisory_lock(1)")
        async with other.transaction():
            await other.execute("SET LOCAL deadlock_timeout = '1min'")
            await other.execute("UPDATE met SET value = 1 WHERE id = 2")
            writing = asyncio.create_task(database.write(first_then_gate_then_second))
            await until_waiting(other_database, "wait_event = 'advisory'", writing)
            blocked = asyncio.create_task(other.execute("UPDATE met SET value = 1 WHERE id = 1"))
            await until_waiting(other_database, "wait_event = 'transactionid'", blocked)
            await gate.execute("SELECT pg_advisory_unlock(1)")
            await blocked
        assert [row["id"] for row in await writing] == [2]
        assert await deadlocks(database) >= 1


async def test_a_fault_of_ours_is_not_called_unavailable(database: Database) -> None:
    for run in LINES.values():
        with pytest.raises(asyncpg.UndefinedTableError):
            await run(database, "SELECT FROM nothing")


async def test_writer_and_readers_have_their_own_planner_settings(database: Database) -> None:
    for name in WRITER_SETTINGS.keys() - {"synchronous_commit"}:
        (row,) = await database.write(f"SHOW {name}")
        assert row[0] == WRITER_SETTINGS[name]
        read = await database.fetchval(f"SHOW {name}")
        assert (read == WRITER_SETTINGS[name]) == (name in READER_SETTINGS)
    for name, value in READER_SETTINGS.items():
        assert await database.fetchval(f"SHOW {name}") == value


async def test_the_writer_commits_to_disk_whatever_its_database_says(database: Database, database_url: str) -> None:
    name = await database.fetchval("SELECT current_database()")
    await database.fetch(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with opened(database_url) as later:
        assert await later.fetchval("SHOW synchronous_commit") == "off"
        (row,) = await later.write("SHOW synchronous_commit")
    assert row[0] == "on"


@pytest.mark.parametrize(
    ("settings", "run"), [("WRITER_SETTINGS", LINES["writes"]), ("READER_SETTINGS", LINES["reads"])]
)
async def test_one_whose_settings_are_not_taken_in_time_is_closed(
    database_url: str, monkeypatch: pytest.MonkeyPatch, settings: str, run: Run
) -> None:
    made: list[asyncpg.Connection] = []
    connect = asyncpg.connect

    async def connect_and_note(*arguments: Any, **options: Any) -> asyncpg.Connection:
        made.append(await connect(*arguments, **options))
        return made[-1]

    async with opened(database_url, command_timeout_s=0.4) as database, database.connection():
        monkeypatch.setattr(asyncpg, "connect", connect_and_note)
        monkeypatch.setattr(connector, settings, {"jit": "off; SELECT pg_sleep(60)"})
        async with asyncio.timeout(30):
            with pytest.raises(StorageUnavailable, match=r"^no answer in time$"):
                await run(database, "SELECT 1")
    (only,) = made
    assert only.is_closed()


@pytest.mark.parametrize(
    "change", ["DEALLOCATE ALL", "ALTER TABLE met ADD COLUMN other integer"], ids=["forgotten", "changed"]
)
async def test_a_prepared_statement_that_is_none_any_more_is_prepared_anew(database: Database, change: str) -> None:
    await database.write("CREATE TABLE met (value integer)")
    add = "INSERT INTO met VALUES (1) RETURNING *"
    assert len(await database.write(add)) == 1
    await database.write(change)
    for _ in range(2):
        assert len(await database.write(add)) == 1
    assert await database.fetchval("SELECT count(*) FROM met") == 3


async def test_writes_wait_for_each_other(database: Database) -> None:
    rows = await asyncio.gather(*(database.write("SELECT pg_backend_pid(), $1::int", number) for number in range(20)))
    assert [row[0][1] for row in rows] == list(range(20))
    assert len({row[0][0] for row in rows}) == 1


async def test_a_database_that_is_back_is_met_on_new_lines(database: Database) -> None:
    async def lines() -> set[int]:
        ((writer,),) = await database.write("SELECT pg_backend_pid()")
        return {writer, await database.fetchval("SELECT pg_backend_pid()")}

    before = await lines()
    await database.probe("SELECT 1")
    assert await lines() == before
    with pytest.raises(StorageUnavailable, match=r"^no answer in time$"):
        await database.probe("SELECT pg_sleep(30)")
    assert not database.available
    for run in LINES.values():
        with pytest.raises(StorageUnavailable, match=r"^no answer in time$"):
            await run(database, "SELECT 1")
    await database.probe("SELECT 1")
    await database.back()
    assert not await lines() & before


async def test_everything_works_without_prepared_statements(empty_database_url: str) -> None:
    async with opened(empty_database_url, transaction_pooler=True) as database:
        questions, matches = Questions(database), Matches(database)
        for left_to_do in (len(read_migrations()), 0):
            assert len(await migrate(database)) == left_to_do
        await questions.add(bank(5))
        for _ in range(2):
            found = await questions.find_topic("numbers")
            assert found is not None
            drawn = (await questions.read(found.question_ids)).values()
            draw = tuple(shuffled(question, 1) for question in drawn)
            match = await save_all(matches, Board(found.topic(), draw).completed_match())
            assert await matches.load([match.id]) == {match.id: match}

        for rows in (await database.write(PREPARED), await database.fetch(PREPARED)):
            assert rows[0][0] == 0
        ((hash_joins,),) = await database.write("SHOW enable_hashjoin")
        assert hash_joins == "on", "a session behind a pooler is not ours to change"
