"""The next version takes the place of this one, node by node, and gives it back, while duels go on."""

from pathlib import Path

import asyncpg

from tests.chaos.pair import Play
from tests.upgrades.rolling import Plan, roll
from tests.upgrades.versions import TOP, next_version
from tests.web.valkey import valkey

QUICK = Play(question_counts=(4, 6), time_limit_s=30, think_s=(0.2, 1.5), habits={"steady": 1}, search_share=0.1)
MOVED = "SELECT count(*) FILTER (WHERE moved_by = 'next') > 0 AND count(DISTINCT moved_by) = 2 FROM pairquiz.matches"


async def test_duels_go_on_over_a_rolling_upgrade_and_back(database_url: str, tmp_path: Path) -> None:
    newer = next_version(tmp_path / "next")
    with valkey(tmp_path) as redis:
        outcome = await roll(Plan((TOP, newer, TOP), 12, 2, QUICK, seed=1), database_url, redis.url, tmp_path)
    assert outcome.findings == []
    assert set(outcome.ends) == {"all_answered"}
    assert [restart.version for restart in outcome.restarts] == ["next", "next", TOP.name, TOP.name]
    assert min(restart.under_way for restart in outcome.restarts) > 0
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval(MOVED), "each version has moved matches"
    await connection.close()
