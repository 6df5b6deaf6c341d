"""What a server says about itself is read second by second."""

import asyncio

from pairquiz_server.loadtest.scrape import Scraper, look
from tests.conftest import Server
from tests.loadtest.trial import trial


def test_a_look_is_what_happened_since_the_one_before() -> None:
    before = {"cpu": 1.0, "commit_sum": 1.0, "commit_count": 10.0, "batch_sum": 20.0, "lag_sum": 0.1, "lag_count": 4.0}
    now = {"cpu": 2.0, "commit_sum": 1.5, "commit_count": 110.0, "batch_sum": 420.0, "lag_sum": 0.2, "lag_count": 8.0}
    told = look(7.0, 2.0, before, {**now, "memory": 9e7})
    assert (told.at_s, told.core, told.commit_ms, told.batch, told.memory_mb) == (7.0, 0.5, 5.0, 4.0, 90.0)
    assert round(told.lag_ms, 3) == 25.0
    assert look(1.0, 1.0, now, before).core == 0.0  # another process has begun anew


async def test_a_server_of_this_machine_lets_itself_be_read(server: Server) -> None:
    scraper = Scraper(server.url, None)
    looking = asyncio.create_task(scraper.run())
    await trial(server.url, pairs=1, rate=10, seconds=2.5)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert scraper.looks[-1].memory_mb > 10
    assert max(one.commit_ms for one in scraper.looks) > 0
    assert max(one.batch for one in scraper.looks) >= 1
