"""What stands in the database is counted now and then, and is not known while the database is away."""

from pairquiz_server.engine.census import Census
from pairquiz_server.metrics import Metrics
from pairquiz_server.store.census import CensusRows
from pairquiz_server.store.pool import Database


def nodes(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("pairquiz_database_nodes")


def looks(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("pairquiz_query_seconds_count", {"query": "census.matches"})


async def test_what_was_counted_is_forgotten_when_the_database_is_away(database: Database) -> None:
    metrics = Metrics()
    census = Census(CensusRows(database), metrics, keep_s=-1)
    assert nodes(metrics) is None
    await census.look()
    assert nodes(metrics) == 0
    await database.close()
    await census.look()
    assert nodes(metrics) is None


async def test_who_asks_again_at_once_costs_the_database_nothing(database: Database) -> None:
    census = Census(CensusRows(database), database._metrics, keep_s=3600)
    for _ in range(3):
        await census.look()
    assert (looks(database._metrics), nodes(database._metrics)) == (1, 0)
