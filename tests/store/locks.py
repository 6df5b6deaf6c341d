"""What waits for a lock in PostgreSQL."""

import asyncio

from pairquiz_server.store.pool import Database


async def until_somebody_waits(database: Database) -> None:
    """Return when a statement of this database waits for a lock."""
    query = """
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    async with asyncio.timeout(30):
        while True:
            if await database.fetchval(query):
                return
            await asyncio.sleep(0.01)  # nothing tells of it
