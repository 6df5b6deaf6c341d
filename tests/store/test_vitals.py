"""What nodes say of themselves: kept for as long as the node is, and read by other versions as far as they can."""

import asyncio
from uuid import uuid4

from msgspec.structs import replace

from pairquiz_server.store.nodes import Nodes
from pairquiz_server.store.pool import Database
from pairquiz_server.store.vitals import VitalsRows
from tests.cli.test_fares import FIRST

NOW = 1_700_000_000_000


async def test_a_node_says_one_thing_at_a_time_and_it_goes_with_the_node(database: Database) -> None:
    node, rows = uuid4(), VitalsRows(database)
    await Nodes(database).enter(node, NOW)
    assert [one.vitals for one in await rows.read()] == [None]
    for players in (1, 2):
        await rows.tell(node, replace(FIRST, players=players))
    (told,) = await rows.read()
    assert (told.id, told.vitals) == (str(node), replace(FIRST, players=2))
    await database.fetch("DELETE FROM pairquiz.nodes")
    assert await database.fetch("SELECT FROM pairquiz.vitals") == []


async def test_a_buried_node_says_nothing(database: Database) -> None:
    await VitalsRows(database).tell(uuid4(), FIRST)
    assert await database.fetch("SELECT FROM pairquiz.vitals") == []


async def test_what_another_version_says_may_not_be_understood(database: Database) -> None:
    node, rows = uuid4(), VitalsRows(database)
    await Nodes(database).enter(node, NOW)
    await database.fetch("INSERT INTO pairquiz.vitals (node_id, told) VALUES ($1, '{\"at\": 1}')", node)
    assert [one.vitals for one in await rows.read()] == [None]


async def test_the_longest_query_is_another_ones(database: Database) -> None:
    assert await VitalsRows(database).longest() is None
    async with database.connection() as other:
        task = asyncio.create_task(other.fetch("SELECT pg_sleep(30) /* of another */"))
        while (longest := await VitalsRows(database).longest()) is None:
            pass
        assert longest.query == "SELECT pg_sleep(30) /* of another */"
        await database.fetch("SELECT pg_cancel_backend($1)", longest.pid)
        await asyncio.wait({task})
        assert task.exception() is not None
