"""A database that freezes, dies, refuses writes or connections, or is full: noticed in time, and found again."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.migrations import migrate
from pairquiz_server.store.pool import Database, StorageUnavailable
from tests.line import Line
from tests.pace import patient
from tests.store.outage import NOTICED_S, RECOVERED_S, Outages, beating, seconds_until
from tests.store.waiting import backends

WRITE = "INSERT INTO pairquiz.server_state (key, value) VALUES (gen_random_uuid()::text, '') RETURNING key"
MUCH = """
    INSERT INTO pairquiz.server_state (key, value)
    SELECT gen_random_uuid()::text, convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')
    FROM generate_series(1, 20000)
"""
TAKER = "taker"


@contextmanager
def new_postgres(folder: Path) -> Iterator[Outages]:
    with EmbeddedPostgres.join(folder) as postgres:
        asyncio.run(_migrated(postgres.dsn))
        outages = Outages(postgres)
        try:
            yield outages
        finally:
            outages.thaw()


async def _migrated(dsn: str) -> None:
    async with opened(dsn) as database:
        await migrate(database)


@pytest.fixture(scope="module")
def outages(open_folder: Path) -> Iterator[Outages]:
    """A server of this file's own."""
    with new_postgres(open_folder / "outages") as made:
        yield made


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Database]:
    database = Database(DatabaseOptions(dsn=dsn))
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(params=["unix", "tcp"])
async def database(request: pytest.FixtureRequest, outages: Outages) -> AsyncIterator[Database]:
    async with Line(outages.dsn).open() as line, opened(outages.dsn if request.param == "unix" else line.dsn) as found:
        await found.write(WRITE)
        yield found


async def works(database: Database) -> bool:
    try:
        await asyncio.gather(*(database.fetchval("SELECT 1") for _ in range(8)), database.write(WRITE))
    except StorageUnavailable:
        return False
    return database.available


async def ends_unavailable(work: object) -> float:
    """How long work takes until it fails."""
    began = time.monotonic()
    with pytest.raises(StorageUnavailable, match=r"^[^\n]+$"):
        await work  # type: ignore[misc]
    return time.monotonic() - began


async def all_refused_at_once(database: Database) -> None:
    for work in (database.fetchval("SELECT 1"), database.fetch("SELECT 1"), database.write(WRITE)):
        assert await ends_unavailable(work) < patient(0.5)


async def test_a_frozen_database_is_noticed_and_found_again_when_it_goes_on(
    database: Database, outages: Outages
) -> None:
    async with beating(database):
        await asyncio.gather(*(database.fetchval("SELECT 1") for _ in range(4)))
        outages.freeze()
        took = await asyncio.gather(
            *(ends_unavailable(database.fetchval("SELECT 1")) for _ in range(12)),
            ends_unavailable(database.write(WRITE)),
            seconds_until(lambda: not database.available, NOTICED_S),
        )
        assert max(took) < patient(NOTICED_S)
        await all_refused_at_once(database)
        waiting = asyncio.create_task(database.back())
        outages.thaw()
        await seconds_until(lambda: works(database), RECOVERED_S)
        assert waiting.done()


async def test_a_database_that_died_is_noticed_and_found_again_when_it_is_up(
    database: Database, outages: Outages
) -> None:
    async with beating(database):
        await outages.stop()
        await seconds_until(lambda: not database.available, NOTICED_S)
        await all_refused_at_once(database)
        await outages.start()
        await seconds_until(lambda: works(database), RECOVERED_S)


async def test_a_refused_connection_of_the_writer_is_noticed_before_the_next_probe(outages: Outages) -> None:
    async with opened(outages.dsn) as database:
        await database.probe("SELECT 1")
        await database.write(WRITE)
        await outages.stop()
        try:
            await ends_unavailable(database.write(WRITE))
            await ends_unavailable(database.write(WRITE))
            assert not database.available
        finally:
            await outages.start()
        await database.probe("SELECT 1")
        assert await works(database)


async def test_a_database_that_nobody_probes_is_always_tried(outages: Outages) -> None:
    async with opened(outages.dsn) as database:
        await outages.stop()
        try:
            for work in (database.fetchval("SELECT 1"), database.write(WRITE), database.write(WRITE)):
                await ends_unavailable(work)
            assert database.available
        finally:
            await outages.start()
        await seconds_until(lambda: works(database), RECOVERED_S)


