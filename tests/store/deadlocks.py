"""What PostgreSQL counts of deadlocks."""

from pairquiz_server.store.pool import Database


async def deadlocks(database: Database, *others: Database) -> int:
    """How many deadlocks writers of these nodes have lost; each must tell what it has counted first."""
    for node in (database, *others):
        await node.write("SELECT pg_stat_force_next_flush()")
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    count: int = await database.fetchval(query)
    return count
