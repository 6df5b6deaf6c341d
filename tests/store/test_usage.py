import datetime
from collections.abc import Callable

import pytest

from pairquiz_server.store.pool import Database
from pairquiz_server.store.queries import load
from pairquiz_server.store.rows import Change
from pairquiz_server.store.usage import FeatureDay, Usage
from tests.store.duel import ANNA, BEN, CARA, NOW, Board, joined, left, save_all
from tests.store.numbered import Matches

DAY_MS = 24 * 3600 * 1000
USED: list[tuple[Callable[[Board], list[Change]], list[tuple[str, str]]]] = [
    (Board.waiting_match, [("created", ANNA.id)]),
    (Board.ready_match, [("joined", BEN.id)]),
    (Board.running, [("started", ANNA.id)]),
    (Board.answered_match, []),
    (Board.completed_match, [("completed", ANNA.id), ("completed", BEN.id)]),
    (Board.overdue_match, [("completed", ANNA.id), ("completed", BEN.id)]),
    (Board.forfeited_match, [("abandoned", BEN.id), ("completed", ANNA.id)]),
    (Board.abandoned_match, [("abandoned", ANNA.id)]),
    (Board.unjoined_match, []),
    (Board.unstarted_match, []),
]


@pytest.mark.parametrize(("life", "used"), USED)
async def test_a_change_brings_the_usage_of_what_was_done(
    database: Database,
    matches: Matches,
    board: Board,
    life: Callable[[Board], list[Change]],
    used: list[tuple[str, str]],
) -> None:
    *before, last = life(board)
    for change in before:
        await matches.save([change])
    rows = "SELECT feature::text, player_id, match_id, used_at, xmin::text FROM pairquiz.feature_usage ORDER BY id"
    earlier = await database.fetch(rows)
    await matches.save([last])
    added = [row for row in await database.fetch(rows) if row not in earlier]

    assert [(row["feature"], row["player_id"]) for row in added] == used
    moved_by = await database.fetchval("SELECT xmin::text FROM pairquiz.matches WHERE id = $1", last.match.id)
    for row in added:
        assert str(row["match_id"]) == last.match.id
        assert row["xmin"] == moved_by, "usage is written by the transaction that moves the match"
        assert row["used_at"] == (last.match.ended_at or NOW)


async def test_by_day_counts_uses_and_players_newest_day_first(
    database: Database, matches: Matches, board: Board
) -> None:
    midnight = NOW - NOW % DAY_MS
    for at in (midnight - 1, midnight, midnight + DAY_MS - 1):
        created = board.created(at=at)
        await save_all(matches, [created, joined(created.match, CARA, at=at)])
    await save_all(matches, [board.created(BEN, at=midnight + 5)])
    ready = board.created(at=midnight + DAY_MS)
    await save_all(matches, [ready, left(ready.match, 0, at=midnight + DAY_MS)])

    usage = Usage(database)
    before, day, after = (
        datetime.datetime.fromtimestamp((midnight + days * DAY_MS) / 1000, datetime.UTC).date() for days in (-1, 0, 1)
    )
    of_the_day = [FeatureDay(day, "created", 3, 2), FeatureDay(day, "joined", 2, 1)]
    assert await usage.by_day(midnight, midnight + DAY_MS) == of_the_day
    assert await usage.by_day(0, midnight + 2 * DAY_MS) == [
        FeatureDay(after, "abandoned", 1, 1),
        FeatureDay(after, "created", 1, 1),
        *of_the_day,
        FeatureDay(before, "created", 1, 1),
        FeatureDay(before, "joined", 1, 1),
    ]
    assert await usage.by_day(midnight + 2 * DAY_MS, midnight + 3 * DAY_MS) == []


async def test_days_are_utc_whatever_the_database_says(
    database: Database, other_database: Database, matches: Matches, board: Board
) -> None:
    midnight = NOW - NOW % DAY_MS
    await save_all(matches, [board.created(at=midnight)])
    async with other_database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL timezone = 'America/Los_Angeles'")
        (day, *_), *rest = await connection.fetch(load("usage")["by_day"], midnight, midnight + 1)
    assert not rest
    assert day == datetime.datetime.fromtimestamp(midnight / 1000, datetime.UTC).date()