async def test_a_line_that_breaks_alone_takes_nothing_else_away(outages: Outages) -> None:
    async with opened(outages.dsn) as database, opened(outages.dsn) as other, beating(database):
        ((writer,),) = await database.write("SELECT pg_backend_pid()")
        working = asyncio.create_task(database.write("SELECT pg_sleep(30)"))
        await seconds_until(lambda: _sleeps(other, writer), NOTICED_S)
        assert await other.fetchval("SELECT pg_terminate_backend($1, 5000)", writer)
        await ends_unavailable(working)
        assert database.available
        assert await works(database)


async def _sleeps(database: Database, pid: int) -> bool:
    return pid in await backends(database, "wait_event = 'PgSleep'")


async def test_a_line_from_before_an_outage_that_hangs_is_dropped_without_a_word(outages: Outages) -> None:
    async with opened(outages.dsn) as database:
        hanging = psutil.Process(await database.fetchval("SELECT pg_backend_pid()"))
        hanging.suspend()
        try:
            database._availability.lost("so says this test")
            await database.probe("SELECT 1")
            assert await database.fetchval("SELECT pg_backend_pid()") != hanging.pid
            assert not [task for task in asyncio.all_tasks() if "close" in repr(task.get_coro())], "nobody waits for it"
        finally:
            hanging.resume()


async def test_a_read_only_database_is_noticed_and_found_again_when_it_takes_writes(outages: Outages) -> None:
    async with opened(outages.dsn) as database, beating(database):
        admin = await asyncpg.connect(outages.dsn)
        try:
            await admin.execute("SET default_transaction_read_only = off")
            await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            await admin.execute("SELECT pg_reload_conf()")
            await seconds_until(lambda: not database.available, NOTICED_S)
            await all_refused_at_once(database)
        finally:
            await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await admin.execute("SELECT pg_reload_conf()")
            await admin.close()
        await seconds_until(lambda: works(database), RECOVERED_S)


async def test_a_database_without_free_connections_is_noticed_and_found_again_when_it_has_some(
    outages: Outages,
) -> None:
    async with opened(outages.dsn) as database:
        await database.probe("SELECT 1")
        assert await works(database)
        others = await _all_that_are_free(outages.dsn)
        try:
            await others[0].execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                f" WHERE backend_type = 'client backend' AND application_name <> '{TAKER}'"
            )
            others += await _all_that_are_free(outages.dsn)
            assert await ends_unavailable(database.write(WRITE)) < patient(NOTICED_S)
            assert await ends_unavailable(database.probe("SELECT 1")) < patient(NOTICED_S)
            with pytest.raises(StorageUnavailable, match=r"too many clients.*: raise max_connections there, or lower"):
                await database.fetchval("SELECT 1")
            await all_refused_at_once(database)
        finally:
            for other in others:
                await other.close()
        async with beating(database):
            await seconds_until(lambda: works(database), RECOVERED_S)


async def _all_that_are_free(dsn: str) -> list[asyncpg.Connection]:
    taken: list[asyncpg.Connection] = []
    while True:
        try:
            taken.append(await asyncpg.connect(dsn, server_settings={"application_name": TAKER}))
        except asyncpg.TooManyConnectionsError:
            return taken


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own; skips where we may not make one."""
    folder = Path(tempfile.mkdtemp(prefix="pairquiz-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m,mode=755", "tmpfs", folder], check=False)
    try:
        if mounted.returncode != 0:
            pytest.skip("only root may mount a small disk")
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)
        shutil.rmtree(folder)


@pytest.fixture
def small() -> Iterator[tuple[Path, Outages]]:
    with small_disk() as folder, new_postgres(folder / "data") as made:
        yield folder / "filler", made


async def test_a_full_disk_refuses_writes_and_is_found_again_when_there_is_room(small: tuple[Path, Outages]) -> None:
    filler, outages = small
    async with opened(outages.dsn) as database, beating(database):
        fill(filler)
        written = 0
        with suppress(StorageUnavailable):
            while written < 200:
                await database.write(MUCH)
                written += 1
        assert written < 200
        filler.unlink()
        await outages.start()  # where it could not go on at all, somebody has to
        await seconds_until(lambda: works(database), RECOVERED_S)
        rows = await database.fetchval("SELECT count(*) FROM pairquiz.server_state WHERE length(value) > 100000")
        assert rows == written


def fill(filler: Path) -> None:
    """Leave no room beside this file."""
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
