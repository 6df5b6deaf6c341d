"""The database of a deployment: where it is, and how it is made ready."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from pairquiz_server.config import Settings
from pairquiz_server.engine.starter import load_starter_questions
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.connector import DatabaseOptions
from pairquiz_server.store.embedded import EmbeddedPostgres
from pairquiz_server.store.migrations import migrate
from pairquiz_server.store.pool import Database
from pairquiz_server.store.questions import Questions
from pairquiz_server.store.server import ServerState
from pairquiz_server.store.tls import checked_tls


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Yield where the database is: the configured one, or the embedded PostgreSQL, shared while this lasts.

    Raises `EmbeddedPostgresError`.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres.join(settings.data_dir) as embedded:
        yield embedded.dsn


@asynccontextmanager
async def open_database(settings: Settings, url: str, metrics: Metrics | None = None) -> AsyncIterator[Database]:
    """Yield a connected database, whose queries are counted in `metrics`.

    Raises `StorageUnavailable` and `TlsError`.
    """
    database = Database(
        DatabaseOptions(
            dsn=url,
            pool_min=settings.database.pool_min,
            pool_max=settings.database.pool_max,
            connect_timeout_s=settings.database.connect_timeout_s,
            command_timeout_s=settings.database.command_timeout_s,
            transaction_pooler=settings.transaction_pooler,
            tls=checked_tls(settings.database.ssl_root_cert, url) if settings.database_url else None,
        ),
        metrics,
    )
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def prepared_database(settings: Settings, url: str, metrics: Metrics | None = None) -> AsyncIterator[Database]:
    """Yield a connected database, as `open_database` does, with the newest schema and, once, the starter questions.

    Raises `StorageUnavailable` and `MigrationError`.
    """
    async with open_database(settings, url, metrics) as database:
        await migrate(database)
        await load_starter_questions(Questions(database), ServerState(database))
        yield database
