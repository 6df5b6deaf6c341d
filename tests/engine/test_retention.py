"""What is old is forgotten, a little at a time, by one node at a time; what is not, is not."""

import asyncio

import pytest
from msgspec.structs import replace

from pairquiz_server.engine.erasure import Eraser
from pairquiz_server.engine.retention import BANS_DAYS, WEEKS, Keep, Retention
from pairquiz_server.rules.match import Status
from pairquiz_server.rules.player import Player, PlayerKind
from pairquiz_server.rules.weeks import week_of
from pairquiz_server.store import retention as rows_module
from pairquiz_server.store.bans import Bans
from pairquiz_server.store.erasures import Erasures
from pairquiz_server.store.pool import Database
from pairquiz_server.store.retention import RetentionRows
from tests.engine.stage import ALICE, BOB, PATIENCE_S, Node

DAY_MS = 24 * 3600 * 1000
FOR_EVER = Keep(finished_days=0, unfinished_days=0, usage_days=0, guests_days=0, audit_days=0)
GUEST = Player("guest:old", PlayerKind.GUEST, "Guest")


def retention(node: Node, keep: Keep) -> Retention:
    return Retention(RetentionRows(node.database), node.clock, keep)  # type: ignore[arg-type]


async def forget_all(node: Node, keep: Keep) -> int:
    """Forget until there is nothing more to forget, and return how many rows it was."""
    total = 0
    while count := await retention(node, keep).forget():
        total += count
    return total


async def count(database: Database, table: str) -> int:
    number: int = await database.fetchval(f"SELECT count(*) FROM pairquiz.{table}")
    return number


async def finished(node: Node) -> None:
    match = await node.started()
    for player in (ALICE, BOB):
        await node.play(node.game.complete, player, match_id=match.id)


async def test_old_weeks_of_the_league_are_forgotten_with_their_counts(node: Node) -> None:
    this = week_of(node.clock.now())
    for week in (this - WEEKS, this - WEEKS + 1, this):
        await node.database.fetch("INSERT INTO pairquiz.week_points VALUES ($1, 0, 'alice', 3, 1)", week)
    assert await forget_all(node, FOR_EVER) == 1
    for table in ("week_points", "rank_counts"):
        weeks = await node.database.fetch(f"SELECT week FROM pairquiz.{table} ORDER BY week")
        assert [row["week"] for row in weeks] == [this - WEEKS + 1, this], table


async def test_what_operators_did_long_ago_is_forgotten(node: Node) -> None:
    deeds = (
        "INSERT INTO pairquiz.audit (at, actor, via, action) SELECT now() - $1 * interval '1 day', 'ada', 'token', 'x'"
    )
    for days in (0, 9, 11):
        await node.database.fetch(deeds, days)
    assert await forget_all(node, FOR_EVER) == 0
    assert await forget_all(node, replace(FOR_EVER, audit_days=10)) == 1
    assert await count(node.database, "audit") == 2


async def test_matches_are_forgotten_by_how_they_ended(node: Node) -> None:
    await finished(node)
    for _ in range(2):
        match = await node.ready()
        await node.play(node.game.leave, ALICE, match_id=match.id)
    live = await node.started()
    node.clock.at += 31 * DAY_MS
    assert await forget_all(node, FOR_EVER) == 0
    assert await forget_all(node, Keep(unfinished_days=32, guests_days=0)) == 0
    assert await forget_all(node, Keep(unfinished_days=30, guests_days=0)) == 2
    assert await count(node.database, "matches") == 2
    assert await forget_all(node, Keep(finished_days=30, guests_days=0)) == 1
    assert (await node.stored(live)).status is Status.IN_PROGRESS
    assert await count(node.database, "matches") == 1
    assert await count(node.database, "draws") == 1


async def test_answers_go_with_their_match(node: Node) -> None:
    match = await node.started()
    for player in (ALICE, BOB):
        for question in match.questions:
            await node.play(node.game.submit_answer, player, match_id=match.id, question_id=question.id, answer=0)
    assert await count(node.database, "answers") == 2 * len(match.questions)
    node.clock.at += 2 * DAY_MS
    assert await forget_all(node, Keep(finished_days=1, guests_days=0)) == 1
    assert await count(node.database, "answers") == 0


async def test_guests_who_do_not_come_back_are_erased(node: Node) -> None:
    for player in (GUEST, Player("guest:playing", PlayerKind.GUEST, "Guest"), ALICE):
        match = (await node.play(node.game.create, player, topic="General")).match
        if player is GUEST:
            await node.play(node.game.leave, player, match_id=match.id)
    node.clock.at += 119 * DAY_MS
    keep = Keep(guests_days=120, unfinished_days=0)
    assert await forget_all(node, keep) == 0
    node.clock.at += 2 * DAY_MS
    assert await retention(node, keep).forget() == 1
    assert await retention(node, keep).forget() == 0
    erasures, bans = Erasures(node.database), Bans(node.database, b"")
    assert await erasures.pending() == [GUEST.id]
    assert await Eraser(erasures, bans, settle_s=0).work() == []
    left = {row["id"] for row in await node.database.fetch("SELECT id FROM pairquiz.players WHERE kind <> 'erased'")}
    assert left == {"guest:playing", ALICE.id}


async def test_usage_and_bans_that_are_over_are_forgotten(node: Node) -> None:
    await finished(node)
    bans = Bans(node.database, b"")
    for player_id in ("for ever", "over"):
        await bans.ban(player_id, None, None)
    await bans.unban("over")
    uses = await count(node.database, "feature_usage")
    node.clock.at += 401 * DAY_MS
    assert await forget_all(node, Keep(guests_days=0)) == uses
    await node.database.fetch("UPDATE pairquiz.bans SET until = until - make_interval(days => $1)", BANS_DAYS)
    assert await forget_all(node, Keep(guests_days=0)) == 1
    assert await node.database.fetchval("SELECT player_id FROM pairquiz.bans") == "for ever"


async def test_it_goes_a_little_at_a_time_and_by_one_node_at_a_time(
    node: Node, other_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_module, "MATCHES_AT_ONCE", 2)
    for _ in range(5):
        await finished(node)
    node.clock.at += 2 * DAY_MS
    keep = Keep(finished_days=1, guests_days=0)
    async with other_node.database.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", rows_module._LOCK)
        assert await retention(node, keep).forget() == 0
    assert [await retention(node, keep).forget() for _ in range(4)] == [2, 2, 1, 0]


async def test_it_ends_when_it_is_told_to(node: Node) -> None:
    work = retention(node, FOR_EVER)
    running = asyncio.create_task(work.run())
    await asyncio.sleep(0)
    work.stop()
    async with asyncio.timeout(PATIENCE_S):
        await running
